"""The plots that every paper needs: bars with intervals, and a map of shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import SettingsError
from workbench.plots.points import with_points
from workbench.plots.whiskers import whiskers

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["bars", "heatmap"]


def bars(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    color: str | None = None,
    low: str | None = None,
    high: str | None = None,
    y_title: str = "",
    percent: bool = True,
) -> go.Figure:
    """Draw bars side by side, one group for each value of x, with whiskers from low to high.

    Args:
        frame: A row for each bar, in the order to draw.
        x: Column of the groups.
        y: Column of the heights.
        color: Column that tells the bars of a group apart; None for one bar a group.
        low: Column of the interval's lower end, in the unit of y.
        high: Column of its upper end; both or neither.
        y_title: What the heights are; the column's name if empty.
        percent: Write the heights, which lie between 0 and 1, as percentages.

    Raises:
        SettingsError: A column is missing, or only one end of the interval is given.
    """
    import plotly.graph_objects as go

    from workbench.plots.theme import template

    _need(frame, x, y, color, low, high)
    if (low is None) != (high is None):
        raise SettingsError(
            got=f"low={low!r}, high={high!r}",
            needed="both ends of the interval, or neither",
            fix="name the columns of both ends",
        )
    groups = [("", frame)] if color is None else list(frame.groupby(color, sort=False))
    figure = go.Figure(layout={"template": template(), "barmode": "group", "showlegend": color is not None})
    for name, rows in groups:
        ends = None if low is None or high is None else whiskers(rows[y], rows[low], rows[high])
        figure.add_bar(name=str(name), x=rows[x].tolist(), y=rows[y].tolist(), error_y=ends)
    figure.update_yaxes(title_text=y_title or y, rangemode="tozero")
    if percent:
        figure.update_yaxes(tickformat=".0%")
    columns = [column for column in (x, y, low, high) if column is not None]
    points = [("", name, *row) for name, rows in groups for row in rows[columns].itertuples(index=False)]
    return with_points(figure, points, along=x, value=y_title or y, percent=percent)


def heatmap(frame: pd.DataFrame, *, x: str, y: str, value: str, percent: bool = True) -> go.Figure:
    """Draw a value for each pair of x and y as a shade, with the number written on it.

    Args:
        frame: A row for each pair; pairs that are missing stay white.
        x: Column of the horizontal places, in the order to draw.
        y: Column of the vertical places, the first one on top.
        value: Column of the values.
        percent: Write the values, which lie between 0 and 1, as percentages.

    Raises:
        SettingsError: A column is missing.
    """
    import plotly.graph_objects as go

    from workbench.plots.theme import template

    _need(frame, x, y, value)
    columns, rows = list(dict.fromkeys(frame[x])), list(dict.fromkeys(frame[y]))
    table = frame.pivot_table(index=y, columns=x, values=value, aggfunc="mean").reindex(
        index=rows, columns=columns
    )
    form = "%{z:.0%}" if percent else "%{z:.3g}"
    limits = {"zmin": 0, "zmax": 1} if percent else {}
    cells = go.Heatmap(
        x=columns,
        y=rows,
        z=table.to_numpy(),
        texttemplate=form,
        hovertemplate=f"%{{y}}, %{{x}}: {form}",
        **limits,
    )
    cells.update(
        hoverongaps=False, name="", colorbar={"tickformat": ".0%" if percent else "", "thickness": 12}
    )
    figure = go.Figure(cells, layout={"template": template()})
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False)
    points = [("", column, row, table.loc[row, column]) for row in rows for column in columns]
    return with_points(figure, points, along=y, value=value, percent=percent)


def _need(frame: pd.DataFrame, *columns: str | None) -> None:
    missing = [column for column in columns if column is not None and column not in frame.columns]
    if missing:
        raise SettingsError(
            got=f"no column {', '.join(missing)} in the table",
            needed=f"names among {', '.join(map(str, frame.columns))}",
            fix="name columns that the table has",
        )
