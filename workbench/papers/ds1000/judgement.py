"""What the scoring of one answer found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.generators.answer import CUT, NO_ANSWER
from workbench.sandbox.verdict import Verdict

__all__ = ["NO_ANSWER", "SKIPPED", "Judgement", "digest", "reproducible"]

SKIPPED = "skipped"
"""Status of an answer that was not run, because the runtime lacks the problem's library."""

# What differs from one run of the same program to the next, inside a message that is otherwise the same.
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_SCRATCH = re.compile(r"(?:/[^\s'\":]*)?/workbench-sandbox-\d+-\w+(?:/[\w.-]+)?")


@dataclass(frozen=True)
class Judgement:
    """One answer's verdict: a line of verdicts.jsonl. It holds no time: equal runs write equal files."""

    problem_id: int | str
    """The problem."""
    sample: int
    """Which of the problem's answers, from 0."""
    library: str
    """The problem's library."""
    perturbation_type: str
    """How the problem was perturbed."""
    status: str
    """As `Verdict.status`, or `skipped`, or `no answer`: the endpoint gave none, and it counts as not passed."""
    stage: str | None
    """Where it failed: `execution`, `surface` or `tests`; None where it passed or was not run."""
    message: str
    """What went wrong, in a line; empty where it passed."""
    line: int | None
    """1-based line of the answer's code at which it went wrong, where there is one."""
    split: bool
    """Whether answer and tests ran in two processes: see `Verdict.split`."""
    code_sha256: str
    """Digest of the answer's code."""
    key: str
    """Digest of all that the verdict depends on: code, tests, runtime, limits, version of the workbench."""
    ended: str | None = None
    """How the answer ended: see `workbench.generators.answer.Answer.ended`."""
    empty: bool = False
    """Whether the answer holds no code; also False where there is no answer."""
    vacuous: bool = False
    """Whether the answer passed and the pass says nothing of its result's values: see `Verdict.vacuous`."""
    vacuous_why: str = ""
    """Why it is vacuous, or why that could not be found out: see `Verdict.vacuous_why`."""

    @classmethod
    def of(
        cls, problem: BenchmarkProblem, sample: int, verdict: Verdict, code_sha256: str, key: str
    ) -> Judgement:
        """Put a verdict of the sandbox beside the problem that it is on."""
        return cls(
            problem.problem_id,
            sample,
            problem.library,
            problem.perturbation_type,
            verdict.status,
            verdict.stage,
            reproducible(verdict.message),
            verdict.line,
            verdict.split,
            code_sha256,
            key,
            vacuous=verdict.vacuous,
            vacuous_why=reproducible(verdict.vacuous_why),
        )

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Judgement:
        """Take back what `row` gave, be it from before passes were examined."""
        old = row["status"] == "passed" and "vacuous" not in row
        since: dict[str, Any] = {"vacuous_why": "not examined: the verdict is from before that was done"}
        return cls(**(since if old else {}), **row)

    @property
    def passed(self) -> bool:
        """Whether the answer met all tests."""
        return self.status == "passed"

    @property
    def skipped(self) -> bool:
        """Whether the answer was not run."""
        return self.status == SKIPPED

    @property
    def missing(self) -> bool:
        """Whether the endpoint gave no answer."""
        return self.status == NO_ANSWER

    @property
    def cut(self) -> bool:
        """Whether the answer reached the limit of its length."""
        return self.ended == CUT

    @property
    def met_tests(self) -> bool:
        """Whether the answer met the benchmark's own tests, be the pass vacuous or not."""
        return self.passed or self.vacuous

    @property
    def one_process(self) -> bool:
        """Whether the answer ran beside the expected values: see `Verdict.split`."""
        return not (self.split or self.skipped or self.missing)

    @property
    def unexamined(self) -> bool:
        """Whether the answer passed, and it could not be found out whether vacuously."""
        return self.passed and not self.vacuous and bool(self.vacuous_why)

    def strictly(self) -> Judgement:
        """Return the judgement with a vacuous pass counted as a failure."""
        if not self.vacuous or not self.passed:
            return self
        return replace(self, status="failed", stage="execution", message=f"vacuous: {self.vacuous_why}")

    def row(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return asdict(self)


def reproducible(message: str) -> str:
    """Return a message without addresses in memory and names of scratch folders."""
    return _SCRATCH.sub("<scratch>", _ADDRESS.sub("0x...", message))


def digest(text: str) -> str:
    """Return the SHA-256 of a text, by which verdicts know the code that they are on."""
    # a model may write half of a surrogate pair
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
