"""What happened in the rounds of an active loop, from whatever a run has left: what the trace explorer shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError
from workbench.explore.attempts import paper_folder
from workbench.explore.browsers import browsers
from workbench.store.reading import MALFORMED, check_closed, read_json

if TYPE_CHECKING:
    from workbench.datasets.coding_problem import CodingProblem
    from workbench.retrieval import ActiveResult, Item
    from workbench.retrieval.trace import Step

__all__ = ["Knowledge", "Trace", "load_traces", "reader", "traces_of"]


@dataclass(frozen=True)
class Knowledge:
    """What the steps of a trace only name: problems and pieces of knowledge. All of it may be missing."""

    problems: Mapping[str, CodingProblem] = field(default_factory=dict)
    """By problem_id."""
    items: Mapping[str, Item] = field(default_factory=dict)
    """By id."""

    @classmethod
    def of(cls, problems: Sequence[CodingProblem] = (), items: Sequence[Item] = ()) -> Knowledge:
        """Return problems and items by their ids."""
        return cls({problem.problem_id: problem for problem in problems}, {item.id: item for item in items})


@dataclass(frozen=True)
class Trace:
    """One run of the active loop."""

    name: str
    """What to call it, such as the setting and the model."""
    load: Any
    """Returns (steps, results): steps of the trace, and `ActiveResult.as_dict`'s plain values."""
    knowledge: Knowledge = field(default_factory=Knowledge)

    @cached_property
    def _loaded(self) -> tuple[Sequence[Step], Mapping[str, Any]]:
        # a run holds dozens of traces, and one is looked at: each is read when it is opened
        loaded: tuple[Sequence[Step], Mapping[str, Any]] = self.load()
        return loaded

    @cached_property
    def histories(self) -> dict[str, list[Step]]:
        """The steps of each problem, round by round."""
        found: dict[str, list[Step]] = {}
        for step in sorted(self._loaded[0], key=lambda one: one.round):
            found.setdefault(step.problem_id, []).append(step)
        return found

    @cached_property
    def growth(self) -> dict[str, Step]:
        """For each piece of the soup that a program left behind, the step of that program."""
        return {piece: step for steps in self.histories.values() for step in steps for piece in step.grown}

    @property
    def prompt_budget(self) -> int | None:
        """Most tokens of a prompt, where it is known."""
        budget = self._loaded[1].get("settings", {}).get("prompt_max_length")
        return None if budget is None else int(budget)

    def passed(self, step: Step) -> bool | None:
        """Tell whether a step's program met the hidden tests; None where that is not known (yet)."""
        history = self._loaded[1].get("by_problem", {}).get(step.problem_id, [])
        place = self.histories[step.problem_id].index(step)
        return bool(history[place]["passed"]) if place < len(history) else None


def load_traces(source: Any, *, data: Any = None) -> list[Trace]:
    """Find the traces of a run.

    Args:
        source: A run's folder (RUNS/ID or RUNS/ID/arks), what `workbench arks run` wrote, an open `Run`, or an
            `ActiveResult`.
        data: Has `problems` and `documentation`, such as `load_arks` gives, where the folder does not tell how to
            load them again.

    Raises:
        DataError: There is no trace.
        RunError: A link leads out of the folder.
    """
    if hasattr(source, "steps") and hasattr(source, "as_dict"):
        return [traces_of(source)]
    found: list[Trace] = []
    for browser in browsers("traces_in"):
        folder = paper_folder(source, browser.PAPER)
        check_closed(folder)
        try:
            found += browser.traces_in(folder, data)
        except MALFORMED as error:
            raise DataError(
                got=f"{folder / 'results.json'}: {type(error).__name__}: {error}",
                needed="the parameters as a run left them",
                fix="restore the file, or make the run again",
            ) from error
    if not found:
        raise DataError(
            got=f"no trace.jsonl in {folder}",
            needed="the folder of a run of arks, or of `workbench arks run`",
            fix="name such a folder; a run that has just begun has none yet",
        )
    return found


def traces_of(result: ActiveResult, name: str = "") -> Trace:
    """Return the trace of a result in memory."""
    knowledge = Knowledge.of(result.problems, result.soup.items)
    return Trace(
        name or f"query: {result.settings.query}", lambda: (result.steps, result.as_dict()), knowledge
    )


def reader(file: Path) -> Any:
    """Return what reads one trace, when it is opened; see `Trace.load`."""

    def load() -> tuple[Sequence[Step], Mapping[str, Any]]:
        from workbench.retrieval.trace import read_steps

        return read_steps(file), _results(file.parent)

    return load


def _results(folder: Path) -> Mapping[str, Any]:
    """Return what of a loop's results is shown; of what is not as a loop writes it, nothing."""
    found = read_json(folder / "results.json")
    budget, rounds = found.get("settings"), found.get("by_problem")
    limit = budget.get("prompt_max_length") if isinstance(budget, dict) else None
    told = {
        name: history
        for name, history in (rounds.items() if isinstance(rounds, dict) else ())
        if isinstance(history, list) and all(isinstance(one, dict) and "passed" in one for one in history)
    }
    return {"settings": {"prompt_max_length": limit if isinstance(limit, int) else None}, "by_problem": told}
