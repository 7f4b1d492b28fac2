"""The few pieces of HTML that all widgets are made of.

Every piece carries its own style and no script, so that it looks the same inside a live widget, in the saved output
of a notebook that JupyterLab does not trust, and in a page made by nbconvert.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from workbench.plots.theme import BLUE, FONT, INK, MUTED, PAGE, RULE

__all__ = [
    "MONO",
    "Markup",
    "badge",
    "bar",
    "card",
    "columns",
    "escape",
    "listing",
    "note",
    "panel",
    "table",
]

Markup = str
"""HTML that is safe to show: every text in it has gone through `escape`."""

MONO = "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_BADGES = {
    "good": (PAGE["yes_ink"], PAGE["yes_ground"], "✓"),
    "maybe": (PAGE["maybe_ink"], PAGE["maybe_ground"], "~"),
    "bad": (PAGE["no_ink"], PAGE["no_ground"], "✗"),
    "plain": (INK, "#eef1f4", ""),
}
_HEADING = f"font-size: 12px; font-weight: 600; color: {MUTED}; margin: 0 0 6px; line-height: 1.4"
_CELL = f"padding: 4px 12px 4px 0; border-bottom: 1px solid {RULE}; vertical-align: top; text-align: left"


def escape(text: object) -> Markup:
    """Return a value as text that cannot become markup."""
    return html.escape(str(text))


def card(body: Markup, *, title: str = "", name: str = "") -> Markup:
    """Return the frame that a widget's picture stands in; white in dark themes too, as the figures are.

    Args:
        body: What stands in it.
        title: Its heading.
        name: Its id in the page.
    """
    look = (
        f"background: #ffffff; color: {INK}; border: 1px solid {RULE}; border-radius: 8px; padding: 14px 16px"
    )
    look += f"; font-family: {FONT}; font-size: 13px; line-height: 1.5; margin: 4px 0; overflow-x: auto"
    heading = f'<div style="font-size: 15px; font-weight: 600; margin: 0 0 10px">{escape(title)}</div>'
    place = f' id="{escape(name)}"' if name else ""
    return f'<div{place} style="{look}">{heading if title else ""}{body}</div>'


def panel(title: str, body: Markup) -> Markup:
    """Return a part of a card under a small heading."""
    return f'<div style="margin: 0 0 14px"><div style="{_HEADING}">{escape(title)}</div>{body}</div>'


def columns(*parts: Markup) -> Markup:
    """Return parts side by side, one below the other where there is no room."""
    cells = "".join(f'<div style="flex: 1 1 320px; min-width: 0">{part}</div>' for part in parts)
    return f'<div style="display: flex; flex-wrap: wrap; gap: 0 20px">{cells}</div>'


def badge(text: str, kind: str = "plain") -> Markup:
    """Return a word on a coloured ground, with a symbol: colour is never all that tells.

    Args:
        text: The word.
        kind: good, maybe, bad or plain.
    """
    ink, ground, symbol = _BADGES[kind]
    look = f"display: inline-block; color: {ink}; background: {ground}; border-radius: 10px; padding: 1px 9px"
    look += "; font-size: 12px; font-weight: 600; white-space: nowrap"
    return f'<span style="{look}">{symbol} {escape(text)}</span>'


def note(text: str) -> Markup:
    """Return a line in a quiet colour."""
    return f'<div style="color: {MUTED}; margin: 2px 0">{escape(text)}</div>'


def listing(lines: Sequence[Markup], *, marked: int | None = None, numbered: bool = True) -> Markup:
    """Return lines of code or of a prompt.

    Args:
        lines: Markup of each line; see `escape`.
        marked: 1-based number of the line that is pointed at.
        numbered: Show the lines' numbers.
    """
    rows = []
    for number, line in enumerate(lines, start=1):
        here = number == marked
        look = f"background: {PAGE['no_ground']}" if here else ""
        edge = f"border-left: 3px solid {PAGE['no_ink'] if here else 'transparent'}"
        gutter = f"flex: none; width: 30px; text-align: right; padding-right: 10px; color: {MUTED}"
        mark = f'<span style="{gutter}">{"▶" if here else number}</span>' if numbered else ""
        rows.append(
            f'<div style="display: flex; {look}; {edge}">{mark}'
            f'<span style="white-space: pre-wrap; overflow-wrap: anywhere">{line or " "}</span></div>'
        )
    look = f"font-family: {MONO}; font-size: 12px; line-height: 1.55; background: #f7f8fa; border-radius: 6px"
    look += f"; padding: 8px 8px 8px {0 if numbered else 9}px"
    return f'<div style="{look}; max-height: 420px; overflow: auto">{"".join(rows)}</div>'


def table(heads: Sequence[str], rows: Iterable[Sequence[Markup]], *, right: Sequence[int] = ()) -> Markup:
    """Return a table.

    Args:
        heads: Headings of the columns.
        rows: Markup of the cells.
        right: Places of the columns that are flush right, such as numbers.
    """

    def look(place: int) -> str:
        return _CELL.replace("text-align: left", "text-align: right") if place in right else _CELL

    top = "".join(
        f'<th scope="col" style="{look(k)}; color: {MUTED}; font-weight: 600; font-size: 12px">{escape(head)}</th>'
        for k, head in enumerate(heads)
    )
    cells = ("".join(f'<td style="{look(k)}">{cell}</td>' for k, cell in enumerate(row)) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    look_all = "border-collapse: collapse; font-size: 13px; width: auto; border: none; margin: 0"
    return f'<table style="{look_all}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def bar(parts: Mapping[str, float], whole: float, unit: str) -> Markup:
    """Return a bar that shows how much of a budget is taken, and the numbers in words.

    Args:
        parts: What takes how much, in order.
        whole: The budget.
        unit: Of both, in the plural.
    """
    colors = (BLUE, "#3a8fc4", "#1d8567", "#a87900", "#8c5a9e")
    taken = sum(parts.values())
    scale = 100 / max(whole, taken, 1)
    cells = ""
    for k, (name, value) in enumerate(parts.items()):
        said = escape(f"{name}: {value:,.0f} {unit}")
        look = f"width: {scale * value:.2f}%; background: {colors[k % len(colors)]}"
        cells += f'<span title="{said}" style="display: inline-block; height: 12px; {look}"></span>'
    legend = ", ".join(f"{name} {value:,.0f}" for name, value in parts.items())
    frame = "background: #eef1f4; border-radius: 6px; overflow: hidden; height: 12px; line-height: 0"
    told = f"{taken:,.0f} of {whole:,.0f} {unit}" + (f": {legend}" if len(parts) > 1 else "")
    return f'<div role="img" aria-label="{escape(told)}" style="{frame}">{cells}</div>{note(told)}'
