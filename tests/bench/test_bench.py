"""The benchmark measures what it says: pairs, targets, and programs that do the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import __main__ as command
from tests.bench import asking, calling, figures, gohost, machine, memory, netrpc, profiling, routing, starting


def test_a_ratio_is_the_median_of_the_pairs() -> None:
    # The second pair was taken while the machine was busy: its ratio is as good as the others'.
    figure = figures.ratio("start", [100, 900, 100], [120, 1080, 150], unit="ms", target=1.5)
    assert (figure.value, figure.least, figure.most, figure.runs) == (1.2, 1.2, 1.5, 3)
    assert figure.met


@pytest.mark.parametrize(("at_least", "met"), [(False, False), (True, True)])
def test_a_target_is_a_ceiling_or_a_floor(at_least: bool, met: bool) -> None:
    figure = figures.ratio("call", [10], [20], unit="ms", target=1.5, at_least=at_least)
    assert figure.met == met
    assert (figures.MISSED in figures.table([figure])) != met


@pytest.mark.parametrize("wire", starting.FLOORS)
def test_both_programs_shake_hands(tmp_path: Path, wire: machine.Wire) -> None:
    for file in (machine.PROGRAMS / starting.FLOORS[wire].program, machine.HELLO):
        start = starting.start(file, tmp_path, wire)
        assert start.milliseconds > 0
        assert start.peak_mib > 1


def test_a_program_that_does_not_start_is_told_with_its_words(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("raise SystemExit('out of order')", encoding="utf-8")
    with pytest.raises(machine.CannotMeasure, match="out of order"):
        starting.start(file, tmp_path)


def test_all_plugins_answer_the_same_over_grpc(gohost_program: Path, tmp_path: Path) -> None:
    calling.generate_messages(tmp_path)
    with gohost.Host(gohost_program, tmp_path) as host:
        calling.start_all(host, tmp_path)
        assert host.bench("bare", calling.HOOK, calls=2, request=calling.REQUEST)["errors"] == 0


def test_a_figure_without_a_target_is_told_only() -> None:
    figure = figures.ratio("its p99", [10], [90], unit="µs", target=None)
    assert figure.met
    assert figures.table([figure], "Go").splitlines()[0].split() == [
        "|",
        "|",
        "Go",
        "|",
        "mmhooks",
        "|",
        "figure",
        "|",
        "min-max",
        "|",
        "target",
        "|",
        "runs",
        "|",
    ]


def test_netrpc_is_measured_beside_a_plugin_in_go(gohost_program: Path, tmp_path: Path) -> None:
    with gohost.Host(gohost_program, tmp_path) as host:
        found = netrpc.measure(host, tmp_path, runs=1, calls=2)
    assert sum(figure.target is not None for figure in found) == 7
    assert all(figure.value > 0 and figure.runs == 1 for figure in found)


def test_the_profile_tells_what_each_call_costs(
    gohost_program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gohost.Host(gohost_program, tmp_path) as host:
        profiling.profile(host, tmp_path, calls=20, wire="netrpc")
    told = capsys.readouterr().out
    assert "netrpc, a small post" in told
    assert "mmhooks/hosts/netrpc/gob/reading.py" in told


def test_the_command_knows_the_parts_of_a_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "netrpc", "--only", "blocked"])
    with pytest.raises(SystemExit, match="2"):
        command.main()


def test_those_that_ask_over_netrpc_answer_the_same(gohost_program: Path, tmp_path: Path) -> None:
    with gohost.Host(gohost_program, tmp_path) as host:
        for plugin in asking.start_askers(host, tmp_path):
            assert host.bench(plugin, asking.HOOK, calls=2, **asking.LOGIN)["errors"] == 0


def test_calls_over_grpc_are_measured_both_ways(gohost_program: Path, tmp_path: Path) -> None:
    with gohost.Host(gohost_program, tmp_path) as host:
        found = asking.measure(host, tmp_path, runs=1, calls=64, wire="grpc")
        assert len(host.ask("callers", "api_calls")["calls"]) == 2 * 2 * 2 * (64 + 128)
    assert [figure.target for figure in found] == [1.4, 0.7] * 2


def test_what_is_measured_in_process_needs_no_go() -> None:
    found = [*routing.measure(runs=1, calls=3), *memory.measure(rounds=2)]
    assert [figure.target for figure in found] == [20.0] * 4 + [2.0, 1.2]
