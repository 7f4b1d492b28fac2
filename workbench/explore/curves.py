"""Training logs as curves: which metrics belong together, as an interactive figure and as a small drawing."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError
from workbench.explore.markup import Markup, escape
from workbench.plots.theme import COLORS, FONT, INK, MUTED, RULE, line_style
from workbench.store.reading import check_closed

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Panel", "curves_figure", "curves_picture", "panels_of", "read_logs"]

Rows = Sequence[Mapping[str, Any]]
Points = tuple[list[float], list[float]]

_TITLES = {
    "loss": "loss", "reward_loss": "loss", "policy_loss": "loss", "value_loss": "loss",
    "accuracy": "accuracy", "policy_accuracy": "accuracy", "agreement": "accuracy",
    "reward": "reward", "margin": "reward", "kl": "KL to the reference policy, nats", "length": "length, tokens",
    "gate_rate": "share that passes the gate",
    "tokens_per_second": "tokens a second", "steps_per_second": "steps a second",
}  # fmt: skip
"""Metrics that are drawn, and the panel that each belongs to; `score_NAME` is drawn beside the reward."""
WIDTH, HEIGHT = 300, 190


@dataclass(frozen=True)
class Panel:
    """Curves that share an axis."""

    title: str
    curves: Mapping[str, Points]
    """Steps and values by the curve's name."""


def read_logs(source: Any) -> dict[str, Rows]:
    """Find the logs of trainings.

    Args:
        source: Rows of a log (`step`, and metrics by name); what a training returned; a folder with a training in
            it, or with several below it; or any of these by the names to call them.

    Raises:
        DataError: There is no log.
        RunError: A link leads out of the folder.
    """
    if isinstance(source, Mapping):
        return {
            f"{name}, {inner}" if inner else str(name): rows
            for name, one in source.items()
            for inner, rows in read_logs(one).items()
        }
    if hasattr(source, "log"):
        return {"": list(source.log)}
    if isinstance(source, list | tuple):
        return {"": source}
    from workbench.training.folder import read_log

    folder = Path(getattr(source, "folder", source)).expanduser()
    check_closed(folder)
    files = sorted(folder.rglob("training_log.jsonl"))
    found = {str(file.parent.relative_to(folder)): read_log(file) for file in files}
    if not found:
        raise DataError(
            got=f"no training_log.jsonl in {folder}",
            needed="the folder of a training, what it returned, or the rows of its log",
            fix="name the folder that `train_reward_model` or `train_policy` was given",
        )
    return {"" if name == "." else name: rows for name, rows in found.items()}


def panels_of(logs: Mapping[str, Rows]) -> list[Panel]:
    """Put the metrics of some logs into panels, in the order of the table above.

    Of one training every metric is a curve. Of several, so that they can be told apart, each panel shows one metric
    of each: the first of the table that the training has logged.

    Args:
        logs: By the name of the training.
    """
    panels: dict[str, dict[str, Points]] = {title: {} for title in dict.fromkeys(_TITLES.values())}
    for name, rows in logs.items():
        by_panel: dict[str, dict[str, Points]] = {}
        for row in rows:
            for metric, value in row.items():
                title = _panel_of(metric)
                if title is None or not isinstance(value, int | float) or not math.isfinite(value):
                    continue
                steps, values = by_panel.setdefault(title, {}).setdefault(metric, ([], []))
                step = row.get("step")
                steps.append(float(step if isinstance(step, int | float) else len(steps)))
                values.append(float(value))
        for title, found in by_panel.items():
            if len(logs) == 1:
                panels[title] |= {_words(metric): points for metric, points in found.items()}
            else:
                panels[title][name] = found[min(found, key=_rank)]
    return [Panel(title, curves) for title, curves in panels.items() if curves]


def curves_figure(panels: Sequence[Panel], *, live: bool = False) -> go.Figure:
    """Draw panels side by side, two or three in a row.

    Args:
        panels: From `panels_of`.
        live: Return a `FigureWidget`, which can be changed while it is shown.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    from workbench.plots.theme import template

    across = 2 if len(panels) in (2, 4) else min(3, max(1, len(panels)))
    rows = max(1, -(-len(panels) // across))
    figure = make_subplots(
        rows=rows, cols=across, subplot_titles=[one.title for one in panels],
        horizontal_spacing=0.07, vertical_spacing=0.17 if rows > 1 else 0,
    )  # fmt: skip
    names = list(dict.fromkeys(name for panel in panels for name in panel.curves))
    for place, panel in enumerate(panels):
        for name, (steps, values) in panel.curves.items():
            figure.add_scatter(
                x=steps,
                y=values,
                name=name,
                legendgroup=name,
                showlegend=name not in {trace.name for trace in figure.data},
                mode="lines+markers" if len(steps) < 3 else "lines",
                line=line_style(names.index(name)),
                row=place // across + 1,
                col=place % across + 1,
            )
    figure.update_annotations(font={"size": 13, "color": INK})
    legend = {"orientation": "h", "x": 0, "y": -0.3 / rows, "yanchor": "top"}
    figure.update_layout(template=template(), legend=legend, height=100 + 220 * rows, margin={"t": 30})
    if not live:
        return figure
    widget = go.FigureWidget(figure)
    widget._config = {"responsive": True, "displaylogo": False}
    return widget


def curves_picture(panels: Sequence[Panel]) -> Markup:
    """Return the panels as small drawings that need no script, each with its last values in words."""
    shown = []
    names = list(dict.fromkeys(name for panel in panels for name in panel.curves))
    for panel in panels:
        colors = {name: COLORS[names.index(name) % len(COLORS)] for name in panel.curves}
        last = "; ".join(f"{name} {values[-1]:.3g}" for name, (_, values) in panel.curves.items())
        drawing = base64.b64encode(_drawing(panel, colors).encode()).decode()
        image = f'<img alt="{escape(f"{panel.title}, at last: {last}")}" src="data:image/svg+xml;base64,{drawing}">'
        shown.append(
            f'<div style="display: inline-block; vertical-align: top; margin: 0 12px 8px 0">{image}</div>'
        )
    return "".join(shown)


def _drawing(panel: Panel, colors: Mapping[str, str]) -> str:
    """Draw one panel as SVG: axes with their ends named, the curves, the legend below."""
    lows, highs = (
        _ends(steps for steps, _ in panel.curves.values()),
        _ends(v for _, v in panel.curves.values()),
    )
    left, top, right, bottom = 44, 26, WIDTH - 8, HEIGHT - 24

    def place(step: float, value: float) -> str:
        x = left + (step - lows[0]) / (lows[1] - lows[0]) * (right - left)
        y = bottom - (value - highs[0]) / (highs[1] - highs[0]) * (bottom - top)
        return f"{x:.1f},{y:.1f}"

    text = f'font-family="{escape(FONT)}" font-size="11" fill="{MUTED}"'
    legend = "".join(
        f'<text x="{left}" y="{HEIGHT + 8 + 15 * k}" {text}>'
        f'<tspan fill="{color}" font-weight="700">— </tspan>{escape(name)}</text>'
        for k, (name, color) in enumerate(colors.items())
    )
    lines = "".join(
        f'<polyline fill="none" stroke="{colors[name]}" stroke-width="2" stroke-linejoin="round" points="'
        + " ".join(place(*point) for point in zip(steps, values, strict=True))
        + '"/>'
        for name, (steps, values) in panel.curves.items()
    )
    frame = f'<path d="M{left},{top}V{bottom}H{right}" fill="none" stroke="{RULE}"/>'
    titles = (
        f'<text x="{left}" y="14" {text.replace(MUTED, INK)} font-weight="600">{escape(panel.title)}</text>'
    )
    for value, y in ((highs[1], top + 4), (highs[0], bottom)):
        titles += f'<text x="{left - 6}" y="{y}" text-anchor="end" {text}>{value:.3g}</text>'
    for value, x, anchor in ((lows[0], left, "start"), (lows[1], right, "end")):
        titles += f'<text x="{x}" y="{bottom + 15}" text-anchor="{anchor}" {text}>{value:.6g}</text>'
    height = HEIGHT + 4 + 15 * len(colors)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">'
        f"{frame}{titles}{lines}{legend}</svg>"
    )


def _ends(columns: Iterable[Sequence[float]]) -> tuple[float, float]:
    """Return the least and the largest value, a little apart where there is but one."""
    values = [value for column in columns for value in column]
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _panel_of(metric: str) -> str | None:
    bare = metric.removeprefix("eval_")
    return "reward" if bare.startswith("score_") else _TITLES.get(bare)


def _rank(metric: str) -> int:
    """Return how telling a metric is: its place in the table, behind all of them where it is not there."""
    return list(_TITLES).index(metric) if metric in _TITLES else len(_TITLES)


def _words(metric: str) -> str:
    """Return a metric as a reader would say it."""
    bare = metric.removeprefix("eval_")
    said = bare.removeprefix("score_").replace("_", " ")
    return f"{said} (held out)" if bare != metric else said
