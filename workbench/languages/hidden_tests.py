"""How an answer to any coding problem is graded: a program for each hidden test, and one verdict on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from workbench.datasets.coding_problem import BenchmarkProblem, HiddenTest
from workbench.languages.registry import find_language
from workbench.sandbox.program import Program
from workbench.sandbox.verdict import Verdict

__all__ = ["graded_program", "imports_of_tests", "same_output", "tests_content", "whole_verdict"]


def graded_program(problem: BenchmarkProblem, test: HiddenTest, code: str, group: str) -> Program:
    """Return the program that tells whether code meets a test.

    Args:
        problem: What the code answers.
        test: One of its hidden tests.
        code: The answer.
        group: Programs of one group share a warm process.
    """
    if test.tests is not None:
        reference = problem.reference_code
        return Program(code, tests=test.tests, stdin=test.stdin, group=group, reference=reference)
    return find_language(problem.language).program(test.source(code), stdin=test.stdin, group=group)


def _met(problem: BenchmarkProblem, test: HiddenTest, verdict: Verdict) -> Verdict:
    """Return what a program's verdict says of the answer: whether it also printed what it should."""
    if test.tests is not None:
        return verdict
    judged = find_language(problem.language).judged(verdict)
    if not judged.passed or test.expected_stdout is None or _same(verdict.stdout, test):
        return judged if judged.passed else replace(judged, stage="execution")
    return replace(judged, status="failed", stage="execution", message="printed something else", line=None)


def whole_verdict(problem: BenchmarkProblem, verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on an answer: the first that is not met, else the first that is vacuous, else the last.

    Args:
        problem: What was answered.
        verdicts: On its programs, in the order of its hidden tests.
    """
    told = [_met(problem, test, one) for test, one in zip(problem.hidden_tests, verdicts, strict=True)]
    failed = [one for one in told if not one.passed]
    return next(iter([*failed, *(one for one in told if one.vacuous)]), told[-1])


def imports_of_tests(problem: BenchmarkProblem) -> tuple[str, ...]:
    """Return what a problem's tests import: not the answer, which may name modules that nobody should load."""
    if problem.language != "python":
        return ()
    texts = [test.context if test.tests is None else test.tests for test in problem.hidden_tests]
    return tuple(dict.fromkeys(name for text in texts for name in Program("", text).imports()))


def tests_content(problem: BenchmarkProblem) -> Any:
    """Return all that decides on an answer, for JSON: of a lone test module its text."""
    first, *others = problem.hidden_tests
    if first.tests is not None and not first.stdin and not others:
        return first.tests
    return [problem.language, *map(asdict, problem.hidden_tests)]


def _same(got: str, test: HiddenTest) -> bool:
    """Tell whether an output is the expected one, as a text or within the test's tolerance as a number."""
    expected = test.expected_stdout or ""
    if same_output(got, expected):
        return True
    if test.decimals is None:
        return False
    try:
        number, right = float(got), float(expected)
    except ValueError:
        return False
    close = abs(number - right) <= test.relative * abs(right)
    return close or round(number, test.decimals) == round(right, test.decimals)


def same_output(got: str, expected: str) -> bool:
    """Tell whether two outputs are equal but for white space at the ends of lines and of the whole."""
    return [line.rstrip() for line in got.rstrip().split("\n")] == [
        line.rstrip() for line in expected.rstrip().split("\n")
    ]
