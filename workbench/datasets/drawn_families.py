"""Whole perturbation families drawn by a seed: a part of the benchmark that still measures the memorization gap."""

from __future__ import annotations

import random
from collections.abc import Sequence

from workbench.core.errors import SettingsError
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.datasets.ds1000 import families, family_of

__all__ = ["draw_families"]


def draw_families(
    problems: Sequence[BenchmarkProblem], count: int, *, seed: int = 0
) -> list[BenchmarkProblem]:
    """Keep some Origins, each with all of its variants.

    Drawn are Origins that have a variant, all equally likely. A larger draw with the same seed holds every smaller
    one, so that answers to the smaller one are a part of it.

    Args:
        problems: What to draw from.
        count: How many families; 0 keeps all problems, those without a family too.
        seed: Fixes the draw.

    Returns:
        Their problems, in the order of `problems`.

    Raises:
        SettingsError: There are fewer families.
    """
    if count == 0:
        return list(problems)
    perturbed = sorted(family_of(origin) for origin, variants in families(problems).items() if variants)
    if not 0 < count <= len(perturbed):
        raise SettingsError(
            got=f"{count} families",
            needed=f"a number from 0 (all problems) to {len(perturbed)}, the Origins here that have variants",
            fix="correct the number",
        )
    random.Random(seed).shuffle(perturbed)
    drawn = set(perturbed[:count])
    return [problem for problem in problems if family_of(problem) in drawn]
