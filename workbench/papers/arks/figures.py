"""The pictures of the ARKS experiment that no other one needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["recall_map"]


def recall_map(accuracies: pd.DataFrame) -> go.Figure:
    """Draw each setting at its recall of the gold documents and its accuracy.

    Args:
        accuracies: As `Findings.accuracies` returns them; settings without recall are left out.
    """
    import plotly.graph_objects as go

    from workbench.plots.points import with_points
    from workbench.plots.theme import template
    from workbench.plots.whiskers import whiskers

    figure = go.Figure(layout={"template": template(), "showlegend": True})
    shown = accuracies.dropna(subset=["recall"])
    for row in shown.itertuples():
        figure.add_scatter(
            name=row.setting,
            x=[row.recall],
            y=[row.accuracy],
            error_y=whiskers([row.accuracy], [row.low], [row.high]),
            marker={"size": 11},
        )
    along = "recall of the gold documents, mean over all queries"
    figure.update_xaxes(title_text=along, tickformat=".0%")
    figure.update_yaxes(title_text="accuracy", tickformat=".0%", rangemode="tozero")
    rows = shown[["setting", "recall", "accuracy", "low", "high"]].itertuples(index=False)
    return with_points(figure, (("", *row) for row in rows), along=along, value="accuracy", percent=True)
