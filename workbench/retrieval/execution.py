"""Run model-written programs of coding problems in the sandbox: visible runs for feedback, hidden tests to score.

The two are apart: what a model may learn from is an `Outcome`, and no hidden test ever makes one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.languages import Language, find_language
from workbench.retrieval.journal import KeyedJournal, content_key
from workbench.retrieval.problem import INSERT, CodingProblem, HiddenTest, VisibleRun
from workbench.sandbox.program import Program
from workbench.sandbox.verdict import Verdict

if TYPE_CHECKING:
    from workbench.sandbox import Sandbox

__all__ = ["Executor", "Outcome", "normalized", "same_output"]

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_FRAME = re.compile(r'^\s*File "<program>", line (\d{1,9})\b', re.MULTILINE)
_NO_CODE = "the answer holds no code"


@dataclass(frozen=True)
class Outcome:
    """What came of a program's visible runs: all that feedback, queries and the pool of snippets may use."""

    ran: bool
    """Whether all visible runs ended without an error. That says nothing about being right."""
    message: str = ""
    """The first error's message; empty where it ran."""
    line: int | None = None
    """1-based line of the model's code in which it went wrong, where that is known."""
    code_line: str = ""
    """That line's text."""


class Executor:
    """Runs programs, each distinct one once.

    Args:
        sandbox: Where they run. Its runtime has to suit the problems' languages and libraries.
        path: A JSON-lines file that keeps what is known, so that a killed run goes on; None keeps it in memory.

    Raises:
        DataError: The file cannot be used.
    """

    def __init__(self, sandbox: Sandbox, path: str | Path | None = None) -> None:
        self._sandbox, self._journal = sandbox, KeyedJournal(path)
        self.seconds = 0.0
        """What the sandbox has taken so far."""
        self._place = (sandbox.runtime.name, asdict(sandbox.limits), sandbox.isolation)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

    def outcomes(self, attempts: Sequence[tuple[CodingProblem, str]]) -> list[Outcome]:
        """Run each problem's visible runs with the code; code of nothing but white space counts as failed.

        Args:
            attempts: Problems, each with a model's code.

        Raises:
            RuntimeMissingError: A language's tool is not on this machine.
        """
        left = self._left("visible", attempts)
        programs = [
            (key, run, _plain(problem, run, code))
            for key, (problem, code) in left.items()
            for run in problem.visible_runs
        ]
        found: dict[str, list[Outcome]] = {key: [] for key in left}
        for (key, run, _), verdict in zip(programs, self._run([one[2] for one in programs]), strict=True):
            problem, code = left[key]
            found[key].append(_outcome(find_language(problem.language), run, code, verdict))
            if len(found[key]) == len(problem.visible_runs):
                self._journal.add(key, asdict(_first_failure(found[key])))
        return [
            Outcome(**self._journal[self._key("visible", problem, code)])
            if code.strip()
            else Outcome(False, _NO_CODE)
            for problem, code in attempts
        ]

    def passed(self, attempts: Sequence[tuple[CodingProblem, str]]) -> list[bool]:
        """Tell for each problem and code whether all hidden tests are met. For the final score only.

        Args:
            attempts: Problems, each with a model's code.

        Raises:
            RuntimeMissingError: A language's tool is not on this machine.
        """
        left = self._left("hidden", attempts)
        programs = [
            (key, test, _graded(problem, test, code))
            for key, (problem, code) in left.items()
            for test in problem.hidden_tests
        ]
        found: dict[str, list[bool]] = {key: [] for key in left}
        for (key, test, _), verdict in zip(programs, self._run([one[2] for one in programs]), strict=True):
            problem, _ = left[key]
            found[key].append(_met(find_language(problem.language), test, verdict))
            if len(found[key]) == len(problem.hidden_tests):
                self._journal.add(key, all(found[key]))
        return [
            bool(code.strip()) and self._journal[self._key("hidden", problem, code)]
            for problem, code in attempts
        ]

    def _left(
        self, what: str, attempts: Sequence[tuple[CodingProblem, str]]
    ) -> dict[str, tuple[CodingProblem, str]]:
        """Return what is not known yet, each once, by its key; code that is empty is not run."""
        runs = {self._key(what, problem, code): (problem, code) for problem, code in attempts if code.strip()}
        return {key: pair for key, pair in runs.items() if key not in self._journal}

    def _run(self, programs: Sequence[Program]) -> Iterator[Verdict]:
        """Yield verdicts as they come, and add up what they took."""
        started = time.perf_counter()
        for verdict in self._sandbox.map(programs):
            self.seconds += time.perf_counter() - started
            yield verdict
            started = time.perf_counter()

    def _key(self, what: str, problem: CodingProblem, code: str) -> str:
        tests: Sequence[VisibleRun | HiddenTest]
        tests = problem.visible_runs if what == "visible" else problem.hidden_tests
        return content_key(what, problem.language, [asdict(test) for test in tests], code, *self._place)


def normalized(message: str) -> str:
    """Return a message without what differs from run to run: addresses of objects."""
    return _ADDRESS.sub("0x...", message).strip()


def same_output(got: str, expected: str) -> bool:
    """Tell whether two outputs are equal but for white space at the ends of lines and of the whole."""
    return [line.rstrip() for line in got.rstrip().split("\n")] == [
        line.rstrip() for line in expected.rstrip().split("\n")
    ]


def _plain(problem: CodingProblem, run: VisibleRun | HiddenTest, code: str) -> Program:
    language = find_language(problem.language)
    return language.program(run.source(code), stdin=run.stdin, group=problem.library)


def _graded(problem: CodingProblem, test: HiddenTest, code: str) -> Program:
    if test.tests is None:
        return _plain(problem, test, code)
    return Program(code, tests=test.tests, stdin=test.stdin, group=problem.library)


def _met(language: Language, test: HiddenTest, verdict: Verdict) -> bool:
    if test.tests is not None:
        return verdict.passed
    if not language.judged(verdict).passed:
        return False
    return test.expected_stdout is None or same_output(verdict.stdout, test.expected_stdout)


def _outcome(language: Language, run: VisibleRun, code: str, verdict: Verdict) -> Outcome:
    judged = language.judged(verdict)
    if judged.passed:
        return Outcome(True)
    before = run.context.partition(INSERT)[0].count("\n")
    lines = code.split("\n")
    own = [number - before for number in _lines(judged, verdict) if 0 < number - before <= len(lines)]
    line = own[-1] if own else None
    message = normalized(judged.message) or judged.status
    return Outcome(False, message, line, lines[line - 1].strip() if line else "")


def _lines(judged: Verdict, verdict: Verdict) -> Iterator[int]:
    """Yield the lines of the whole program that the error passed through, outermost first.

    The innermost frame may be in the context (a library's source that stands there), and not in the code.
    """
    yield from (int(number) for number in _FRAME.findall(verdict.stderr))
    if judged.line is not None:
        yield judged.line


def _first_failure(outcomes: Sequence[Outcome]) -> Outcome:
    return next((outcome for outcome in outcomes if not outcome.ran), outcomes[0])
