"""The numbers that a figure shows: as its plot handed them over, or else read back from what is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.runs.report.drawn import axes_drawn, points_drawn
from workbench.runs.report.values import Point

__all__ = ["axes", "points"]


def points(figure: Mapping[str, Any]) -> list[Point]:
    """Return every number that a plotly figure shows, in the order drawn.

    Args:
        figure: The figure as JSON, as a run keeps it. What our own plots draw brings its numbers along; others are
            read back, and so are those of runs of before.
    """
    told = _told(figure)
    if not told:
        return points_drawn(figure)
    rows = (dict(zip(told["columns"], row, strict=True)) for row in told["rows"])
    return [Point(**row, percent=told["percent"]) for row in rows]


def axes(figure: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a figure's places are, and what its values are."""
    told = _told(figure)
    return (told["along"], told["value"]) if told else axes_drawn(figure.get("layout", {}))


def _told(figure: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the long table that a plot put beside what it draws; empty where it did not."""
    meta = figure.get("layout", {}).get("meta")
    return meta.get("points", {}) if isinstance(meta, dict) else {}
