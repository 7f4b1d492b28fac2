"""The upper yardstick: each problem's own reference solution."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.generators.answer import Answer, wanted

__all__ = ["ReferenceGenerator"]


class ReferenceGenerator:
    """Answers every problem with its reference code; a scorer that is sound gives it 100 %."""

    name = "reference"
    fingerprint = "reference"

    def generate(
        self,
        problems: Iterable[BenchmarkProblem],
        *,
        samples: int = 1,
        skip: Collection[tuple[int | str, int]] = (),
    ) -> Iterator[Answer]:
        """Yield the reference codes, untouched; every sample is the same. See `Generator.generate`."""
        for problem, sample in wanted(problems, samples, skip):
            yield Answer(problem.problem_id, sample, problem.reference_code)
