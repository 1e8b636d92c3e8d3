"""The benchmark measures what it says: pairs, targets, and programs that do the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import calling, figures, gohost, machine, starting


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


def test_both_programs_shake_hands(tmp_path: Path) -> None:
    for file in (machine.PROGRAMS / "bare_start.py", machine.HELLO):
        start = starting.start(file, tmp_path)
        assert start.milliseconds > 0
        assert start.peak_mib > 1


def test_a_program_that_does_not_start_is_told_with_its_words(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("raise SystemExit('out of order')", encoding="utf-8")
    with pytest.raises(machine.CannotMeasure, match="out of order"):
        starting.start(file, tmp_path)


def test_all_three_plugins_answer_the_same(gohost_program: Path, tmp_path: Path) -> None:
    calling.generate_messages(tmp_path)
    with gohost.Host(gohost_program, tmp_path) as host:
        calling.start_all(host, tmp_path)
        assert host.bench("bare", calling.HOOK, calling.REQUEST, calls=2)["errors"] == 0
