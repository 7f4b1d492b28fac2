"""The yardstick of memorization: it has memorized the Origin solutions, and knows nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence

from workbench.core.errors import GeneratorError
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.generators.answer import Answer, wanted

__all__ = ["MemorizerGenerator"]


class MemorizerGenerator:
    """Answers with the reference code of the Origin problem whose prompt is nearest.

    It stands for a model that saw the original questions in training. Perturbed problems are made to trip it:
    the third claim of the DS-1000 paper.

    Args:
        known: The problems it has seen; those that are no Origin are not learnt. Where None, it learns the
            Origins among the problems it is asked.
    """

    name = "memorizer"

    def __init__(self, known: Iterable[BenchmarkProblem] | None = None) -> None:
        self._origins = None if known is None else _origins(known)

    @property
    def fingerprint(self) -> str:
        """The prompts and solutions it knows, as a digest."""
        digest = hashlib.sha256()
        for origin in self._origins or []:
            digest.update(
                repr((origin.problem_id, origin.prompt, origin.reference_code)).encode(errors="replace")
            )
        return f"memorizer:{'asked' if self._origins is None else digest.hexdigest()}"

    def generate(
        self,
        problems: Iterable[BenchmarkProblem],
        *,
        samples: int = 1,
        skip: Collection[tuple[int | str, int]] = (),
    ) -> Iterator[Answer]:
        """Yield what it remembers; every sample is the same. See `Generator.generate`.

        Raises:
            GeneratorError: It knows no Origin problem.
        """
        asked = list(problems)
        origins = _origins(asked) if self._origins is None else self._origins
        if not origins:
            raise GeneratorError(
                got="no Origin problem to memorize",
                needed="problems of perturbation type Origin among those asked, or known from before",
                fix="give the memorizer all problems, not only the perturbed ones",
            )
        pairs = list(wanted(asked, samples, skip))
        nearest = nearest_origins([problem for problem, _ in pairs], origins)
        for (problem, sample), origin in zip(pairs, nearest, strict=True):
            yield Answer(problem.problem_id, sample, origin.reference_code)


def nearest_origins(
    problems: Sequence[BenchmarkProblem], origins: Sequence[BenchmarkProblem]
) -> list[BenchmarkProblem]:
    """Return, for each problem, the Origin with the most similar prompt.

    Similarity is the cosine of tf-idf vectors over words, the idf taken from the Origins. Among equals the
    problem itself comes first, then the earliest.

    Args:
        problems: n problems.
        origins: At least one Origin.

    Returns:
        n Origins.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not problems:
        return []
    vectorizer = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]")
    known = vectorizer.fit_transform([origin.prompt for origin in origins])
    similarity = (vectorizer.transform([problem.prompt for problem in problems]) @ known.T).toarray()
    position = {origin.problem_id: column for column, origin in enumerate(origins)}
    for row, problem in enumerate(problems):
        column = position.get(problem.problem_id)
        if column is not None and similarity[row, column] >= similarity[row].max() - 1e-9:
            similarity[row, column] = np.inf
    return [origins[column] for column in similarity.argmax(axis=1)]


def _origins(problems: Iterable[BenchmarkProblem]) -> list[BenchmarkProblem]:
    return [problem for problem in problems if problem.perturbation_type == "Origin"]
