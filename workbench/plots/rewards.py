"""Plots of reward models: accuracies with intervals, transfer, calibration, best-of-N."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.core.errors import SettingsError
from workbench.plots.points import with_points
from workbench.plots.theme import COLORS, INK, MUTED, SCALE, line_style
from workbench.plots.whiskers import whiskers

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from workbench.preferences.accuracy import Accuracy
    from workbench.preferences.calibration import Calibration
    from workbench.rewards.best_of_n import BestOfNPoint

__all__ = ["best_of_n_plot", "forest_plot", "reliability_diagram", "transfer_map"]

ROW_HEIGHT = 30
MOST = "most that can be reached"


def forest_plot(
    frame: pd.DataFrame,
    *,
    y: str,
    value: str = "accuracy",
    low: str = "low",
    high: str = "high",
    color: str | None = None,
    reference: float | None = 0.5,
    x_title: str = "",
    percent: bool = True,
) -> go.Figure:
    """Draw values with their intervals, one line each, the first row on top.

    Args:
        frame: A row for each value, such as `accuracy_frame` or `difference_frame` returns.
        y: Column of the labels.
        value: Column of the values.
        low: Column of the intervals' lower ends.
        high: Column of their upper ends.
        color: Column that tells the values of one label apart; they lie beside each other.
        reference: Where nothing would be found, drawn as a line: 0.5 for accuracies, 0 for differences; None: none.
        x_title: What the values are; the column's name if empty.
        percent: Write the values as percentages.

    Raises:
        SettingsError: A column is missing.
    """
    figure = _figure()
    _need(frame, y, value, low, high, color)
    labels = list(dict.fromkeys(map(str, frame[y])))
    groups = [("", frame)] if color is None else list(frame.groupby(color, sort=False))
    for number, (name, rows) in enumerate(groups):
        shift = (number - (len(groups) - 1) / 2) * 0.6 / len(groups)
        form = ".1%" if percent else "+.3f"
        figure.add_scatter(
            name=str(name),
            x=rows[value].tolist(),
            y=[labels.index(str(label)) + shift for label in rows[y]],
            mode="markers",
            marker={"size": 9, "color": COLORS[number % len(COLORS)]},
            error_x=whiskers(rows[value], rows[low], rows[high], color=COLORS[number % len(COLORS)]),
            customdata=[
                [str(label), lo, hi] for label, lo, hi in zip(rows[y], rows[low], rows[high], strict=True)
            ],
            hovertemplate=f"%{{customdata[0]}}: %{{x:{form}}} [%{{customdata[1]:{form}}}, %{{customdata[2]:{form}}}]"
            f"<extra>{name}</extra>",
        )
    if reference is not None:
        figure.add_vline(x=reference, line={"color": MUTED, "width": 1, "dash": "dot"})
    ticks = {"tickvals": list(range(len(labels))), "ticktext": labels, "range": [len(labels) - 0.5, -0.5]}
    figure.update_yaxes(**ticks, showgrid=False, zeroline=False)
    figure.update_xaxes(title_text=x_title or value, tickformat=".0%" if percent else "")
    height = 130 + ROW_HEIGHT * len(labels) * max(1, len(groups) / 2)
    figure.update_layout(showlegend=color is not None, height=int(height))
    points = [
        ("", name, *row)
        for name, rows in groups
        for row in rows[[y, value, low, high]].itertuples(index=False)
    ]
    return with_points(figure, points, along=y, value=x_title or value, percent=percent)


def transfer_map(matrix: Mapping[tuple[str, str], Accuracy]) -> go.Figure:
    """Draw how models trained on A do on B: what `transfer_matrix` returns. Pairs that are missing stay white."""
    if not matrix:
        raise SettingsError("no accuracies", "at least one", "score a model on some data")
    import plotly.graph_objects as go

    rows, columns = (list(dict.fromkeys(place[k] for place in matrix)) for k in (0, 1))
    found = [[matrix.get((row, column)) for column in columns] for row in rows]
    cells = go.Heatmap(
        x=columns,
        y=rows,
        z=[[None if one is None else one.value for one in line] for line in found],
        customdata=[
            [("", "", "") if one is None else (one.low, one.high, one.pairs) for one in line]
            for line in found
        ],
        texttemplate="%{z:.1%}",
        hovertemplate="trained on %{y}, tested on %{x}: %{z:.1%} [%{customdata[0]:.1%}, %{customdata[1]:.1%}], "
        "%{customdata[2]:,} pairs<extra></extra>",
        hoverongaps=False,
        zmin=0.4,  # below chance is told by the number; the shades are for what lies above
        zmax=1,
        colorscale=list(SCALE),
        colorbar={"tickformat": ".0%", "thickness": 12},
    )
    figure = _figure().add_trace(cells)
    figure.update_yaxes(autorange="reversed", showgrid=False, title_text="trained on")
    figure.update_xaxes(showgrid=False, title_text="tested on")
    points = [("", column, row, one.value, one.low, one.high) for (row, column), one in matrix.items()]
    return with_points(figure, points, along="trained on", value="accuracy", percent=True)


def reliability_diagram(calibrations: Mapping[str, Calibration]) -> go.Figure:
    """Draw accuracy over confidence, with intervals; a calibrated reward lies on the diagonal, a bold one below it.

    Args:
        calibrations: By the name of the reward or the model.

    Raises:
        SettingsError: There are none.
    """
    if not calibrations:
        raise SettingsError("no calibrations", "at least one", "make one with `calibrate`")
    figure = _figure()
    figure.add_scatter(
        x=[0.5, 1], y=[0.5, 1], mode="lines", line={"color": MUTED, "dash": "dot", "width": 1}, showlegend=False,
        hoverinfo="skip",
    )  # fmt: skip
    for number, (name, found) in enumerate(calibrations.items()):
        color = COLORS[number % len(COLORS)]
        figure.add_scatter(
            name=f"{name} (error {found.error:.3f})",
            x=[one.confidence for one in found.bins],
            y=[one.accuracy for one in found.bins],
            mode="lines+markers",
            line={"color": color, "width": 1.5},
            marker={
                "size": [6 + 14 * (one.pairs / found.pairs) ** 0.5 for one in found.bins],
                "color": color,
            },
            error_y=whiskers(
                (one.accuracy for one in found.bins),
                (one.accuracy_low for one in found.bins),
                (one.accuracy_high for one in found.bins),
                color=color,
            ),
            customdata=[one.pairs for one in found.bins],
            hovertemplate="confidence %{x:.1%}, accuracy %{y:.1%}, %{customdata:,} pairs<extra></extra>",
        )
    along = "confidence, sigmoid of the margin"
    figure.update_xaxes(title_text=along, tickformat=".0%", range=[0.49, 1.01])
    figure.update_yaxes(title_text="accuracy", tickformat=".0%", range=[-0.02, 1.02])
    points = [
        ("", name, one.confidence, one.accuracy, one.accuracy_low, one.accuracy_high)
        for name, found in calibrations.items()
        for one in found.bins
    ]
    return with_points(figure, points, along=along, value="accuracy", percent=True)


def best_of_n_plot(
    curves: Mapping[str, Sequence[BestOfNPoint]],
    *,
    best: Sequence[BestOfNPoint] | None = None,
    y_title: str = "expected utility",
) -> go.Figure:
    """Draw the expected truth of the best of n, by reward, with intervals; n doubles from tick to tick.

    Args:
        curves: By the reward that picks: `BestOfN.curve`.
        best: What the truth itself would pick, drawn as a dotted line: `BestOfN.best`.
        y_title: What is counted.

    Raises:
        SettingsError: There are no curves.
    """
    if not curves:
        raise SettingsError("no curves", "at least one", "make one with `best_of_n`")
    figure = _figure()
    for number, (name, points) in enumerate(curves.items()):
        style = line_style(number)
        ns = [point.n for point in points]
        lows, highs = [point.low for point in points], [point.high for point in points]
        figure.add_scatter(
            x=[*ns, *ns[::-1]], y=[*highs, *lows[::-1]], mode="lines", fill="toself", fillcolor=style["color"],
            opacity=0.12, line={"width": 0}, showlegend=False, hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            name=name,
            x=ns,
            y=[point.value for point in points],
            mode="lines+markers",
            line=style,
            customdata=list(zip(lows, highs, strict=True)),
            hovertemplate=f"{name}, best of %{{x}}: %{{y:.3f}} [%{{customdata[0]:.3f}}, %{{customdata[1]:.3f}}]"
            "<extra></extra>",
        )
    if best is not None:
        figure.add_scatter(
            name=MOST,
            x=[point.n for point in best],
            y=[point.value for point in best],
            mode="lines",
            line={"color": INK, "dash": "dot", "width": 1.5},
        )
    ticks = sorted({point.n for points in curves.values() for point in points})
    figure.update_xaxes(title_text="n", type="log", tickvals=ticks, ticktext=[str(n) for n in ticks])
    figure.update_yaxes(title_text=y_title)
    rows: list[tuple[Any, ...]] = [
        ("", name, point.n, point.value, point.low, point.high)
        for name, points in curves.items()
        for point in points
    ]
    rows += [("", MOST, point.n, point.value) for point in best or ()]
    return with_points(figure, rows, along="n", value=y_title)


def _figure() -> go.Figure:
    import plotly.graph_objects as go

    from workbench.plots.theme import template

    return go.Figure(layout={"template": template()})


def _need(frame: pd.DataFrame, *columns: str | None) -> None:
    missing = [column for column in columns if column is not None and column not in frame.columns]
    if missing:
        raise SettingsError(
            got=f"no column {', '.join(missing)} in the table",
            needed=f"names among {', '.join(map(str, frame.columns))}",
            fix="name columns that the table has",
        )
