"""A coding problem, as every benchmark has them, and what decides whether an answer to it is right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from workbench.core.errors import DataError
from workbench.datasets.jsonl import not_text
from workbench.datasets.slot import Slot

__all__ = ["INSERT", "BenchmarkProblem", "CodingProblem", "HiddenTest", "VisibleRun"]

INSERT = "[insert]"
"""Marks in a context where the model's code goes; it stands exactly once."""
_RUN = ("context", "stdin")


@dataclass(frozen=True)
class VisibleRun:
    """One run that a model may learn from: whether its program raises, and with which message."""

    context: str = INSERT
    """The program around the model's code: what comes before (a library's source, an example's input) and
    after, with `[insert]` once."""
    stdin: str = ""
    """What the program finds on its standard input."""

    def source(self, code: str) -> str:
        """Return the whole program: the context, with the code where `[insert]` stands."""
        return inserted(self.context, code)


@dataclass(frozen=True)
class HiddenTest:
    """One test for the final score. Nothing of it, and no outcome of it, ever reaches a prompt or a query.

    Where `tests` is given the code is graded by that module, in two processes. Else the program made of
    `context` is run; it has to end without an error and, where `expected_stdout` is given, to print that.
    """

    context: str = INSERT
    """As in `VisibleRun`."""
    stdin: str = ""
    """As in `VisibleRun`."""
    expected_stdout: str | None = None
    """What must be printed; white space at the ends of lines and of the output does not count."""
    decimals: int | None = None
    """Where both outputs are one number: they are the same if they are once rounded to so many decimals, or
    differ by `relative` at most. None: the texts must be the same."""
    relative: float = 0.0
    """Largest relative difference of two such numbers."""
    tests: str | None = None
    """A module text in DS-1000's form; see `workbench.sandbox.Program.tests`. For Python only."""

    @property
    def checks_surface(self) -> bool:
        """Whether it also checks an answer's surface form (an API it must or must not use)."""
        return re.search(r"^def test_string\(", self.tests or "", re.MULTILINE) is not None

    def source(self, code: str) -> str:
        """Return the whole program: the context, with the code where `[insert]` stands."""
        return inserted(self.context, code)


class BenchmarkProblem(Protocol):
    """What every coding benchmark's problems have: DS-1000's, and a `CodingProblem` of any other."""

    @property
    def problem_id(self) -> int | str:
        """Its only key."""

    @property
    def library(self) -> str:
        """What it asks about; results are also reported by it."""

    @property
    def perturbation_type(self) -> str:
        """How it differs from the question it was made of; `Origin` where that is no question."""

    @property
    def language(self) -> str:
        """What the solution is written in."""

    @property
    def prompt(self) -> str:
        """What a model sees."""

    @property
    def slot(self) -> Slot:
        """Where in the prompt the solution belongs."""

    @property
    def reference_code(self) -> str:
        """A solution that passes; empty where none is known."""

    @property
    def hidden_tests(self) -> tuple[HiddenTest, ...]:
        """What decides whether a solution is correct: all of them must be met."""

    @property
    def has_surface_test(self) -> bool:
        """Whether these also check its surface form (an API it must or must not use)."""


@dataclass(frozen=True)
class CodingProblem:
    """A problem on a library or a language that a model may hardly know.

    Raises:
        DataError: A field is no text, or is empty and may not be, or a context does not hold `[insert]` once; all
            are named.
    """

    problem_id: str
    """Its only key; unique among the problems of a run."""
    question: str
    """The task in words (EVOR: `problem_description`)."""
    hidden_tests: tuple[HiddenTest, ...]
    """What decides whether a program is correct: all of them must be met."""
    visible_runs: tuple[VisibleRun, ...] = (VisibleRun(),)
    """Runs whose errors are fed back. Their inputs are none of the hidden tests'."""
    code_context: str = ""
    """The code that the prompt shows, with `[insert]` where the answer belongs; empty: only the question."""
    language: str = "python"
    """Name of the language's adapter, such as `python`, `hy`, `ring` or `pony`."""
    library: str = ""
    """The library it asks about, or the language again; results are also reported by it."""
    gold_documents: tuple[str, ...] = ()
    """Ids of the documents that it needs, where they are known: for recall, and for the upper bound."""
    reference_code: str = ""
    """A correct answer, where there is one; never shown to a model."""
    modules: tuple[str, ...] = ()
    """What answers are to import, beside what the contexts do: packages of the benchmark's own."""

    @property
    def perturbation_type(self) -> str:
        """Nothing was perturbed."""
        return "Origin"

    @property
    def has_surface_test(self) -> bool:
        """Whether a hidden test also checks the answer's surface form."""
        return any(test.checks_surface for test in self.hidden_tests)

    @property
    def prompt(self) -> str:
        """The question and, where there is one, the program that the answer belongs in, up to the answer."""
        return self.slot.prefix

    @property
    def slot(self) -> Slot:
        """Where in the prompt the solution belongs: at `[insert]` of the code context, else at its end."""
        before, _, after = self.code_context.partition(INSERT)
        indent = before[before.rfind("\n") + 1 :]
        question = f"{self.question.rstrip()}\n\n"
        return Slot(
            f"{question}```{self.language}\n{before[: len(before) - len(indent)] if not indent.strip() else before}",
            f"{after}\n```\n",
            indent if not indent.strip() else "",
            None,
            before,
        )

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise DataError(
                got=f"problem {self.problem_id!r}: {'; '.join(faults)}",
                needed=f"a problem_id, a question, a visible run and a hidden test, and {INSERT} once a context",
                fix="correct the problem where it is made",
            )

    def _faults(self) -> Iterator[str]:
        wrong = [fault for fault in self._not_texts() if fault]
        if wrong:
            yield from wrong
            return
        for name in ("problem_id", "question", "language", "visible_runs", "hidden_tests"):
            if not getattr(self, name):
                yield f"{name} is empty"
        runs: tuple[VisibleRun | HiddenTest, ...] = (*self.visible_runs, *self.hidden_tests)
        unmarked = [run for run in runs if run.context.count(INSERT) != 1]
        if unmarked:
            yield f"{len(unmarked)} context(s) without {INSERT}, or with several"
        if self.language != "python" and any(test.tests is not None for test in self.hidden_tests):
            yield f"a test module, which grades Python, for {self.language}"
        if self.code_context.count(INSERT) > 1:
            yield f"several {INSERT} in code_context"

    def _not_texts(self) -> Iterator[str]:
        """Yield what is wrong with fields that must be texts; empty texts for the others."""
        for name in ("problem_id", "question", "code_context", "language", "library", "reference_code"):
            yield not_text(name, getattr(self, name))
        yield from (not_text("an item of gold_documents", document) for document in self.gold_documents)
        for number, run in enumerate(self.visible_runs, start=1):
            yield from (not_text(f"{name} of visible run {number}", getattr(run, name)) for name in _RUN)
        for number, test in enumerate(self.hidden_tests, start=1):
            yield from (not_text(f"{name} of hidden test {number}", getattr(test, name)) for name in _RUN)
            given = [name for name in ("expected_stdout", "tests") if getattr(test, name) is not None]
            yield from (not_text(f"{name} of hidden test {number}", getattr(test, name)) for name in given)


def inserted(context: str, code: str) -> str:
    """Put code where `[insert]` stands, each line at the indentation of the mark where the code has none.

    A mark that is indented stands in a function's body; code that is indented already is left as it is.
    """
    before, _, after = context.partition(INSERT)
    indent = before[before.rfind("\n") + 1 :]
    if indent.strip() or not indent:
        return before + code + after
    lines = code.split("\n")
    if any(line.startswith(indent) for line in lines[:1]):
        return before[: len(before) - len(indent)] + code + after
    rest = [indent + line if line.strip() else line for line in lines[1:]]
    return before + "\n".join([lines[0], *rest]) + after
