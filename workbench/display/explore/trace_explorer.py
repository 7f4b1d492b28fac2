"""The trace explorer: the rounds of one problem, step by step: query, finds, prompt, program, error, soup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.display.explore.markup import (
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
from workbench.display.explore.presence import present
from workbench.display.explore.traces import Trace, load_traces

if TYPE_CHECKING:
    from ipywidgets import Widget

    from workbench.retrieval.trace import Found, Step

__all__ = ["explore_traces", "step_page", "telling_problem", "trace_explorer"]

_SOURCES = {
    "documentation": "documentation",
    "execution_feedback": "error of an earlier program",
    "code_snippets": "program that ran",
    "web_search": "web page",
}


def explore_traces(source: Any, *, data: Any = None, trace: str = "") -> None:
    """Step through the rounds of an active loop, problem by problem.

    Args:
        source: A run's folder or anything else that `load_traces` takes.
        data: Problems and documentation, where the source does not tell how to load them again.
        trace: Begin with the first trace whose name starts like this.

    Raises:
        DataError: There is no trace.
    """
    traces = load_traces(source, data=data)
    first = next((one for one in traces if one.name.startswith(trace)), traces[0])
    problem = telling_problem(first)
    steps = first.histories[problem]
    present(
        f"Trace explorer: {first.name}",
        "".join(step_page(first, step) for step in steps[-1:]),
        lambda: trace_explorer(traces, first),
        text=f"Trace explorer: {first.name}; problem {problem} in {len(steps)} rounds",
    )


def telling_problem(trace: Trace) -> str:
    """Return the problem to begin with: the one that was solved in most rounds, else the one with most rounds."""
    histories = trace.histories
    solved = [name for name, steps in histories.items() if trace.passed(steps[-1])]
    return max(solved or histories, key=lambda name: len(histories[name]))


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
        parts.append(panel(f"1. The soup is asked with the {step.query_kind}", asked))
    parts.append(panel("2. What it gives", _finds(trace, step)))
    parts.append(panel("3. The prompt", _prompt(trace, step)))
    program = panel("4. The program", listing(_lines(step.code), marked=step.outcome.line))
    parts.append(columns(program, panel("5. What comes of it", _outcome(trace, step))))
    return "".join(parts)


def trace_explorer(traces: Sequence[Trace], first: Trace | None = None) -> Widget:
    """Return the widget.

    Args:
        traces: What to explore.
        first: The one to begin with.
    """
    return _Explorer(traces, first or traces[0]).whole


class _Explorer:
    """The state of one widget: the trace, the problem and the round that are open."""

    def __init__(self, traces: Sequence[Trace], first: Trace) -> None:
        import ipywidgets as w

        auto = {"description_width": "auto"}
        self.trace = w.Dropdown(
            options=[(one.name, one) for one in traces], value=first, description="loop", style=auto,
            layout={"flex": "2 1 260px", "width": "auto"},
        )  # fmt: skip
        self.ending = w.Dropdown(
            options=["all", *_ENDINGS],
            description="ending",
            style=auto,
            layout={"flex": "1 1 160px", "width": "auto"},
        )
        self.problem = w.Dropdown(
            description="problem", style=auto, layout={"flex": "2 1 260px", "width": "auto"}
        )
        self.round = w.ToggleButtons(style={"button_width": "96px"})
        self.page = w.HTML(layout={"width": "auto"})
        self._filling = False
        self.whole = w.VBox(
            [
                w.HBox([self.trace, self.ending, self.problem], layout={"flex_flow": "row wrap"}),
                self.round,
                self.page,
            ]
        )
        self.whole.add_class("explore-traces")
        self.trace.observe(lambda _: self.list_problems(), "value")
        self.ending.observe(lambda _: self.list_problems(), "value")
        self.problem.observe(self._when_chosen(self.list_rounds), "value")
        self.round.observe(self._when_chosen(self.open), "value")
        self.list_problems(telling_problem(first))

    def _when_chosen(self, act: Callable[[], None]) -> Callable[[Any], None]:
        """Return what to do when the user chooses, and not when a list is being filled."""

        def chosen(_: Any) -> None:
            if not self._filling:
                act()

        return chosen

    def list_problems(self, wanted: str | None = None) -> None:
        """List the problems of the trace that end as wanted, and open one."""
        trace, wanted = self.trace.value, wanted or self.problem.value
        names = [
            name
            for name, steps in trace.histories.items()
            if self.ending.value in ("all", _ending(trace, steps[-1]))
        ]
        self._filling = True
        self.problem.options = [
            (f"{_symbol(trace, trace.histories[name][-1])} {name}, {len(trace.histories[name])} rounds", name)
            for name in names
        ]
        self.problem.value = wanted if wanted in names else next(iter(names), None)
        self._filling = False
        self.list_rounds()

    def list_rounds(self) -> None:
        """List the rounds of the problem, and open the last one."""
        steps = self.trace.value.histories.get(self.problem.value, [])
        self._filling = True
        self.round.options = [
            (f"round {step.round} {_symbol(self.trace.value, step)}", step) for step in steps
        ]
        self.round.value = steps[-1] if steps else None
        self._filling = False
        self.open()

    def open(self) -> None:
        """Show the round that is chosen."""
        step = self.round.value
        self.page.value = (
            note("No problem ends like that.")
            if step is None
            else step_page(self.trace.value, step, rounds=False)
        )


_ENDINGS = {"passed": "good", "silent failure": "maybe", "raised": "bad", "ran": "plain"}


def _ending(trace: Trace, step: Step) -> str:
    """Return how a step ended: `ran` where nobody knows yet whether its program is right."""
    if not step.outcome.ran:
        return "raised"
    return {True: "passed", False: "silent failure", None: "ran"}[trace.passed(step)]


def _symbol(trace: Trace, step: Step) -> str:
    return {"passed": "✓", "silent failure": "~", "raised": "✗", "ran": "·"}[_ending(trace, step)]


def _rounds(trace: Trace, here: Step) -> Markup:
    """Return the rounds as a row of badges; the one that is open is framed."""
    shown = []
    for step in trace.histories[here.problem_id]:
        ending = _ending(trace, step)
        mark = badge(f"round {step.round}: {ending}", _ENDINGS[ending])
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


def _known(trace: Trace, one: Found) -> tuple[str, str]:
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
    ending = _ending(trace, step)
    told = badge(ending, _ENDINGS[ending])
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
