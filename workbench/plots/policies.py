"""Plots of trained policies: gain against KL, reward against oracle, win rates, and answers sentence by sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.core.errors import SettingsError
from workbench.plots.points import with_points
from workbench.plots.reward_tokens import DIVERGING
from workbench.plots.theme import COLORS, INK, MUTED, line_style, template
from workbench.plots.whiskers import whiskers

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from workbench.policies.frontier import HackingAlarm

__all__ = ["AnswerView", "answer_view", "frontier_plot", "hacking_plot", "win_map"]

WRAP = 22


def frontier_plot(frame: pd.DataFrame, *, y: str, x: str = "kl", y_title: str = "") -> go.Figure:
    """Draw the gain of policies against their KL: a dot per training run, and a line through each arm's means.

    An arm that was trained with several weights of the aspects has a mean for each, joined in the order of the
    weights.

    Args:
        frame: From `frontier`: columns `arm`, `weight`, `seed`, the distance and the gain.
        y: Column of the gain.
        x: Column of the distance.
        y_title: What the gain is; the column's name if empty.

    Raises:
        SettingsError: There is nothing to draw, or a column is missing.
    """
    import plotly.graph_objects as go

    missing = [name for name in ("arm", "weight", x, y) if name not in frame.columns]
    if missing or frame.empty:
        raise SettingsError(
            got=f"no column {', '.join(missing)}" if missing else "no rows",
            needed="a row for each training, as frontier returns them",
            fix="pass what frontier returned",
        )
    figure = go.Figure(layout={"template": template(), "height": 460})
    points: list[tuple[Any, ...]] = []
    for number, (arm, rows) in enumerate(frame.groupby("arm", sort=False)):
        color = COLORS[number % len(COLORS)]
        figure.add_scatter(
            name=str(arm), x=rows[x].tolist(), y=rows[y].tolist(), mode="markers",
            marker={"size": 5, "color": color, "opacity": 0.35},
            legendgroup=str(arm), showlegend=False, customdata=[_weighed(one) for one in rows["weight"]],
            hovertemplate=f"{arm}%{{customdata}}: %{{y:.3f}} at %{{x:.2f}} nats<extra></extra>",
        )  # fmt: skip
        means = rows.groupby("weight", dropna=False)[[x, y]].mean().reset_index()
        figure.add_scatter(
            name=str(arm), legendgroup=str(arm), x=means[x].tolist(), y=means[y].tolist(),
            mode="lines+markers+text" if len(means) > 1 else "markers",
            text=[f" {weight:g}" for weight in means["weight"]] if len(means) > 1 else None,
            textposition="middle right", textfont={"size": 10, "color": MUTED},
            marker={"size": 11, "color": color, "line": {"width": 1, "color": "#ffffff"}},
            line=line_style(number, 1.5),
            hovertemplate=f"{arm}, mean: %{{y:.3f}} at %{{x:.2f}} nats<extra></extra>",
        )  # fmt: skip
        points += [("", arm, *row) for row in rows[[x, y]].itertuples(index=False)]
        points += [("", f"{arm}, mean", *row) for row in means[[x, y]].itertuples(index=False)]
    along = "KL to the reference policy, nats per response"
    figure.update_xaxes(title_text=along, rangemode="tozero")
    figure.update_yaxes(title_text=y_title or y)
    figure.update_layout(legend={"y": -0.2, "yanchor": "top"})
    return with_points(figure, points, along=along, value=y_title or y)


def hacking_plot(alarms: Sequence[HackingAlarm], *, truth: str = "oracle") -> go.Figure:
    """Draw how each arm's reward and oracle changed in training; reward hacking is at the lower right.

    Args:
        alarms: From `hacking_alarm`; those of a single seed have no interval and are left out.
        truth: What the truth is called.

    Raises:
        SettingsError: None of them has an interval.
    """
    import plotly.graph_objects as go

    drawn = [
        (alarm, alarm.reward, alarm.truth)
        for alarm in alarms
        if alarm.reward is not None and alarm.truth is not None
    ]
    if not drawn:
        raise SettingsError("no changes with an interval", "at least one", "train with two seeds or more")
    figure = go.Figure(layout={"template": template(), "height": 460})
    for number, (one, reward, true) in enumerate(drawn):
        color = COLORS[number % len(COLORS)]
        figure.add_scatter(
            name=f"{one.arm} ({one.verdict})", x=[reward.value], y=[true.value], mode="markers",
            marker={"size": 11, "color": color},
            error_x=whiskers(*([end] for end in reward), color=color),
            error_y=whiskers(*([end] for end in true), color=color),
            hovertemplate=f"{one.arm}: reward %{{x:+.3f}}, {truth} %{{y:+.3f}}, hacked in {one.hacked} of "
            f"{one.seeds} seeds<extra></extra>",
        )  # fmt: skip
    for draw in (figure.add_hline, figure.add_vline):
        draw(0, line={"color": MUTED, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="change of the holistic reward, standard deviations")
    figure.update_yaxes(title_text=f"change of the {truth}")
    figure.update_layout(legend={"y": -0.2, "yanchor": "top"})
    points = [
        ("", alarm.arm, name, *change)
        for alarm, reward, true in drawn
        for name, change in (("holistic reward", reward), (truth, true))
    ]
    return with_points(figure, points, along="score", value="change")


def win_map(frame: pd.DataFrame) -> go.Figure:
    """Draw win rates of the row's arm against the column's, arms in the same order on both axes.

    Args:
        frame: Columns `arm`, `against` and `rate`, both ways round.

    Raises:
        SettingsError: A column is missing.
    """
    import pandas as pd

    from workbench.plots.charts import heatmap

    names = ["arm", "against", "rate"]
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise SettingsError(
            f"no column {', '.join(missing)}", f"columns {', '.join(names)}", "pass win rates"
        )
    arms = list(dict.fromkeys(frame["arm"]))
    # nobody meets itself: white, and there so that columns come in the order of the rows
    nobody = pd.DataFrame({"arm": arms, "against": arms, "rate": float("nan")})
    order = {arm: number for number, arm in enumerate(arms)}
    both = pd.concat([frame[names], nobody])
    both = both.sort_values(["arm", "against"], key=lambda column: column.map(order))
    figure = heatmap(both, x="against", y="arm", value="rate")
    figure.update_xaxes(title_text="loses")
    return figure.update_yaxes(title_text="wins")


class AnswerView(NamedTuple):
    """One answer, as `answer_view` draws it."""

    title: str
    """What stands above it, such as `before training, F1 0.50`."""
    sentences: Sequence[str]
    """Its parts, in order."""
    values: Sequence[Sequence[float | None]]
    """A row for each reward: its value for each sentence; None: it has none. Shape [rewards][sentences]."""


def answer_view(views: Sequence[AnswerView], rewards: Sequence[str]) -> go.Figure:
    """Draw answers with their sentences coloured by each reward: a row a reward, a column a sentence.

    Each row has a scale of its own, from minus its largest value to plus it, over all answers.

    Args:
        views: The answers, such as one before training and one after.
        rewards: Names of the rows.

    Raises:
        SettingsError: There is nothing to draw, or the values do not fit.
    """
    from plotly.subplots import make_subplots

    fits = all(
        len(view.values) == len(rewards) and all(len(row) == len(view.sentences) for row in view.values)
        for view in views
    )
    if not views or not rewards or not fits:
        raise SettingsError(
            got=f"{len(views)} answers, {len(rewards)} rewards"
            + ("" if fits else ", values of another shape"),
            needed="for each answer a row a reward, in it a value a sentence",
            fix="align them",
        )
    figure = make_subplots(
        rows=len(views),
        cols=1,
        subplot_titles=[view.title for view in views],
        vertical_spacing=0.34 / len(views),
    )
    columns = max(len(view.sentences) for view in views)
    limits = [
        max((abs(value) for view in views for value in view.values[row] if value is not None), default=0.0)
        or 1.0
        for row in range(len(rewards))
    ]
    for place, view in enumerate(views, start=1):
        figure.add_trace(_sentence_cells(view, rewards, limits, columns), row=place, col=1)
        labels = [_wrapped(sentence) for sentence in view.sentences]
        figure.update_xaxes(
            tickvals=list(range(len(labels))), ticktext=labels, range=[-0.5, columns - 0.5], showgrid=False,
            zeroline=False, ticks="", row=place, col=1,
        )  # fmt: skip
        figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False, ticks="", row=place, col=1)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13, "color": INK})
    figure.update_layout(
        template=template(),
        height=90 + len(views) * (110 + 30 * len(rewards)),
        coloraxis={"colorscale": list(DIVERGING), "cmin": -1, "cmax": 1, "showscale": False},
    )
    points = [
        (view.title, reward, f"{number}. {sentence}", value)
        for view in views
        for reward, row in zip(rewards, view.values, strict=True)
        for number, (sentence, value) in enumerate(zip(view.sentences, row, strict=True), start=1)
    ]
    return with_points(figure, points, along="sentence", value="value")


def _sentence_cells(
    view: AnswerView, rewards: Sequence[str], limits: Sequence[float], columns: int
) -> go.Heatmap:
    """Return an answer as cells; values are shown as they are, and shaded by their row's scale."""
    import plotly.graph_objects as go

    rest = columns - len(view.sentences)

    def padded(values: list[Any], nothing: Any) -> list[Any]:
        return values + [nothing] * rest

    return go.Heatmap(
        z=[
            padded([None if value is None else value / limit for value in row], None)
            for row, limit in zip(view.values, limits, strict=True)
        ],
        y=list(rewards),
        text=[padded(["" if value is None else f"{value:+.2f}" for value in row], "") for row in view.values],
        texttemplate="%{text}",
        textfont={"color": INK, "size": 12},
        hovertemplate="%{y}: %{text}<extra></extra>",
        hoverongaps=False,
        xgap=3,
        ygap=3,
        coloraxis="coloraxis",
    )


def _weighed(weight: float) -> str:
    """Return a dot's weight as text; NaN has none."""
    return "" if math.isnan(weight) else f", weight {weight:g}"


def _wrapped(text: str) -> str:
    """Return a sentence on lines of about `WRAP` letters, safe from plotly's markup; a long one loses its middle."""
    import textwrap

    lines = textwrap.wrap(text, WRAP) or ["∅"]
    kept = lines if len(lines) <= 4 else [*lines[:2], "…", lines[-1]]
    return "<br>".join(line.replace("&", "&amp;").replace("<", "&lt;") for line in kept)
