"""Two programs side by side, with what differs between them marked."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from workbench.explore.markup import Markup, columns, escape, listing, panel

__all__ = ["marked_differences", "side_by_side"]

MINE, THEIRS = "#ffe2a8", "#cfe6fb"
"""Grounds of what only the first, and only the second program has; ink reads on both."""
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def side_by_side(answer: str, reference: str, *, line: int | None = None) -> Markup:
    """Return an answer and its reference side by side.

    Args:
        answer: The program that was written.
        reference: A right one; empty where there is none.
        line: 1-based line of the answer that is pointed at.
    """
    if not reference:
        return panel("Answer", listing([escape(one) for one in answer.split("\n")], marked=line))
    mine, theirs = marked_differences(answer, reference)
    return columns(
        panel("Answer (yellow: only here)", listing(mine, marked=line)),
        panel("Reference (blue: only here)", listing(theirs)),
    )


def marked_differences(first: str, second: str) -> tuple[list[Markup], list[Markup]]:
    """Return the lines of two programs with what the other one lacks marked, word by word.

    Args:
        first: A program.
        second: Another one.

    Returns:
        Markup of the lines of each; a line that both have is unmarked.
    """
    ours, others = first.split("\n"), second.split("\n")
    mine, theirs = [escape(line) for line in ours], [escape(line) for line in others]
    matcher = SequenceMatcher(None, [line.strip() for line in ours], [line.strip() for line in others], False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        for k in range(max(b - a, d - c)):
            left = ours[a + k] if a + k < b else None
            right = others[c + k] if c + k < d else None
            if left is not None:
                mine[a + k] = _marked(left, right or "", MINE)
            if right is not None:
                theirs[c + k] = _marked(right, left or "", THEIRS)
    return mine, theirs


def _marked(line: str, other: str, ground: str) -> Markup:
    """Return a line with the words marked that another line does not have at that place."""
    words, others = _WORDS.findall(line), _WORDS.findall(other)
    pieces = []
    for kind, a, b, _, _ in SequenceMatcher(None, words, others, False).get_opcodes():
        text = escape("".join(words[a:b]))
        if kind != "equal" and (said := text.strip()):
            mark = f'<mark style="background: {ground}; color: inherit; border-radius: 3px">{said}</mark>'
            text = text.replace(said, mark)
        pieces.append(text)
    return "".join(pieces)
