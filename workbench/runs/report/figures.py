"""A figure in words and numbers: for those who cannot see it, and for comparing runs."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.runs.report.values import NOTHING, Cell, columns_of, shown

__all__ = ["Point", "description", "points", "points_table"]

_KINDS = {"bar": "Bar chart", "scatter": "Chart", "heatmap": "Map"}
_LISTED = 8
_FULL = 0.6
_TAG = re.compile(r"<[^>]+>")
# what a figure says of a point's interval when it is pointed at: "[%{customdata[0]:.3f}, %{customdata[1]:.3f}]"
_HOVERED_INTERVAL = re.compile(r"\[%\{customdata\[(\d+)\][^}]*\}, %\{customdata\[(\d+)\]")


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
            return f"{100 * number:.1f}"
        return f"{number:.3f}" if abs(number) < 100 and number != int(number) else f"{number:,.4g}"


def points(figure: Mapping[str, Any]) -> list[Point]:
    """Read every number that a plotly figure shows: bars, lines, markers and maps.

    Args:
        figure: The figure as JSON, as a run keeps it.

    Returns:
        The points in the order drawn; lines and bands that only guide the eye are left out.
    """
    layout = figure.get("layout", {})
    found: list[Point] = []
    for trace in figure.get("data", []):
        only_guides = trace.get("hoverinfo") == "skip" or trace.get("visible") is False
        if not only_guides:
            read = _map_points if trace.get("type") == "heatmap" else _line_points
            found += read(trace, layout)
    return found


def points_table(found: Sequence[Point], layout: Mapping[str, Any]) -> tuple[list[str], list[list[Cell]]]:
    """Set a figure's points out as a table: a row for each place, a column for each series.

    Args:
        found: The points.
        layout: The figure's layout, for the names of its axes.

    Returns:
        The columns' names and the rows.
    """
    places = list(dict.fromkeys((point.panel, point.place) for point in found))
    series = list(dict.fromkeys(point.series for point in found))
    along, value = _axes(layout, found)
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
    found, layout = points(figure), figure.get("layout", {})
    kind = next(
        (_KINDS[one["type"]] for one in figure.get("data", []) if one.get("type") in _KINDS), "Figure"
    )
    if not found:
        return f"{kind}."
    along, value = _axes(layout, found)
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


def _axes(layout: Mapping[str, Any], found: Sequence[Point]) -> tuple[str, str]:
    """Return the names of the axis of places and of the axis of values."""
    names = [_words(layout.get(axis, {}).get("title", {}).get("text", "")) for axis in ("xaxis", "yaxis")]
    sideways = any("ticktext" in layout.get("yaxis", {}) for _ in found[:1])
    along, value = reversed(names) if sideways else names
    shade = _words(layout.get("coloraxis", {}).get("colorbar", {}).get("title", {}).get("text", ""))
    return along or "place", value or shade or "value"


def _line_points(trace: Mapping[str, Any], layout: Mapping[str, Any]) -> Iterator[Point]:
    x_axis, y_axis = (layout.get(_axis(trace, letter), {}) for letter in "xy")
    # whiskers and bars lie along the axis of values
    sideways = "error_x" in trace or trace.get("orientation") == "h" or "ticktext" in y_axis
    along, values = ("y", "x") if sideways else ("x", "y")
    place_axis, value_axis = (y_axis, x_axis) if sideways else (x_axis, y_axis)
    numbers = _array(trace.get(values))
    places = _array(trace.get(along)) or list(range(len(numbers)))
    whiskers = trace.get(f"error_{values}", {})
    above = _array(whiskers.get("array"))
    below = (
        above
        if whiskers.get("symmetric", not whiskers.get("arrayminus"))
        else _array(whiskers.get("arrayminus"))
    )
    told = _HOVERED_INTERVAL.search(trace.get("hovertemplate") or "")
    custom = _array(trace.get("customdata"))
    for index, (place, number) in enumerate(zip(places, numbers, strict=False)):
        low = high = None
        if isinstance(number, int | float) and index < min(len(above), len(below)):
            low, high = number - (below[index] or 0), number + (above[index] or 0)
        elif told and index < len(custom):
            low, high = (custom[index][int(group)] for group in told.groups())
        yield Point(
            _panel(trace, layout),
            _words(trace.get("name") or ""),
            _label(place, place_axis),
            number,
            low,
            high,
            percent="%" in (value_axis.get("tickformat") or ""),
        )


def _map_points(trace: Mapping[str, Any], layout: Mapping[str, Any]) -> Iterator[Point]:
    rows, texts = _array(trace.get("z")), _array(trace.get("text"))
    columns, names = _array(trace.get("x")), _array(trace.get("y"))
    percent = "%}" in (trace.get("texttemplate") or "")
    for number, row in enumerate(rows):
        for index, value in enumerate(row):
            text = _words(texts[number][index]) if texts and not columns else ""
            if value is None and not columns:
                continue  # padding of a shorter line
            column = _words(columns[index]) if columns else f"{index + 1}. {text}".rstrip(". ")
            name = _words(names[number]) if names else _panel(trace, layout) or f"line {number + 1}"
            # a row of the map is a row of the table
            where = ("", column, name) if columns else (name, "", column)
            yield Point(*where, value, percent=percent)


def _panel(trace: Mapping[str, Any], layout: Mapping[str, Any]) -> str:
    """Return the title above the sub-plot that a trace is drawn in."""
    titles = [
        one
        for one in layout.get("annotations", [])
        if one.get("xref") == "paper" and not one.get("showarrow")
    ]
    panels = sum(bool(re.fullmatch(r"xaxis\d*", name)) for name in layout)
    if panels < 2 or len(titles) != panels:
        return ""
    return _words(titles[int(trace.get("xaxis", "x")[1:] or 1) - 1].get("text", ""))


def _axis(trace: Mapping[str, Any], letter: str) -> str:
    return letter + "axis" + trace.get(f"{letter}axis", letter)[1:]


def _label(place: Any, axis: Mapping[str, Any]) -> str | float:
    """Return what the axis writes at a place; markers of a group stand a little beside their tick."""
    values, texts = _array(axis.get("tickvals")), _array(axis.get("ticktext"))
    if isinstance(place, int | float) and values and len(values) == len(texts):
        nearest = min(range(len(values)), key=lambda index: abs(values[index] - place))
        return _words(texts[nearest])
    return place if isinstance(place, int | float) else _words(place)


def _words(text: Any) -> str:
    return html.unescape(_TAG.sub(" ", str(text))).strip()


def _array(value: Any) -> list[Any]:
    """Return a plotly array as a list; plotly packs numpy arrays as base64, and JSON knows no NaN."""
    if not isinstance(value, dict):
        return list(value) if isinstance(value, list | tuple) else []
    import numpy

    array = numpy.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
    if "shape" in value:
        array = array.reshape([int(length) for length in str(value["shape"]).split(",")])
    return _without_nan(array.tolist())


def _without_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
