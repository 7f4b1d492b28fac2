"""The trace explorer: the rounds of one problem, step by step: query, finds, prompt, program, error, soup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.explore.markup import (
    note,
)
from workbench.explore.presence import present
from workbench.explore.trace_page import ENDINGS, ending_of, step_page, symbol_of
from workbench.explore.traces import Trace, load_traces

if TYPE_CHECKING:
    from ipywidgets import Widget


__all__ = ["example_problem", "explore_traces", "trace_explorer"]


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
    problem = example_problem(first)
    steps = first.histories[problem]
    present(
        f"Trace explorer: {first.name}",
        "".join(step_page(first, step) for step in steps[-1:]),
        lambda: trace_explorer(traces, first),
        text=f"Trace explorer: {first.name}; problem {problem} in {len(steps)} rounds",
    )


def example_problem(trace: Trace) -> str:
    """Return the problem to begin with: the one that was solved in most rounds, else the one with most rounds."""
    histories = trace.histories
    solved = [name for name, steps in histories.items() if trace.passed(steps[-1])]
    return max(solved or histories, key=lambda name: len(histories[name]))


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
            options=[(trace.name, trace) for trace in traces], value=first, description="loop", style=auto,
            layout={"flex": "2 1 260px", "width": "auto"},
        )  # fmt: skip
        self.ending = w.Dropdown(
            options=["all", *ENDINGS],
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
        self.list_problems(example_problem(first))

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
            if self.ending.value in ("all", ending_of(trace, steps[-1]))
        ]
        self._filling = True
        self.problem.options = [
            (
                f"{symbol_of(trace, trace.histories[name][-1])} {name}, {len(trace.histories[name])} rounds",
                name,
            )
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
            (f"round {step.round} {symbol_of(self.trace.value, step)}", step) for step in steps
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
