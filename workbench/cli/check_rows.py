"""A check in columns on a terminal: its state, its name, what was found, and what to do."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workbench.doctor import Check

__all__ = ["MARKS", "check_row", "terminal_width"]

MARKS = {"ok": "✓", "missing": "○", "note": "!", "broken": "✕"}
"""By state of a check."""
_NAME_WIDTH = 21
_NARROWEST, _WIDEST = 60, 110
_COLOURS = {"ok": "green", "missing": "bright_black", "note": "yellow", "broken": "red"}


def terminal_width() -> int:
    """Return how wide rows may be."""
    return min(max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST), _WIDEST)


def check_row(check: Check, width: int) -> str:
    """Lay out a check in columns: state, name, what was found, and below it what to do."""
    state = f"{_mark(check.state)} {check.state:<8}"
    left = f"  {state} {check.name:<{_NAME_WIDTH}} "
    margin = " " * len(left)

    def wrapped(text: str, first: str, further: str) -> str:
        return textwrap.fill(
            text, width, initial_indent=first, subsequent_indent=further,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip

    rows = [wrapped(" ".join(check.detail.split()), left, margin)]
    if check.fix:
        rows.append(wrapped(check.fix, f"{margin}fix: ", f"{margin}     "))
    text = "\n".join(rows)
    return "  " + click.style(state, fg=_COLOURS[check.state]) + text[2 + len(state) :]


def _mark(state: str) -> str:
    """Return the sign of a state; none where the terminal cannot show it, for the word says the same."""
    mark = MARKS[state]
    try:
        mark.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return " "
    return mark
