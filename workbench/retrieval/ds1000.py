"""Problems in DS-1000's format as coding problems of the active loop."""

from __future__ import annotations

import re

from workbench.core.errors import DataError
from workbench.datasets.coding_problem import INSERT, CodingProblem, HiddenTest, VisibleRun
from workbench.datasets.ds1000 import Problem

__all__ = ["coding_problem"]

_MARKS = re.compile(
    r"</?code>|^BEGIN SOLUTION$|^# SOLUTION START$|^A:$|^Problem:$|^.* = \.\.\. *# put solution in th.*$",
    re.MULTILINE,
)


def coding_problem(problem: Problem, gold_documents: tuple[str, ...] = ()) -> CodingProblem:
    """Make a coding problem of one in DS-1000's format.

    The visible run is the prompt's own example; the tests, whose inputs are others, stay hidden.

    Args:
        problem: Its solution is a piece of a program, not a function's body.
        gold_documents: Ids of the documents that it needs, where they are known.

    Raises:
        DataError: Its solution is a function's body: an answer would have to be indented for it.
    """
    slot = problem.slot
    if slot.function:
        raise DataError(
            got=f"problem {problem.problem_id}: its solution is the body of {slot.function}",
            needed="a problem whose solution is a piece of a program",
            fix="leave out problems where `problem.slot.function` is set",
        )
    given = _MARKS.sub("", slot.given_code).strip("\n")
    question = re.sub(r"\n{3,}", "\n\n", _MARKS.sub("", slot.prefix.replace(slot.given_code, ""))).strip()
    asked = re.findall(r"^(.+?) = \.\.\. *# put solution in th", slot.prefix, re.MULTILINE)
    wanted = f"\n\nLeave the solution in the variable {asked[-1]}." if asked else ""
    context = f"{given}\n{INSERT}\n"
    return CodingProblem(
        problem_id=str(problem.problem_id),
        question=question + wanted,
        hidden_tests=(HiddenTest(tests=problem.code_context),),
        visible_runs=(VisibleRun(context),),
        code_context=context,
        library=problem.library,
        gold_documents=gold_documents,
        reference_code=problem.reference_code,
    )
