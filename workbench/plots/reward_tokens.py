"""One preference pair token by token: where two policies differ, and what a reward follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.core.errors import SettingsError
from workbench.plots.points import with_points
from workbench.plots.theme import INK, template

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["TokenView", "token_view"]

DIVERGING = ((0.0, "#e8935f"), (0.5, "#f7f7f5"), (1.0, "#7fb0dc"))
"""From less to more, white at no difference; told apart by the colour-blind too, and ink reads on both."""
TOKENS_A_LINE, LETTERS = 12, 9


class TokenView(NamedTuple):
    """One response of a pair, as `token_view` draws it."""

    title: str
    """What stands above it, such as `chosen, reward 1.31`."""
    tokens: Sequence[str]
    """The response's tokens as text."""
    values: Sequence[float]
    """A number each, such as the trained policy's log-probability less the untrained one's. Shape [tokens]."""


def token_view(views: Sequence[TokenView], *, what: str = "log pi - log ref") -> go.Figure:
    """Draw responses token by token, each token shaded by its value: where two policies differ.

    All responses share one scale, from minus the largest value to plus it.

    Args:
        views: The responses, such as chosen and rejected.
        what: What the values are.

    Raises:
        SettingsError: There is nothing to draw, or a response has not one value a token.
    """
    wrong = [f"{len(view.tokens)} tokens, {len(view.values)} values" for view in views if not _fits(view)]
    if not views or wrong:
        raise SettingsError(
            f"{len(views)} responses" + "".join(f", {one}" for one in wrong),
            "a value for each token",
            "align them",
        )
    from plotly.subplots import make_subplots

    lines = [-(-len(view.tokens) // TOKENS_A_LINE) for view in views]
    figure = make_subplots(
        rows=len(views),
        cols=1,
        subplot_titles=[_escaped(view.title) for view in views],
        row_heights=lines,
        vertical_spacing=min(0.3, 60 / (120 + 34 * sum(lines))),
    )
    limit = max(max(abs(float(value)) for value in view.values) for view in views) or 1.0
    for row, view in enumerate(views, start=1):
        figure.add_trace(_token_cells(view, what, shown=row == 1), row=row, col=1)
    axes: dict[str, Any] = {"visible": False, "showgrid": False}
    figure.update_xaxes(**axes, range=[-0.5, TOKENS_A_LINE - 0.5])
    figure.update_yaxes(**axes, autorange="reversed")
    figure.update_annotations(x=0, xanchor="left", font={"size": 13, "color": INK})
    figure.update_layout(
        template=template(),
        height=110 + 34 * sum(lines) + 40 * len(views),
        coloraxis={
            "colorscale": list(DIVERGING),
            "cmin": -limit,
            "cmax": limit,
            "colorbar": {"title": {"text": what}, "thickness": 12},
        },
    )
    points = [
        (view.title, "", f"{number}. {_visible(token)}", float(value))
        for view in views
        for number, (token, value) in enumerate(zip(view.tokens, view.values, strict=True), start=1)
    ]
    return with_points(figure, points, along="token", value=what)


def _token_cells(view: TokenView, what: str, *, shown: bool) -> go.Heatmap:
    """Return a response's tokens as cells of a map, a line after another."""
    import plotly.graph_objects as go

    def lines(values: Sequence[Any], nothing: Any) -> list[list[Any]]:
        rows = [list(values[k : k + TOKENS_A_LINE]) for k in range(0, len(values), TOKENS_A_LINE)]
        return [row + [nothing] * (TOKENS_A_LINE - len(row)) for row in rows]

    return go.Heatmap(
        z=lines([float(value) for value in view.values], None),
        text=lines([_escaped(_short(_visible(token))) for token in view.tokens], ""),
        customdata=lines([_escaped(_visible(token)) for token in view.tokens], ""),
        texttemplate="%{text}",
        textfont={"color": INK, "size": 12},
        hovertemplate=f"%{{customdata}}: {what} %{{z:+.3f}}<extra></extra>",
        hoverongaps=False,
        xgap=2,
        ygap=2,
        coloraxis="coloraxis",
        showscale=shown,
    )


def _visible(token: str) -> str:
    """Return a token as one can see it: line ends and tabs by their marks, a space before a word as a dot."""
    text = token.replace("\n", "⏎").replace("\t", "⇥")
    return ("·" + text[1:] if text.startswith(" ") else text) or "∅"


def _short(text: str) -> str:
    """Return a text that fits into its cell; the whole one shows under the mouse."""
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"


def _escaped(text: str) -> str:
    """Return a text that plotly does not read as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fits(view: TokenView) -> bool:
    return len(view.tokens) == len(view.values) > 0
