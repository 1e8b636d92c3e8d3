"""A figure, its target, and the table of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

MISSED = "MISSED"


@dataclass(frozen=True)
class Figure:
    """One line of the table: the median of several runs beside its target.

    The figure of a ratio is the median of the pairs' ratios, which need not be the ratio of the two medians.
    """

    name: str
    value: float
    least: float
    most: float
    target: float | None
    """None for what is told only."""
    runs: int
    unit: str = "x"
    at_least: bool = False
    """Whether the target is what must be reached, not what may be used."""
    bare: str = ""
    """The median of the program without mmhooks, with its unit."""
    ours: str = ""
    """The median of the plugin, with its unit."""

    @property
    def met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target

    def cells(self) -> tuple[str, ...]:
        """The line as text."""
        wanted = ""
        if self.target is not None:
            wanted = f"{'≥' if self.at_least else '≤'} {_short(self.target, self.unit)}"
        return (
            self.name,
            self.bare,
            self.ours,
            _short(self.value, self.unit),
            f"{_number(self.least, self.unit)}-{_number(self.most, self.unit)}",
            wanted if self.met else f"{wanted} {MISSED}",
            str(self.runs),
        )

    def as_dict(self) -> dict[str, Any]:
        """The figure for JSON."""
        return {**asdict(self), "met": self.met}


def ratio(
    name: str,
    bare: Sequence[float],
    ours: Sequence[float],
    *,
    unit: str,
    target: float | None,
    at_least: bool = False,
) -> Figure:
    """The figure of runs that were taken in pairs."""
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    return Figure(
        name,
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        target,
        len(ratios),
        at_least=at_least,
        bare=f"{statistics.median(bare):,.0f} {unit}",
        ours=f"{statistics.median(ours):,.0f} {unit}",
    )


def time(name: str, milliseconds: Sequence[float], *, target: float, idle: Sequence[float]) -> Figure:
    """A time that must not be passed, beside what it was before anything was in its way."""
    value = statistics.median(milliseconds)
    return Figure(
        name,
        value,
        min(milliseconds),
        max(milliseconds),
        target,
        len(milliseconds),
        unit="ms",
        bare=f"({_short(statistics.median(idle), 'ms')} idle)",
        ours=_short(value, "ms"),
    )


def plain(name: str, values: Sequence[float], *, unit: str, target: float) -> Figure:
    """A figure that must not be passed, beside nothing."""
    value = statistics.median(values)
    return Figure(name, value, min(values), max(values), target, len(values), unit=unit, ours=_short(value, unit))


def table(figures: Sequence[Figure], other: str = "bare") -> str:
    """The figures as an aligned table, which is Markdown at the same time. `other` is what mmhooks is compared with."""
    headings = ("", other, "mmhooks", "figure", "min-max", "target", "runs")
    rows = [headings, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if column in (0, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * width if column in (0, 5) else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join([line(headings), line(rule), *(line(row) for row in rows[1:])])


def _number(value: float, unit: str) -> str:
    return f"{value:.1f}" if unit == "ms" else f"{value:.2f}"


def _short(value: float, unit: str) -> str:
    return f"{_number(value, unit)}{unit if unit == 'x' else f' {unit}'}"
