"""A figure in words and numbers: for those who cannot see it, and for comparing runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.runs.report.points import axes, points
from workbench.runs.report.values import NOTHING, Cell, Point, columns_of, shown

__all__ = ["description", "points_table"]

_KINDS = {"bar": "Bar chart", "scatter": "Chart", "heatmap": "Map"}
_LISTED = 8
_FULL = 0.6


def points_table(figure: Mapping[str, Any]) -> tuple[list[str], list[list[Cell]]]:
    """Set a figure's points out as a table: a row for each place, a column for each series.

    Args:
        figure: The figure as JSON, as a run keeps it.

    Returns:
        The columns' names and the rows; no rows where it shows no number.
    """
    found = points(figure)
    places = list(dict.fromkeys((point.panel, point.place) for point in found))
    series = list(dict.fromkeys(point.series for point in found))
    along, value = axes(figure)
    with_panels = any(panel for panel, _ in places)
    if len(found) < _FULL * len(places) * len(series):  # scattered: each series has places of its own
        columns = ["panel"] * with_panels + ["series", along, value]
        cells = columns_of([[*[point.panel] * with_panels, point.series, point.place] for point in found])
        return columns, [[*row, _point_cell(point)] for row, point in zip(cells, found, strict=True)]
    lookup = {(point.panel, point.place, point.series): point for point in found}
    columns = ["panel"] * with_panels + [along] + [name or value for name in series]
    cells = columns_of([[panel] * with_panels + [place] for panel, place in places])
    return columns, [
        row + [_point_cell(lookup.get((panel, place, name))) for name in series]
        for row, (panel, place) in zip(cells, places, strict=True)
    ]


def description(figure: Mapping[str, Any]) -> str:
    """Say in a sentence or two what a figure shows: its kind, its series, its range."""
    found = points(figure)
    kind = next(
        (_KINDS[one["type"]] for one in figure.get("data", []) if one.get("type") in _KINDS), "Figure"
    )
    if not found:
        return f"{kind}."
    along, value = axes(figure)
    series = list(dict.fromkeys(point.series for point in found if point.series))
    words = f"{kind} of {value}" + (f" over {along}" if along != "place" else "")
    if len(series) > 1:
        listed = "; ".join([*series[:_LISTED], *(["and others"] if len(series) > _LISTED else [])])
        words += f", {len(series)} series: {listed}"
    numbers = [point for point in found if point.value is not None]
    if not numbers:
        return f"{words}."
    lowest, highest = (pick(numbers, key=lambda point: float(point.value or 0)) for pick in (min, max))
    return f"{words}. Lowest {lowest.text} ({_where(lowest)}), highest {highest.text} ({_where(highest)})."


def _where(point: Point) -> str:
    return ", ".join(shown(word) for word in (point.panel, point.series, point.place) if word != "")


def _point_cell(point: Point | None) -> Cell:
    return Cell(NOTHING) if point is None else Cell(point.text, point.value)
