"""One round of an active loop as a picture: query, finds, prompt, program, error, what entered the soup."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from workbench.explore.markup import (
    Markup,
    badge,
    bar,
    columns,
    escape,
    listing,
    note,
    panel,
    table,
)
from workbench.explore.traces import Trace

if TYPE_CHECKING:
    from workbench.retrieval.trace import Retrieved, Step

__all__ = ["ENDINGS", "ending_of", "step_page", "symbol_of"]

_SOURCES = {
    "documentation": "documentation",
    "execution_feedback": "error of an earlier program",
    "code_snippets": "program that ran",
    "web_search": "web page",
}


def step_page(trace: Trace, step: Step, *, rounds: bool = True) -> Markup:
    """Return the picture of one round of one problem.

    Args:
        trace: The trace.
        step: One of its steps.
        rounds: Show which rounds there are; a widget has buttons for that.
    """
    problem = trace.knowledge.problems.get(step.problem_id)
    facts = " · ".join(filter(None, (problem.library if problem else "", trace.name)))
    parts = [
        f'<div style="margin: 0 0 10px"><b>Problem {escape(step.problem_id)}</b> &nbsp; {escape(facts)}</div>',
    ]
    if rounds:
        parts.append(panel("Rounds", _rounds(trace, step)))
    if problem is not None:
        parts.append(panel("Task", listing(_lines(problem.question), numbered=False)))
    if step.query:
        asked = listing([escape(line) for query in step.query for line in query.split("\n")], numbered=False)
        parts.append(panel(f"1. Retrieval, query: {step.query_kind}", asked))
    parts.append(panel("2. What it gives", _finds(trace, step)))
    parts.append(panel("3. The prompt", _prompt(trace, step)))
    program = panel("4. The program", listing(_lines(step.code), marked=step.outcome.line))
    parts.append(columns(program, panel("5. What comes of it", _outcome(trace, step))))
    return "".join(parts)


ENDINGS = {"passed": "good", "silent failure": "maybe", "raised": "bad", "ran": "plain"}
"""How steps end, and the badge of each."""


def ending_of(trace: Trace, step: Step) -> str:
    """Return how a step ended: `ran` where nobody knows yet whether its program is right."""
    if not step.outcome.ran:
        return "raised"
    return {True: "passed", False: "silent failure", None: "ran"}[trace.passed(step)]


def symbol_of(trace: Trace, step: Step) -> str:
    """Return how a step ended, as a sign."""
    return {"passed": "✓", "silent failure": "~", "raised": "✗", "ran": "·"}[ending_of(trace, step)]


def _rounds(trace: Trace, here: Step) -> Markup:
    """Return the rounds as a row of badges; the one that is open is framed."""
    shown = []
    for step in trace.histories[here.problem_id]:
        ending = ending_of(trace, step)
        mark = badge(f"round {step.round}: {ending}", ENDINGS[ending])
        frame = (
            "outline: 2px solid currentColor; outline-offset: 1px; border-radius: 10px"
            if step is here
            else ""
        )
        shown.append(f'<span style="margin: 0 7px 0 3px; {frame}">{mark}</span>')
    return f'<div style="line-height: 2.1">{"".join(shown)}</div>'


def _finds(trace: Trace, step: Step) -> Markup:
    """Return what was retrieved: whether the prompt shows it, where it comes from, its score."""
    if not step.found:
        return note("nothing: this round does not retrieve")
    problem = trace.knowledge.problems.get(step.problem_id)
    needed = set(problem.gold_documents) if problem else set()
    reasons = {one.piece: one.reason for one in step.dropped}
    rows = []
    for one in step.found:
        said, origin = _known(trace, one)
        fate = (
            badge("in the prompt", "good") if one.id in step.shown else badge(reasons.get(one.id, "left out"))
        )
        star = " ★" if one.parent in needed else ""
        score = "given" if one.score is None else f"{one.score:.2f}"
        rows.append(
            (fate, escape(_SOURCES.get(one.source, one.source)), f"<b>{escape(one.title)}</b>{star}",
             escape(score), f"<code>{escape(_short(said))}</code>", escape(origin))
        )  # fmt: skip
    heads = ("", "source", "title", "score", "what it says", "from")
    stars = any(one.parent in needed for one in step.found)
    return table(heads, rows, right=(3,)) + (
        note("★ a document that the right program needs") if stars else ""
    )


def _known(trace: Trace, one: Retrieved) -> tuple[str, str]:
    """Return what a piece says and where it comes from, as far as that is known."""
    item, left_by = trace.knowledge.items.get(one.id), trace.growth.get(one.id)
    if left_by is not None and (item is None or not item.provenance):
        said = left_by.outcome.message if one.source == "execution_feedback" else left_by.code
        return (item.content if item else said), f"problem {left_by.problem_id}, round {left_by.round}"
    return (item.content, item.provenance or one.id) if item else (one.title, one.id)


def _prompt(trace: Trace, step: Step) -> Markup:
    budget = trace.prompt_budget
    room = (
        bar({"prompt": step.prompt_tokens}, budget, "tokens")
        if budget
        else note(f"{step.prompt_tokens} tokens")
    )
    left_out = "".join(note(f"{one.piece}: {one.reason}") for one in step.dropped)
    return (
        f'{room}<div style="margin-top: 6px">{listing(_lines(step.prompt), numbered=False)}</div>{left_out}'
    )


def _outcome(trace: Trace, step: Step) -> Markup:
    """Return how the program ended, and what it put into the soup."""
    ending = ending_of(trace, step)
    told = badge(ending, ENDINGS[ending])
    if step.outcome.message:
        told += f'<div style="margin-top: 6px">{listing(_lines(step.outcome.message), numbered=False)}</div>'
    elif ending == "silent failure":
        told += note("It ran, and is wrong: nothing in the loop can notice.")
    counts = Counter(one.partition(":")[0] for one in step.grown)
    grown = ", ".join(f"{number} × {_SOURCES.get(source, source)}" for source, number in counts.items())
    return (
        told + f'<div style="margin-top: 10px"><b>Into the soup:</b> {escape(grown or "nothing new")}</div>'
    )


def _lines(text: str) -> list[Markup]:
    return [escape(line) for line in text.strip("\n").split("\n")]


def _short(text: str, most: int = 90) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
