"""The numbers of a figure, read back from what it draws: of figures that bring none along, and of runs of before."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.runs.report.values import Point

__all__ = ["axes_drawn", "points_drawn"]

_TAG = re.compile(r"<[^>]+>")
# what a figure says of a point's interval when it is pointed at: "[%{customdata[0]:.3f}, %{customdata[1]:.3f}]"
_HOVERED_INTERVAL = re.compile(r"\[%\{customdata\[(\d+)\][^}]*\}, %\{customdata\[(\d+)\]")


def points_drawn(figure: Mapping[str, Any]) -> list[Point]:
    """Read back every number that a plotly figure draws: bars, lines, markers and maps.

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


def axes_drawn(layout: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of the axis of places and of the axis of values."""
    names = [_words(layout.get(axis, {}).get("title", {}).get("text", "")) for axis in ("xaxis", "yaxis")]
    sideways = "ticktext" in layout.get("yaxis", {})
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
