"""What every generator takes and gives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from workbench.datasets.coding_problem import BenchmarkProblem

__all__ = ["CUT", "NO_ANSWER", "STOPPED", "Answer", "Generator", "in_order", "wanted"]

STOPPED = "stop"
"""How an answer ended that the model itself ended."""
CUT = "length"
"""How an answer ended that reached the limit of its length."""
NO_ANSWER = "no answer"
"""How a request ended that an endpoint refused, or failed to answer, for good."""


@dataclass(frozen=True)
class Answer:
    """One solution to one problem."""

    problem_id: int | str
    """The problem it answers."""
    sample: int
    """Which of the problem's samples it is, from 0."""
    code: str
    """The Python to run, already cut out of what a model said."""
    ended: str | None = None
    """How it ended: `STOPPED`, `CUT`, `NO_ANSWER` or another word of the endpoint's (`content_filter`); None where
    that is not known, as of a recorded answer."""
    said: str = ""
    """What the endpoint said in place of an answer."""

    @property
    def is_missing(self) -> bool:
        """Whether the model was asked and no answer came."""
        return self.ended == NO_ANSWER


class Generator(Protocol):
    """Answers problems: a model, or one of the yardsticks that models are held against."""

    @property
    def name(self) -> str:
        """What to call it in a table, such as `hf:Qwen/Qwen2.5-Coder-1.5B`."""

    @property
    def fingerprint(self) -> str:
        """A text that differs whenever the answers to the same problem may differ; it holds no secret."""

    def generate(
        self,
        problems: Iterable[BenchmarkProblem],
        *,
        samples: int = 1,
        skip: Collection[tuple[int | str, int]] = (),
    ) -> Iterator[Answer]:
        """Yield the answers one at a time, as they are known, problem by problem and sample by sample.

        A generator that knows some answers before earlier ones has another method of the same arguments,
        `as_known`, which yields each at once, in any order: what is kept on disk then loses nothing to a kill.

        Args:
            problems: What to answer.
            samples: Answers per problem.
            skip: `(problem_id, sample)` of answers that are already there. An answer that is not skipped is
                the same as it would be without `skip`.
        """


def wanted(
    problems: Iterable[BenchmarkProblem], samples: int, skip: Collection[tuple[int | str, int]]
) -> Iterator[tuple[BenchmarkProblem, int]]:
    """Yield each problem with each sample number that is not to be skipped, in the order of the answers."""
    done = skip if isinstance(skip, (set, frozenset)) else frozenset(skip)
    for problem in problems:
        for sample in range(samples):
            if (problem.problem_id, sample) not in done:
                yield problem, sample


def in_order(answers: Iterable[Answer], pairs: Iterable[tuple[BenchmarkProblem, int]]) -> Iterator[Answer]:
    """Yield answers that come in any order in that of the problems and samples that they are to."""
    coming, early = iter(answers), dict[tuple[int | str, int], Answer]()
    for problem, sample in pairs:
        place = problem.problem_id, sample
        while place not in early:
            answer = next(coming)
            early[answer.problem_id, answer.sample] = answer
        yield early.pop(place)
