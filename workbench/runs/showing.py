"""Showing things below a notebook's cell; in a plain script, as text."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkbenchError
from workbench.core.terminal import message, short, show_line
from workbench.runs.claims import verdict_words
from workbench.runs.report.values import interval_text, measured_text

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from workbench.runs.claims import Claim

__all__ = ["claim_text", "show_figure", "show_html", "show_table"]

_NUMBER = "{:.3g}"
_LEFT, _RIGHT = "text-align: left", "text-align: right; white-space: nowrap"
_LIKE_A_NUMBER = re.compile(r"[-+\u2212\d.,%\s±\[\]]*(e[-+]\d+)?$|\d+ of \d+$")
"""A number, an interval or a count of some; nothing is one too."""
_SAID: set[str] = set()
"""What was said of pictures that cannot be drawn."""


def show_html(markup: str, text: str) -> None:
    """Show markup in a notebook, and the text where there is none."""
    _show({"text/html": markup, "text/plain": text}, text)


def claim_text(claim: Claim) -> str:
    """Return a claim in a line: what was measured, with its interval, what it rests on, and the verdict.

    In a second line, what a kept table of more seeds says of it, where there is one.
    """
    basis = [f"n = {claim.n}"] if claim.n is not None else []
    basis += [f"{claim.seeds} seed{'s' if claim.seeds != 1 else ''}"] if claim.seeds is not None else []
    number = _number(claim.measured, claim.interval, claim.unit)
    measured = ", ".join([number, *basis]) if claim.measured is not None else "not measured"
    line = f"{claim.statement}: {measured} [{claim.verdict}]"
    if (kept := claim.kept) is None:
        return line
    said = verdict_words(kept.supported, kept.reason)
    number = _number(kept.measured, kept.interval, claim.unit)
    return f"{line}\n    kept table: {number}, {kept.seeds} seeds [{said}]; {kept.why}"


def _number(measured: Any, interval: tuple[float, float] | None, unit: str) -> str:
    return " ".join(filter(None, (measured_text(measured, unit), interval_text(interval, unit))))


def show_table(frame: pd.DataFrame, caption: str) -> None:
    """Show a table with its caption: words flush left, numbers and intervals flush right on one line."""
    numbered = any(label is not None for label in frame.index.names)
    markup = f"<p>{html.escape(caption)}</p>" + _table(frame.reset_index() if numbered else frame)
    looks = {"float_format": _NUMBER.format, "max_colwidth": 100}
    text = f"{caption}\n{frame.rename(index=_named, columns=_named).to_string(index=numbered, **looks)}"
    show_html(markup, text)


def _named(label: Any) -> Any:
    return short(label) if isinstance(label, str) else label


def _table(frame: pd.DataFrame) -> str:
    columns = [[_said(value) for value in frame.iloc[:, place].tolist()] for place in range(frame.shape[1])]
    looks = [_RIGHT if all(map(_LIKE_A_NUMBER.match, cells)) else _LEFT for cells in columns]
    heads = _row("th", map(str, frame.columns), looks)
    rows = "".join(_row("td", cells, looks) for cells in zip(*columns, strict=True))
    return f'<table class="dataframe"><thead>{heads}</thead><tbody>{rows}</tbody></table>'


def _row(tag: str, cells: Iterable[str], looks: Sequence[str]) -> str:
    shown = (
        f'<{tag} style="{look if tag == "td" else look.partition(";")[0]}">{html.escape(cell)}</{tag}>'
        for cell, look in zip(cells, looks, strict=True)
    )
    return f"<tr>{''.join(shown)}</tr>"


def _said(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return _NUMBER.format(value) if isinstance(value, float) else str(value)


def show_figure(figure: go.Figure, caption: str) -> None:
    """Show an interactive figure with its caption below it; a picture for places that draw no plotly, such as GitHub.

    Where no browser is there to draw it, that is said once.
    """
    import json

    text = f"[figure] {caption}"
    bundle = {"application/vnd.plotly.v1+json": json.loads(figure.to_json()), "text/plain": text}
    _show(bundle | _picture(figure), text)
    show_html(f"<p><em>{html.escape(caption)}</em></p>", "")


def _picture(figure: go.Figure) -> dict[str, str]:
    """Return a figure's PNG for a notebook; nothing in a plain script, or where it cannot be drawn."""
    from IPython import get_ipython

    if get_ipython() is None:
        return {}
    from workbench.plots.drawing import draw_png

    try:
        return {"image/png": base64.b64encode(draw_png(figure)).decode()}
    except WorkbenchError as fault:
        if fault.got not in _SAID:
            _SAID.add(fault.got)
            show_line(f"figures without a picture beside them: {fault.got}; {fault.fix}")
        return {}


def _show(bundle: dict[str, Any], text: str) -> None:
    """Hand a bundle to the running notebook, or print the text."""
    from IPython import get_ipython
    from IPython.display import display

    text = message(text)
    bundle |= {"text/plain": message(bundle["text/plain"])}
    if get_ipython() is not None:
        display(bundle, raw=True)
    elif text:
        print(text, flush=True)
