"""Run model-written programs of coding problems in the sandbox: visible runs for feedback, hidden tests to score.

The two are apart: what a model may learn from is an `Outcome`, and no hidden test ever makes one.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from workbench.datasets.coding_problem import INSERT, CodingProblem, HiddenTest, VisibleRun
from workbench.languages import Language, find_language
from workbench.languages.hidden_tests import graded_program, same_output
from workbench.retrieval.requirements import refuse_lack, require_all
from workbench.sandbox.program import Program
from workbench.sandbox.verdict import Verdict
from workbench.store.fingerprint import path_fingerprint
from workbench.store.journal import Journal, content_key

if TYPE_CHECKING:
    from workbench.sandbox import AnySandbox

__all__ = ["Executor", "Outcome", "imported_modules", "normalized"]

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
        path: A JSON-lines file that keeps what is known, so that a killed run goes on; several processes may share
            it. None keeps it in memory.

    Raises:
        DataError: The file cannot be used.
    """

    def __init__(self, sandbox: AnySandbox, path: str | Path | None = None) -> None:
        self._sandbox, self._journal = sandbox, Journal(path)
        self._required: set[str] = set()
        self.seconds = 0.0
        """What the sandbox has taken so far."""
        runtime = sandbox.runtime
        # packages that are worked on beside the workbench may change between two runs
        modules = [f"{place} {path_fingerprint(place)}" for _, place in runtime.modules]
        self._place = (runtime.name, asdict(sandbox.limits), sandbox.isolation, *modules)

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

    def require(self, problems: Sequence[CodingProblem]) -> None:
        """Raise where the sandbox lacks what problems need; each is looked at once.

        Raises:
            RuntimeMissingError: See `require_all`.
        """
        new = [problem for problem in problems if problem.problem_id not in self._required]
        if new:
            require_all(new, self._sandbox)
        self._required |= {problem.problem_id for problem in new}

    def outcomes(self, attempts: Sequence[tuple[CodingProblem, str]]) -> list[Outcome]:
        """Run each problem's visible runs with the code; code of nothing but white space counts as failed.

        Args:
            attempts: Problems, each with a model's code.

        Raises:
            RuntimeMissingError: A language's tool is not on this machine, or a module of the benchmark's own.
        """
        found = self._checked(_VISIBLE, attempts)
        return [Outcome(False, _NO_CODE) if one is None else Outcome(**one) for one in found]

    def passed(self, attempts: Sequence[tuple[CodingProblem, str]]) -> list[bool]:
        """Tell for each problem and code whether all hidden tests are met. For the final score only.

        Args:
            attempts: Problems, each with a model's code.

        Raises:
            RuntimeMissingError: A language's tool is not on this machine, or a module of the benchmark's own.
        """
        return [bool(one) for one in self._checked(_HIDDEN, attempts)]

    def _checked(self, check: _Check, attempts: Sequence[tuple[CodingProblem, str]]) -> list[Any]:
        """Return what a check found of each code, as a plain value; None for code that is empty."""
        keys = [self._key(check, *attempt) if attempt[1].strip() else None for attempt in attempts]
        self._journal.refresh()
        left = {
            key: attempt
            for key, attempt in zip(keys, attempts, strict=True)
            if key is not None and key not in self._journal.known
        }
        parts = [
            (key, problem, part, code)
            for key, (problem, code) in left.items()
            for part in check.parts(problem)
        ]
        verdicts = self._run([check.program(problem, part, code) for _, problem, part, code in parts])
        found: dict[str, list[Any]] = {key: [] for key in left}
        for (key, problem, part, code), verdict in zip(parts, verdicts, strict=True):
            refuse_lack(problem, verdict, self._sandbox, partial(check.program, problem, part))
            found[key].append(check.judged(find_language(problem.language), part, code, verdict))
            if len(found[key]) == len(check.parts(problem)):
                self._journal.add({"key": key, "value": check.whole(found[key])})
        return [None if key is None else self._journal.known[key]["value"] for key in keys]

    def _run(self, programs: Sequence[Program]) -> Iterator[Verdict]:
        """Yield verdicts as they come, and add up what they took."""
        started = time.perf_counter()
        for verdict in self._sandbox.map(programs):
            self.seconds += time.perf_counter() - started
            yield verdict
            started = time.perf_counter()

    def _key(self, check: _Check, problem: CodingProblem, code: str) -> str:
        parts = [asdict(part) for part in check.parts(problem)]
        return content_key(check.name, problem.language, parts, code, *self._place)


@dataclass(frozen=True)
class _Check:
    """What is run of a code, and what is kept of it."""

    name: str
    parts: Callable[[CodingProblem], Sequence[Any]]
    """A problem's runs or tests, each a program."""
    program: Callable[[CodingProblem, Any, str], Program]
    judged: Callable[[Language, Any, str, Verdict], Any]
    """Says what the verdict on one part means."""
    whole: Callable[[Sequence[Any]], Any]
    """Makes one plain value of what was found of the parts."""


def imported_modules(problems: Iterable[CodingProblem]) -> list[str]:
    """Return what the programs of problems import for sure, by their texts, and what the problems are about."""
    names: dict[str, None] = {}
    for problem in problems:
        runs: tuple[VisibleRun | HiddenTest, ...] = (*problem.visible_runs, *problem.hidden_tests)
        tests = [test.tests or "" for test in problem.hidden_tests]
        contexts = [run.context for run in runs if problem.language == "python"]
        for text in (*contexts, *tests, problem.code_context, problem.reference_code):
            names |= dict.fromkeys(Program(text).imports())
        if problem.library.replace(".", "").isidentifier():
            names[problem.library] = None
    return list(names)


def normalized(message: str) -> str:
    """Return a message without what differs from run to run: addresses of objects."""
    return _ADDRESS.sub("0x...", message).strip()


def _plain(problem: CodingProblem, run: VisibleRun | HiddenTest, code: str) -> Program:
    language = find_language(problem.language)
    return language.program(run.source(code), stdin=run.stdin, group=_group(problem, run.context))


def _graded(problem: CodingProblem, test: HiddenTest, code: str) -> Program:
    return graded_program(problem, test, code, _group(problem, test.tests or test.context))


def _group(problem: CodingProblem, context: str) -> str:
    """Let programs share a warm process by library; those that need only Python's own modules all share one."""
    roots = {name.partition(".")[0] for name in Program(context).imports()}
    return problem.library if roots - sys.stdlib_module_names else ""


def _met(language: Language, test: HiddenTest, _code: str, verdict: Verdict) -> bool:
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


_VISIBLE = _Check(
    "visible",
    parts=lambda problem: problem.visible_runs,
    program=_plain,
    judged=_outcome,
    whole=lambda outcomes: asdict(_first_failure(outcomes)),
)
_HIDDEN = _Check(
    "hidden", parts=lambda problem: problem.hidden_tests, program=_graded, judged=_met, whole=all
)
