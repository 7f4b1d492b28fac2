"""Problems on a renamed library for the active loop, which learns from errors and reads documents."""

from __future__ import annotations

from dataclasses import replace

from workbench.datasets.coding_problem import CodingProblem, VisibleRun
from workbench.datasets.ds1000 import Problem
from workbench.libraries.library import FreshLibrary
from workbench.libraries.problems import NotRewritten, hiding, rewrite_problem, used_by_reference
from workbench.retrieval.ds1000 import coding_problem

__all__ = ["fresh_coding_problem"]


def fresh_coding_problem(problem: Problem, library: FreshLibrary) -> CodingProblem | NotRewritten:
    """Move a problem onto a renamed library and make it one of the active loop.

    Its gold documents are those of what its reference uses, and its visible run, too, cannot import the package
    underneath.

    Args:
        problem: A problem in DS-1000's format on the package underneath, whose solution is no function's body.
        library: The renamed library.

    Raises:
        DataError: Its solution is a function's body.
    """
    moved = rewrite_problem(problem, library)
    if isinstance(moved, NotRewritten):
        return moved
    documented = {document.id for document in library.documents}
    used = [library.resolver.new(path) for path in used_by_reference(problem, library)]
    made = coding_problem(moved, tuple(name for name in used if name in documented))
    hidden = hiding(library)
    runs = tuple(VisibleRun(f"{hidden}\n{run.context}", run.stdin) for run in made.visible_runs)
    return replace(made, library=library.name, visible_runs=runs)
