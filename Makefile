# Everything one does with a checkout. Needs Python 3.11 or newer and make; Go too for the tests of the real host.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo test lowest check generate bench soak docs clean

demo: .venv/dev  ## run the example of the README with messages that are changed, rejected and left alone
	$(BIN)/mmhooks dev examples/hello --post "good morning" --post "teh weather is nice" --post "WHERE IS EVERYBODY"

test: .venv/test  ## run every test
	$(BIN)/pytest

lowest: .venv/lowest/done  ## the tests over the wire, with the lowest versions that pyproject.toml allows
	.venv/lowest/bin/pytest -q -p no:cacheprovider tests/behaviour tests/hosts/grpc/test_hooks_over_the_wire.py

check: .venv/test  ## format, lint, strict types, generated files up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m protos.generator --check

generate: .venv/test  ## make all generated files anew from protos/ and mmhooks/hooks.py
	$(BIN)/python -m protos.generator

bench: .venv/test  ## measure, as ratios against bare gRPC programs and a plugin in Go; needs Go
	$(BIN)/python -m tests.bench

soak: .venv/test  ## standalone bundles of all examples, and a million calls over net/rpc; needs Go. make soak CALLS=50000
	$(BIN)/python -m tests.soak $(CALLS)

docs: .venv/test  ## build the documentation into site/; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --config-file .ci/mkdocs.yml --site-dir ../site

clean:
	rm -rf .venv site dist .mypy_cache .pytest_cache .ruff_cache

.venv/lowest/done: pyproject.toml | .venv/test
	$(PYTHON) -m venv .venv/lowest
	.venv/lowest/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
		| sed 's/>=/==/' > .venv/lowest/requirements.txt
	.venv/lowest/bin/pip install --quiet --disable-pip-version-check -r .venv/lowest/requirements.txt pytest pytest-timeout
	@touch $@

.venv/dev: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

.venv/test: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[test]"
	@touch $@ .venv/dev
