"""Answers as pictures: their parts coloured by what rewards say of them, each with its number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from workbench.explore.inspections import (
    Example,
    Inspection,
    Strip,
)
from workbench.explore.markup import MONO, Markup, badge, columns, escape, listing, panel

if TYPE_CHECKING:
    pass

__all__ = ["example_page"]

MORE, LESS = (31, 96, 152), (214, 112, 47)
"""Blue for what raises a reward, orange for what lowers it: the colour-blind tell them apart, ink reads on both."""


def example_page(example: Example, answers: Mapping[str, Inspection] | None = None) -> Markup:
    """Return the picture of an example.

    Args:
        example: A prompt with answers.
        answers: Its answers, and a typed one; the example's if None.
    """
    shown = answers or example.answers
    limits = _limits(shown.values())
    prompt = panel(
        "Prompt", listing([escape(line) for line in example.prompt.strip().split("\n")], numbered=False)
    )
    return (
        prompt
        + _margin(shown)
        + columns(*(_answer(name, one, limits) for name, one in shown.items()))
        + _legend()
    )


def _answer(name: str, one: Inspection, limits: Mapping[str, float]) -> Markup:
    """Return one answer: its numbers, then the strips."""
    numbers = " &nbsp; ".join(f"{escape(key)} <b>{value:+.3f}</b>" for key, value in one.scores.items())
    strips = "".join(panel(strip.name, _strip(strip, limits.get(strip.name, 1.0))) for strip in one.strips)
    head = f'<div style="font-weight: 600; font-size: 14px">{escape(name)}</div>'
    return f'<div style="margin: 0 0 6px">{head}<div style="margin: 2px 0 10px">{numbers}</div>{strips}</div>'


def _strip(strip: Strip, limit: float) -> Markup:
    """Return the pieces of a strip, each on a ground as strong as its value, with the value below it."""
    cells = []
    for text, value in strip.pieces:
        said = escape(_visible(text) if strip.tokens else text)
        if value is None and not text.strip():
            cells.append(said)
            continue
        number = "" if value is None else _signed(value)
        ground = "" if value is None else f"background: {_ground(value / limit)}; "
        look = f"{ground}display: inline-block; vertical-align: top; border-radius: 4px"
        look += "; padding: 1px 5px 2px; margin: 2px 2px 2px 0"
        small = (
            f'<div style="font-size: 10px; line-height: 1.2; min-height: 12px; color: #3c4653">{number}</div>'
        )
        cells.append(
            f'<span style="{look}"><span style="white-space: pre-wrap">{said.strip()}</span>{small}</span>'
        )
    font = MONO if strip.tokens else "inherit"
    return (
        f'<div style="font-family: {font}; font-size: {12 if strip.tokens else 13}px">{"".join(cells)}</div>'
    )


def _ground(share: float) -> str:
    """Return a colour: the sign gives the hue, the size how much of it."""
    red, green, blue = MORE if share > 0 else LESS
    return f"rgba({red}, {green}, {blue}, {0.04 + 0.5 * min(abs(share), 1.0):.2f})"


def _limits(shown: Iterable[Inspection]) -> dict[str, float]:
    """Return the largest value of each strip over all answers, so that they share one scale."""
    found: dict[str, float] = {}
    for one in shown:
        for strip in one.strips:
            values = [abs(value) for _, value in strip.pieces if value is not None]
            found[strip.name] = max([found.get(strip.name, 0.0), *values])
    return {name: value or 1.0 for name, value in found.items()}


def _margin(shown: Mapping[str, Inspection]) -> Markup:
    """Return, for a pair, which answer each score prefers."""
    if not {"chosen", "rejected"} <= shown.keys():
        return ""
    chosen, rejected = shown["chosen"].scores, shown["rejected"].scores
    told = []
    for name in (name for name in chosen if name in rejected):
        margin = chosen[name] - rejected[name]
        right = badge("prefers the chosen", "good") if margin > 0 else badge("prefers the rejected", "bad")
        told.append(f"{escape(name)}: {right} by {abs(margin):.3f}")
    return f'<div style="margin: 0 0 12px">{" &nbsp; ".join(told)}</div>'


def _legend() -> Markup:
    plus, minus = (
        f'<span style="background: {_ground(share)}; border-radius: 4px; padding: 1px 6px">{word}</span>'
        for share, word in ((1.0, "raises"), (-1.0, "lowers"))
    )
    return f'<div style="font-size: 12px">{plus} {minus} what the strip is called; the number is by how much.</div>'


def _visible(token: str) -> str:
    """Return a token as one can see it: the marks of spaces as dots, line ends by a sign."""
    return token.replace("Ġ", "·").replace("▁", "·").replace("Ċ", "⏎").replace("\n", "⏎") or "∅"


def _signed(value: float) -> str:
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text
