"""The pictures of the ARKS experiment that no other one needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["recall_map", "token_curves"]


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


def token_curves(spent: pd.DataFrame) -> go.Figure:
    """Draw each setting's accuracy after each round against the tokens read and written until then.

    Args:
        spent: As `Findings.by_tokens` returns them.
    """
    import plotly.graph_objects as go

    from workbench.plots.points import with_points
    from workbench.plots.theme import template
    from workbench.plots.whiskers import whiskers

    figure = go.Figure(layout={"template": template(), "showlegend": True})
    for name, rows in spent.groupby("setting", sort=False):
        figure.add_scatter(
            name=name,
            x=rows["tokens"],
            y=rows["accuracy"],
            error_y=whiskers(rows["accuracy"], rows["low"], rows["high"]),
            mode="lines+markers",
            marker={"size": 8},
        )
    along = "tokens read and written, mean a problem"
    figure.update_xaxes(title_text=along)
    figure.update_yaxes(title_text="accuracy", tickformat=".0%", rangemode="tozero")
    points = spent[["setting", "tokens", "accuracy", "low", "high"]].itertuples(index=False)
    return with_points(figure, (("", *row) for row in points), along=along, value="accuracy", percent=True)
