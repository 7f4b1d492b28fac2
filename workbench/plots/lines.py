"""Lines over steps, side by side by quantity: training curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import SettingsError
from workbench.plots.points import with_points
from workbench.plots.theme import INK, line_style

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["lines"]


def lines(frame: pd.DataFrame, *, x: str, y: str, color: str, panel: str) -> go.Figure:
    """Draw a line for each value of a column, in a panel for each value of another; panels share the legend.

    Args:
        frame: A row for each point, in the order to draw.
        x: Column of the horizontal places, such as a step.
        y: Column of the values. Each panel has its own scale.
        color: Column that tells the lines of a panel apart.
        panel: Column of the panels.

    Raises:
        SettingsError: A column is missing, or there is nothing to draw.
    """
    from plotly.subplots import make_subplots

    from workbench.plots.theme import template

    missing = [column for column in (x, y, color, panel) if column not in frame.columns]
    if missing or frame.empty:
        raise SettingsError(
            got=f"no column {', '.join(missing)}" if missing else "no rows",
            needed="a table with a row for each point",
            fix=f"name columns among {', '.join(map(str, frame.columns))}" if missing else "log some steps",
        )
    panels, names = (list(dict.fromkeys(frame[column])) for column in (panel, color))
    figure = make_subplots(rows=1, cols=len(panels), subplot_titles=[str(one) for one in panels])
    for column, one in enumerate(panels, start=1):
        for number, name in enumerate(names):
            rows, style = frame[(frame[panel] == one) & (frame[color] == name)], line_style(number)
            figure.add_scatter(
                name=str(name),
                legendgroup=str(name),
                # of the first panel in which it has a point: a line without any has no entry
                showlegend=len(rows) > 0
                and name not in {trace.name for trace in figure.data if len(trace.x)},
                x=rows[x].tolist(),
                y=rows[y].tolist(),
                # a line of one point would not be seen
                **(
                    {"mode": "lines"}
                    if len(rows) > 1
                    else {"mode": "markers", "marker": {"color": style["color"]}}
                ),
                line=style,
                hovertemplate=f"{name}, {x} %{{x}}: %{{y:.3f}}<extra></extra>",
                visible=True if len(rows) else "legendonly",
                row=1,
                col=column,
            )
    figure.update_xaxes(title_text=x)
    figure.update_annotations(font={"size": 13, "color": INK})
    # the legend below: panels have their titles above
    legend = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}
    figure.update_layout(template=template(), legend=legend, height=380)
    ordered = frame.sort_values(panel, kind="stable", key=lambda column: column.map(panels.index))
    points = ordered[[panel, color, x, y]].itertuples(index=False)
    return with_points(figure, points, along=x, value=y)
