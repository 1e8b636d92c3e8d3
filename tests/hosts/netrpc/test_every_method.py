"""Every method of the plugin API without streams, called out of a plugin, with the real Go host at the other end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmhooks.hosts.netrpc.structs import API
from tests import conftest
from tests.conftest import PLUGINS
from tests.host_driver import GoHost, GoPlugin, start
from tests.hosts.netrpc.conftest import LONG
from tests.hosts.netrpc.test_hooks_over_the_wire import same

LETTERS = "ABCDEFGH"


class Caller:
    """A plugin that calls what it is told to."""

    def __init__(self, plugin: GoPlugin, file: Path) -> None:
        self.plugin = plugin
        self._file = file

    def call(self, method: str, answer: dict[str, Any] | None = None) -> dict[str, Any]:
        """Have a method called with all arguments filled; what the call gave, or raised. An answer is kept from then on."""
        if answer is not None:
            self.plugin.ask("set_answers", answers={method: answer})
        filled = self.plugin.fill(method, SEED, api=True)
        self._file.write_text(json.dumps({**filled, "method": method, "types": API[method][0].split()}))
        assert self.plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
        found: dict[str, Any] = json.loads(self._file.read_text())
        return found


SEED = 3


def callers(gohost: GoHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    file = tmp_path_factory.mktemp("caller") / "call"
    name = f"caller{next(conftest._numbers)}"
    plugin = start(gohost, name, PLUGINS / "caller.py", {"CALL_FILE": str(file)}, **LONG)
    assert plugin.activate()["reply"] == {"A": None}
    yield Caller(plugin, file)
    plugin.ask("kill")


filled = pytest.fixture(scope="module", name="filled")(callers)
"""A caller whose server answers with everything filled."""

told = pytest.fixture(scope="module", name="told")(callers)
"""A caller whose server answers as it has been told."""

every_method = pytest.mark.parametrize("method", API)


def results(method: str) -> dict[str, str]:
    """What a method gives besides its error, by letter."""
    types = dict(zip(LETTERS, API[method][1].split(), strict=False))
    return {letter: go for letter, go in types.items() if go not in ("error", "*model.AppError")}


def failing(kind: str) -> list[str]:
    """The methods whose last result is an error of a kind."""
    return [method for method, (_, types) in API.items() if types.split()[-1:] == [kind]]


def test_all_methods_are_here_but_those_that_take_streams() -> None:
    assert len(API) == 234
    assert not {"PluginHTTP", "InstallPlugin", "UploadData"} & API.keys()
    without = [method for method in API if method not in failing("error") + failing("*model.AppError")]
    assert len(without) == 24, "methods that cannot fail in the server's words"


@every_method
def test_a_method_takes_every_field(filled: Caller, method: str) -> None:
    before = len(filled.plugin.api_calls(method))
    found = filled.call(method)
    assert "error" not in found, found["text"]
    (call,) = filled.plugin.api_calls(method)[before:]
    given = filled.plugin.fill(method, SEED, api=True)
    assert (call["args"], call["hidden"]) == (given["args"], given["hidden"]), "what Go saw"


@every_method
def test_a_method_gives_every_field(filled: Caller, method: str) -> None:
    # What the host answers when nobody has told it what to answer, but for the error.
    sent = filled.plugin.host.ask("gob_encode", type=f"Z_{method}Returns", seed=0)
    found = filled.call(method)
    assert "error" not in found, found["text"]
    letters = [*results(method)]
    if not letters:
        assert found["result"] is None
        return
    result = dict(zip(letters, [found["result"]] if len(letters) == 1 else found["result"], strict=True))
    if method == "LoadPluginConfiguration":
        sent["value"] = {"A": "e30="}  # of all answers the only one that the host does not fill: {}
    assert result == {letter: same(result[letter], sent["value"][letter]) for letter in letters}
    attributes = dict(zip(letters, [found["attributes"]] if len(letters) == 1 else found["attributes"], strict=True))
    for path, value in sent["hidden"].items():
        if path[0] in letters and not path.endswith(".SkipTranslation"):
            found_there = only(at(attributes, path), value)
            assert found_there == same(found_there, value), path


def at(value: Any, path: str) -> Any:
    """What stands at a Go path among attributes: `A.Posts[key].Filenames`."""
    for key, name in re.findall(r"\[((?:[^\[\]]|\[\d+\])*)\]|(\w+)", path):
        if key:
            value = value[int(key) if isinstance(value, list) else key]
        elif name in value:
            value = value[name]
        elif name != "PostList":  # whose fields are those of the results of a search
            value = next(part for attribute, part in value.items() if attribute.replace("_", "") == name.lower())
    return value


def only(got: Any, sent: Any) -> Any:
    """Of attributes those that JSON has, by its names."""
    if isinstance(sent, dict) and isinstance(got, dict):
        names = {name.replace("_", "").lower(): name for name in got}
        found = {key: names.get(key.replace("_", "").lower()) for key in sent}
        return {key: only(got[name], sent[key]) for key, name in found.items() if name is not None}
    if isinstance(sent, list) and isinstance(got, list):
        return [only(one, other) for one, other in zip(got, sent, strict=True)]
    return got


ERROR = {
    "id": "app.some.error",
    "message": "not today",
    "detailed_error": "the moon is full",
    "request_id": "r1",
    "status_code": 418,
}


@pytest.mark.parametrize("method", [*failing("*model.AppError"), *failing("error")])
def test_an_error_of_the_server_is_raised_with_its_fields(told: Caller, method: str) -> None:
    letter = LETTERS[len(API[method][1].split()) - 1]
    error = ERROR if method in failing("*model.AppError") else {**ERROR, "type": "*model.AppError"}
    found = told.call(method, {letter: error})
    assert "AppError" in found["error"]
    assert {name: found[name] for name in ERROR} == ERROR


@pytest.mark.parametrize("method", failing("error"))
def test_an_error_that_is_a_text_is_raised_with_its_code(told: Caller, method: str) -> None:
    letter = LETTERS[len(API[method][1].split()) - 1]
    found = told.call(method, {letter: {"type": "*plugin.ErrorString", "Code": 2, "Err": "no rows"}})
    assert found["error"][0] == "GoError"
    assert (found["text"], found["code"]) == ("no rows", 2)


@every_method
def test_a_call_that_fails_on_the_way_says_which_one_and_the_next_one_works(told: Caller, method: str) -> None:
    found = told.call(method, {"error": "the database is away"})
    assert "MmhooksError" in found["error"]
    assert found["text"] == f"{method}: the database is away"
    assert "error" not in told.call(method, {})


@every_method
def test_nothing_is_given_where_the_server_gives_nothing(told: Caller, method: str) -> None:
    found = told.call(method, {})
    assert "error" not in found, found["text"]
    empty = [EMPTY[go] if go in EMPTY else [] if go.startswith("[]") else None for go in results(method).values()]
    if method == "GetPreferenceForUser":  # a struct, which Go always sends
        empty = [{"user_id": "", "category": "", "name": "", "value": ""}]
    assert found["result"] == (None if not empty else empty[0] if len(empty) == 1 else empty)


EMPTY: dict[str, Any] = {
    "string": "",
    "bool": False,
    "int64": 0,
    "[]uint8": "",
    "map[string]string": {},
    "map[string]any": {},
}
