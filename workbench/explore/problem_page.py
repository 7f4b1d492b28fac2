"""One answer as a picture: question, answer and reference side by side, verdict, figures."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.explore.attempts import Attempt
from workbench.explore.differences import side_by_side
from workbench.explore.markup import Markup, badge, columns, escape, listing, note, panel
from workbench.explore.rerun import Rerun

if TYPE_CHECKING:
    pass

__all__ = ["KINDS", "attempt_page"]

KINDS = {"passed": "good", "skipped": "plain", "silent": "maybe"}
"""The badge of a status, where it is not that of a failure."""


def attempt_page(
    attempt: Attempt,
    *,
    rerun: Rerun | None = None,
    figures: tuple[Sequence[bytes], Sequence[bytes]] | None = None,
) -> Markup:
    """Return the picture of one attempt.

    Args:
        attempt: The attempt; with `rerun`, its answer is the edited one.
        rerun: What came of running it again.
        figures: What the answer and the reference draw.
    """
    shown = attempt
    if rerun is not None:
        shown = replace(
            attempt, status=rerun.status, stage=rerun.stage, message=rerun.message, line=rerun.line
        )
    facts = " · ".join(filter(None, (attempt.library, attempt.kind, attempt.generator)))
    sample = f", sample {attempt.sample}" if attempt.sample else ""
    head = f"<b>Problem {escape(attempt.problem_id)}{sample}</b> &nbsp; {escape(facts)}"
    parts = [
        f'<div style="margin: 0 0 10px">{head}</div>',
        panel("Verdict after your edit" if rerun else "Verdict", _verdict(shown)),
        panel(
            "Question", listing([escape(line) for line in attempt.prompt.strip().split("\n")], numbered=False)
        ),
        side_by_side(shown.answer, attempt.reference, line=shown.line),
    ]
    if figures is not None and any(figures):
        titles = ("The answer draws", "The reference draws")
        parts.append(
            columns(*(panel(title, _images(some)) for title, some in zip(titles, figures, strict=True)))
        )
    return "".join(parts)


def _verdict(attempt: Attempt) -> Markup:
    """Return the verdict in a line, and below it what it says where that is longer."""
    places = (attempt.stage and f"in {attempt.stage}", attempt.line and f"line {attempt.line}")
    told = f"{badge(attempt.status, KINDS.get(attempt.status, 'bad'))} &nbsp; "
    told += escape(", ".join(str(place) for place in places if place))
    lines = [escape(line) for line in attempt.message.strip().split("\n")]
    if not attempt.message.strip():
        return told
    return f'{told}<div style="margin-top: 6px">{listing(lines, numbered=False)}</div>'


def _images(figures: Iterable[bytes]) -> Markup:
    shown = [
        f'<img alt="figure {k}" style="max-width: 100%" src="data:image/png;base64,{base64.b64encode(one).decode()}">'
        for k, one in enumerate(figures, start=1)
    ]
    return "".join(shown) or note("nothing")
