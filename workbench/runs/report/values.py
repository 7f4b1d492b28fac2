"""Values as a person reads them: numbers, shares, columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Cell", "Point", "columns_of", "interval_text", "measured_text", "shown"]

NOTHING, MINUS = "–", "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str
    value: Any = None
    """What it is sorted by: a number, or text; None for an empty cell, which comes last."""

    @property
    def numeric(self) -> bool:
        """Whether it is a number, and so belongs to the right."""
        return isinstance(self.value, int | float) and not isinstance(self.value, bool)


@dataclass(frozen=True)
class Point:
    """One number of a figure, and where it stands."""

    panel: str
    """Title of the sub-plot; empty where there is one."""
    series: str
    place: str | float
    """The category or the place along the other axis."""
    value: float | None
    low: float | None = None
    high: float | None = None
    """Ends of the whisker; None where none is drawn."""
    percent: bool = False

    @property
    def text(self) -> str:
        """The value, and the interval in brackets."""
        if self.value is None:
            return NOTHING
        ends = (
            ""
            if self.low is None or self.high is None
            else f" [{self._said(self.low)}, {self._said(self.high)}]"
        )
        return self._said(self.value) + ("\N{NO-BREAK SPACE}%" if self.percent else "") + ends

    def _said(self, number: float) -> str:
        if self.percent:
            return f"{100 * number:z.1f}"
        return f"{number:z.3f}" if abs(number) < 100 and number != int(number) else f"{number:,.4g}"


def shown(value: Any) -> str:
    """Return a value as a person reads it: four digits that count, thousands apart, no None.

    >>> shown(1234567), shown(0.123456), shown(None), shown(["a", True])
    ('1,234,567', '0.1235', '–', 'a, yes')
    """
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{_rounded(value):.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value) or "none"
    return str(value)


def measured_text(value: Any, unit: str = "") -> str:
    r"""Return what a claim measured, in its unit.

    Args:
        value: A number, words, or None.
        unit: ``share`` (of 1, read as %), ``points`` (a difference of shares, with its sign), or none.

    >>> measured_text(0.4833, "share"), measured_text(-0.095, "points"), measured_text(0.0132), measured_text(-5e-17)
    ('48.3\xa0%', '−9.5\xa0points', '0.0132', '0')
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not unit:
        return f"{_rounded(value):.3g}".replace("-", MINUS) if isinstance(value, float) else shown(value)
    if unit == "share":
        return f"{value:.1%}".replace("%", "\N{NO-BREAK SPACE}%")
    return f"{_signed(value)}\N{NO-BREAK SPACE}points"


def interval_text(interval: Sequence[float] | None, unit: str = "") -> str:
    """Return an interval in brackets, in its unit; empty where there is none.

    >>> interval_text((0.25, 0.75)), interval_text((0.25, 0.75), "share"), interval_text((-0.01, 0.02), "points")
    ('[0.25, 0.75]', '[25.0, 75.0]', '[−1.0, +2.0]')
    """
    if interval is None:
        return ""
    if unit == "share":
        return f"[{', '.join(f'{end:.1%}'.rstrip('%') for end in interval)}]"
    if unit == "points":
        return f"[{', '.join(_signed(end) for end in interval)}]"
    return f"[{', '.join(measured_text(end) for end in interval)}]"


def _rounded(value: float) -> float:
    """Return a value, or 0 for what rounding leaves of a sum that is 0."""
    return value if abs(value) > 1e-12 else 0.0


def _signed(difference: float) -> str:
    """Write a difference of shares in points; a minus is as wide as a plus."""
    points = round(100 * difference, 1)
    return f"{points:+.1f}".replace("-", MINUS) if points else "0.0"


def columns_of(rows: Sequence[Sequence[Any]]) -> list[list[Cell]]:
    """Turn a table's rows into cells, each column of fractions with the same number of decimals.

    >>> [[cell.text for cell in row] for row in columns_of([["a", 1.0], ["b", 0.4375], ["c", None]])]
    [['a', '1.000'], ['b', '0.438'], ['c', '–']]
    """
    formats = [_format([row[index] for row in rows]) for index in range(len(rows[0]) if rows else 0)]
    return [[_cell(value, form) for value, form in zip(row, formats, strict=True)] for row in rows]


def _format(column: Sequence[Any]) -> str:
    """Return the format of a column of fractions; empty where each number says best how it is written."""
    numbers = [abs(value) for value in column if isinstance(value, float)]
    if not numbers or max(numbers) >= 10_000 or any(0 < number < 0.001 for number in numbers):
        return ""
    if all(number == int(number) for number in numbers):
        return ",.0f" if max(numbers) > 1 else ""
    return ",.3f" if max(numbers) < 10 else ",.1f"


def _cell(value: Any, form: str) -> Cell:
    if isinstance(value, bool):
        return Cell(shown(value), shown(value))
    if isinstance(value, float) and form:
        return Cell(format(value, form), value)
    return Cell(shown(value), value if isinstance(value, int | float) or value is None else shown(value))
