"""One model asked in several styles: the difference in pass@1 on the same problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from workbench.core.paired import Effect, crossed_effect
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.datasets.ds1000 import family_of
from workbench.generators.settings import STYLES
from workbench.papers.ds1000.judgement import Judgement
from workbench.papers.ds1000.summary import pass_shares

__all__ = ["StyleEffect", "style_effects"]


@dataclass(frozen=True)
class StyleEffect:
    """pass@1 of a model asked in one style, less that in another."""

    model: str
    style: str
    against: str
    effect: Effect
    """Over families of problems, since an Origin and its variants are often answered alike."""

    def as_dict(self) -> dict[str, object]:
        """Return plain values by name, as in a table."""
        value, low, high = self.effect.estimate or (None, None, None)
        return {
            "model": self.model,
            "style": self.style,
            "less": self.against,
            "problems": self.effect.units,
            "difference in pass@1": value,
            "low": low,
            "high": high,
        }


def style_effects(
    problems: Sequence[BenchmarkProblem], verdicts: Mapping[str, Sequence[Judgement]], *, seed: int = 0
) -> list[StyleEffect]:
    """Compare the styles that a model was asked in, two at a time, paired by problem.

    Args:
        problems: The problems.
        verdicts: Judgements by generator; those called `MODEL@STYLE` count.
        seed: Of the bootstrap over families.
    """
    asked: dict[str, dict[str, dict[int | str, float]]] = {}
    for name, judged in verdicts.items():
        model, _, style = name.rpartition("@")
        if model and style in STYLES:
            asked.setdefault(model, {})[style] = pass_shares(judged)
    found = []
    for model, shares in asked.items():
        ordered = [style for style in reversed(STYLES) if style in shares]
        for style, against in combinations(ordered, 2):
            effect = _difference(problems, shares[style], shares[against], seed)
            found.append(StyleEffect(model, style, against, effect))
    return found


def _difference(
    problems: Sequence[BenchmarkProblem],
    shares: Mapping[int | str, float],
    against: Mapping[int | str, float],
    seed: int,
) -> Effect:
    """Return the mean difference over problems, with an interval over families, which weigh as many as they hold."""
    gaps: dict[tuple[str, int | str], list[float]] = {}
    for problem in problems:
        number = problem.problem_id
        if number in shares and number in against:
            gaps.setdefault(family_of(problem), []).append(shares[number] - against[number])
    means = [sum(some) / len(some) for some in gaps.values()]
    sizes = [float(len(some)) for some in gaps.values()]
    if not means:
        return Effect(None)
    # nothing was trained: families are what varies
    return replace(crossed_effect([means], [sizes], bounds=(-1.0, 1.0), seed=seed), seeds=None)
