"""The numbers of a figure as a long table that travels with it: for the report, and for comparing runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["POINT_COLUMNS", "with_points"]

POINT_COLUMNS = ("panel", "series", "place", "value", "low", "high")
"""`panel`: title of the sub-plot; `series`: what the legend names; either is empty where there is one. `place`: the
category, or the place along the other axis. `low` and `high`: ends of the interval, None where there is none."""


def with_points(
    figure: go.Figure, rows: Iterable[Iterable[Any]], *, along: str, value: str, percent: bool = False
) -> go.Figure:
    """Put a figure's numbers beside what it draws, in the layout's `meta`, where plotly keeps what it does not draw.

    Args:
        figure: The figure.
        rows: A row for each number, in the order drawn: the columns `POINT_COLUMNS`, of which the last two may lack.
        along: What places are, such as `step`.
        value: What values are.
        percent: Write the values, which lie between 0 and 1, as percentages.
    """
    from workbench.store.plain import to_plain

    whole = [[*to_plain(list(row)), None, None][: len(POINT_COLUMNS)] for row in rows]
    told = {"columns": POINT_COLUMNS, "rows": whole, "along": along, "value": value, "percent": percent}
    return figure.update_layout(meta={"points": told})
