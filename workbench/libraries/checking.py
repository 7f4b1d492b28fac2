"""Checks a renamed library by problems: the renamed reference has to pass, and the original one has to fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from workbench.core.terminal import short
from workbench.datasets.ds1000 import Problem
from workbench.libraries.library import FreshLibrary
from workbench.libraries.problems import NotRewritten, rewrite_problem
from workbench.sandbox import Program, Sandbox, Verdict

__all__ = ["CheckedProblem", "LibraryCheck", "check_library"]


@dataclass(frozen=True)
class CheckedProblem:
    """What became of one problem."""

    problem: Problem
    """As it was."""
    outcome: Problem | NotRewritten
    """As it is now, or why it could not be moved."""
    rewritten: Verdict | None = None
    """How the renamed reference did."""
    original: Verdict | None = None
    """How the original reference does on the renamed problem."""

    @property
    def holds(self) -> bool:
        """Whether the problem was moved, its renamed reference passes and the original one fails."""
        if self.rewritten is None or self.original is None:
            return False
        return self.rewritten.passed and not self.original.passed

    @property
    def fault(self) -> str:
        """Why it does not hold; empty where it does."""
        if isinstance(self.outcome, NotRewritten):
            return self.outcome.reason
        if self.rewritten is not None and not self.rewritten.passed:
            return f"the renamed reference {self.rewritten.status}: {self.rewritten.message}"
        return "" if self.holds else "the original reference passes too"


@dataclass(frozen=True)
class LibraryCheck:
    """What became of all problems."""

    library: FreshLibrary
    """The library."""
    problems: tuple[CheckedProblem, ...]
    """The problems, in order."""

    @property
    def rewritten(self) -> list[Problem]:
        """The problems that hold, on the new library."""
        return [
            problem.outcome
            for problem in self.problems
            if problem.holds and isinstance(problem.outcome, Problem)
        ]

    def counts(self) -> dict[str, int]:
        """Count: all problems, those rewritten, and of these those whose references do as they have to."""
        moved = [problem for problem in self.problems if isinstance(problem.outcome, Problem)]
        return {
            "problems": len(self.problems),
            "rewritten": len(moved),
            "renamed reference passes": sum(
                one.rewritten is not None and one.rewritten.passed for one in moved
            ),
            "original reference fails": sum(
                one.original is not None and not one.original.passed for one in moved
            ),
            "both": sum(one.holds for one in moved),
        }

    def reasons(self) -> Counter[str]:
        """Count why problems do not hold."""
        return Counter(problem.fault.splitlines()[0] for problem in self.problems if problem.fault)

    def text(self) -> str:
        """Return both as a table for a terminal."""
        rows = [f"{number:6d}  {name}" for name, number in self.counts().items()]
        rows += [
            f"{number:6d}    not: {short(reason, 100)}" for reason, number in self.reasons().most_common()
        ]
        return "\n".join(rows)


def check_library(
    problems: Sequence[Problem], library: FreshLibrary, sandbox: Sandbox, *, progress: bool = True
) -> LibraryCheck:
    """Move problems onto a library and run both references of each.

    Args:
        problems: Problems on the package underneath.
        library: The library.
        sandbox: Of a runtime that can import it: see `FreshLibrary.runtime`.
        progress: Show a bar on a terminal's stderr.
    """
    from workbench.core.bars import Bar

    outcomes = [rewrite_problem(problem, library) for problem in problems]
    moved = [(old, new) for old, new in zip(problems, outcomes, strict=True) if isinstance(new, Problem)]
    verdicts: dict[int, list[Verdict]] = {old.problem_id: [] for old, _ in moved}
    # None hides the bar where stderr is no terminal
    with Bar(
        total=2 * len(moved), desc="checking", unit="program", disable=None if progress else True
    ) as bar:
        for (old, _), verdict in zip(_twice(moved), sandbox.map(_programs(moved)), strict=True):
            verdicts[old.problem_id].append(verdict)
            bar.update()
    checked = [
        CheckedProblem(problem, outcome, *verdicts.get(problem.problem_id, ()))
        for problem, outcome in zip(problems, outcomes, strict=True)
    ]
    return LibraryCheck(library, tuple(checked))


def _twice(moved: Iterable[tuple[Problem, Problem]]) -> Iterator[tuple[Problem, Problem]]:
    for pair in moved:
        yield pair
        yield pair


def _programs(moved: Iterable[tuple[Problem, Problem]]) -> Iterator[Program]:
    for old, new in moved:
        for reference in (new.reference_code, old.reference_code):
            yield Program(reference, new.code_context, group=new.library, reference=new.reference_code)
