"""What a run of the active loop came to, by round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from workbench.datasets.coding_problem import CodingProblem
from workbench.generators.answer import CUT
from workbench.retrieval.settings import ActiveRetrievalSettings
from workbench.retrieval.soup import KnowledgeSoup
from workbench.retrieval.trace import Step

__all__ = ["ActiveResult", "RoundReport", "Spent", "by_round", "recall"]


@dataclass(frozen=True)
class RoundReport:
    """Where all problems stand after a round, and what the round took."""

    round: int
    """From 0."""
    asked: int
    """Problems that went into this round: those whose program had raised."""
    accuracy: float
    """Execution accuracy: share of all problems whose latest program meets all hidden tests."""
    ran: float
    """Share of all problems whose latest program runs without an error."""
    silent: float
    """Share of all problems whose latest program runs without an error, and is wrong. The loop has left them."""
    recall: float | None
    """Mean share of the gold documents that were retrieved in this round, over the problems asked that have
    some; None where none has, or nothing was retrieved."""
    recall_shown: float | None
    """The same of the documents that the prompts show."""
    prompt_tokens: int
    """Read by the generator in this round."""
    answer_tokens: int
    """Written by it."""
    no_answer: int = 0
    """Prompts of this round that an endpoint gave no answer to; their problems count as wrong."""
    cut: int = 0
    """Answers of this round that reached the limit of their length."""
    empty: int = 0
    """Answers of this round that hold no code."""


@dataclass(frozen=True)
class Spent:
    """Wall seconds of one call; of little meaning where an earlier one had done most."""

    generation_s: float
    execution_s: float
    """Of visible runs and hidden tests."""
    bookkeeping_s: float
    """The rest: queries, retrieval, prompts, growth, the trace."""


@dataclass(frozen=True)
class ActiveResult:
    """A run of the active loop."""

    settings: ActiveRetrievalSettings
    problems: tuple[CodingProblem, ...]
    steps: tuple[Step, ...]
    """Each problem in each round that it went into, round by round."""
    passed: Mapping[tuple[int, str], bool]
    """For each step, by round and problem_id, whether its program meets all hidden tests."""
    soup: KnowledgeSoup
    """As it has grown."""
    spent: Spent
    folder: Path | None
    """Holds trace.jsonl and results.json."""

    @property
    def rounds(self) -> list[RoundReport]:
        """The reports of all rounds, in order."""
        return by_round(self.problems, self.steps, self.passed)

    @property
    def accuracy(self) -> float:
        """Execution accuracy after the last round."""
        return self.rounds[-1].accuracy

    def final(self) -> dict[str, bool]:
        """Return for each problem, in order, whether its last program meets all hidden tests."""
        last = {step.problem_id: self.passed[step.round, step.problem_id] for step in self.steps}
        return {problem.problem_id: last[problem.problem_id] for problem in self.problems}

    def history(self, problem_id: str) -> list[Step]:
        """Return the steps of one problem, to follow it through its rounds."""
        return [step for step in self.steps if step.problem_id == problem_id]

    def histories(self) -> dict[str, list[Step]]:
        """Return the steps of every problem, in the order of the problems."""
        found: dict[str, list[Step]] = {problem.problem_id: [] for problem in self.problems}
        for step in self.steps:
            found[step.problem_id].append(step)
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, none of which depends on the clock."""
        each = {
            name: [
                {
                    "ran": step.outcome.ran,
                    "passed": self.passed[step.round, step.problem_id],
                    **({"no_answer": step.said} if step.is_missing else {}),
                }
                for step in history
            ]
            for name, history in self.histories().items()
        }
        return {
            "settings": asdict(self.settings),
            "problems": len(self.problems),
            "rounds": [asdict(report) for report in self.rounds],
            "by_problem": each,
        }


def recall(gold: Sequence[str], found: Sequence[str]) -> float | None:
    """Return the share of the gold documents that are among those found; None where there is no gold."""
    return len(set(gold) & set(found)) / len(set(gold)) if gold else None


def by_round(
    problems: Sequence[CodingProblem], steps: Sequence[Step], passed: Mapping[tuple[int, str], bool]
) -> list[RoundReport]:
    """Sum up a trace.

    Args:
        problems: All problems; each has a step in round 0.
        steps: All steps.
        passed: For each step, by round and problem_id, whether all hidden tests are met.
    """
    gold = {problem.problem_id: problem.gold_documents for problem in problems}
    latest: dict[str, Step] = {}
    reports = []
    for number in sorted({step.round for step in steps}):
        asked = [step for step in steps if step.round == number]
        latest |= {step.problem_id: step for step in asked}
        right = [passed[step.round, step.problem_id] for step in latest.values()]
        ran = [step.outcome.ran for step in latest.values()]
        silent = [r and not p for r, p in zip(ran, right, strict=True)]
        reports.append(
            RoundReport(
                number,
                len(asked),
                fmean(right),
                fmean(ran),
                fmean(silent),
                _mean_recall(asked, gold, only_shown=False),
                _mean_recall(asked, gold, only_shown=True),
                sum(step.prompt_tokens for step in asked),
                sum(step.answer_tokens for step in asked),
                sum(step.is_missing for step in asked),
                sum(step.ended == CUT for step in asked),
                sum(not step.code.strip() and not step.is_missing for step in asked),
            )
        )
    return reports


def _mean_recall(
    steps: Sequence[Step], gold: Mapping[str, Sequence[str]], *, only_shown: bool
) -> float | None:
    shares = []
    for step in steps:
        found = [one for one in step.found if one.source == "documentation"]
        parents = [one.parent for one in found if not only_shown or one.id in step.shown]
        share = recall(gold[step.problem_id], parents) if step.found else None
        shares += [] if share is None else [share]
    return fmean(shares) if shares else None
