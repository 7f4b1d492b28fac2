"""Finding the same measurement in several runs: the points of figures and the rows of tables that bear intervals."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.runs.report.paper import Paper
from workbench.runs.report.points import points
from workbench.runs.report.values import Point, shown

__all__ = ["Measurement", "Metric", "aligned_metrics", "table_points"]


@dataclass(frozen=True)
class Measurement:
    """A number with its interval."""

    value: float
    low: float
    high: float
    text: str
    percent: bool


@dataclass(frozen=True)
class Metric:
    """One quantity, measured in several runs at the same places."""

    name: str
    caption: str
    places: tuple[str, ...]
    """Series and place, in words."""
    rows: tuple[tuple[Measurement | None, ...], ...]
    """For each place, what each run measured; None where a run has nothing there."""
    percent: bool


def aligned_metrics(papers: Sequence[Paper]) -> list[Metric]:
    """Return what at least two runs of a paper have measured with intervals, in the order of the first.

    Args:
        papers: The same paper's part of several runs.
    """
    found = [_measured(paper) for paper in papers]
    metrics = []
    for name in dict.fromkeys(itertools.chain.from_iterable(found)):
        having = [each.get(name, ("", {})) for each in found]
        places = list(dict.fromkeys(place for _, by_place in having for place in by_place))
        rows = [tuple(by_place.get(place) for _, by_place in having) for place in places]
        shared = [(place, row) for place, row in zip(places, rows, strict=True) if sum(map(bool, row)) > 1]
        if shared:
            caption = next(caption for caption, _ in having if caption)
            percent = any(one.percent for _, row in shared for one in row if one)
            names, kept = zip(*shared, strict=True)
            metrics.append(Metric(name, caption, names, kept, percent))
    return metrics


def _measured(paper: Paper) -> dict[str, tuple[str, dict[str, Measurement]]]:
    """Return a run's points with intervals: by figure, then by table where no figure has that name."""
    drawn = {
        figure.id.removeprefix(f"{paper.name}-"): (figure.caption, _by_place(points(figure.content)))
        for figure in paper.figures
    }
    found = {name: (caption, by_place) for name, (caption, by_place) in drawn.items() if by_place}
    for name, table in paper.results.get("tables", {}).items():
        if by_place := _by_place(table_points(table)):
            found.setdefault(name.replace(" ", "-"), (table["caption"], by_place))
    return found


def _by_place(found: Sequence[Point]) -> dict[str, Measurement]:
    return {
        ", ".join(
            shown(word) for word in (point.panel, point.series, point.place) if word != ""
        ): Measurement(point.value, point.low, point.high, point.text, point.percent)
        for point in found
        if point.value is not None and point.low is not None and point.high is not None
    }


def table_points(table: Mapping[str, Any]) -> list[Point]:
    """Read the rows of a table that has columns `low` and `high` as points; the value stands before `low`.

    A row's place is made of its words, and of as many of its whole numbers as it takes to tell rows apart.

    Args:
        table: Of results.json.

    Returns:
        The points; none where the table has no intervals, or its rows cannot be told apart.
    """
    columns, rows = table["columns"], table["rows"]
    if not rows or "low" not in columns or "high" not in columns or columns.index("low") == 0:
        return []
    low, high = columns.index("low"), columns.index("high")
    words = [index for index in range(low - 1) if all(isinstance(row[index], str) for row in rows)]
    wholes = [index for index in range(low - 1) if all(type(row[index]) is int for row in rows)]
    for count in range(len(wholes) + 1):
        keys = sorted(words + wholes[:count])
        places = [", ".join(_said(columns[index], row[index]) for index in keys) for row in rows]
        if len(set(places)) == len(rows):
            return [
                Point("", "", place, row[low - 1], row[low], row[high])
                for place, row in zip(places, rows, strict=True)
                if isinstance(row[low - 1], int | float) and None not in (row[low], row[high])
            ]
    return []


def _said(column: str, value: Any) -> str:
    return value if isinstance(value, str) else f"{column} {value}"
