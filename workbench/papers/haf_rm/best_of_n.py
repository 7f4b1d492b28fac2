"""How good the answer is that each reward model of the experiment picks among n."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.core.paired import Effect, long_table, paired_effect
from workbench.core.statistics import (
    bootstrap_interval,
    paired_t_interval,
)
from workbench.papers.haf_rm.data import Regime
from workbench.papers.haf_rm.results import Findings
from workbench.rewards.best_of_n import BestOfNPoint, best_of_n_curve, best_of_n_value

__all__ = ["LIKELIHOOD", "best_of_n_curves", "best_of_n_gain", "oracle_curve"]

LIKELIHOOD = "untrained logp, sum"
Floats = NDArray[np.float64]


def best_of_n_curves(
    findings: Findings, regime: Regime, test: str, ns: Sequence[int]
) -> dict[str, tuple[BestOfNPoint, ...]]:
    """Return the utility of the answer picked among n, in the mean over prompts, by what picks.

    Args:
        findings: Of an experiment whose answers have a utility.
        regime: What the arms were trained in.
        test: A test set.
        ns: Numbers of answers to pick among.

    Returns:
        A curve for each arm, with a 95 % t interval over seeds (of a single seed: bootstrap over prompts), and one
        for the backbone's own log-probability, with the bootstrap.
    """
    arms = dict.fromkeys(outcome.arm for outcome in findings.outcomes if outcome.regime == regime)
    values = {
        arm: [findings.text_scores(outcome) for outcome in findings.outcomes_of(regime, arm)] for arm in arms
    }
    values[LIKELIHOOD] = [findings.reference_logps]
    return {
        name: tuple(_point(n, [_picked(findings, test, n, scores) for scores in each]) for n in ns)
        for name, each in values.items()
    }


def oracle_curve(findings: Findings, test: str, ns: Sequence[int]) -> tuple[BestOfNPoint, ...]:
    """Return the utility of picking by the true utility itself, an upper bound."""
    utilities = [candidates.utilities for candidates in findings.data.candidates[test]]
    return best_of_n_curve(utilities, utilities, ns)


def best_of_n_gain(findings: Findings, first: str, second: str, regime: Regime, n: int) -> Effect:
    """Return the utility that one arm picks of n answers less what another picks, over seeds and prompts.

    All test sets weigh the same.
    """
    rows = [
        (arm, outcome.seed, candidates.prompt, "utility", float(value), test)
        for arm in (first, second)
        for outcome in findings.outcomes_of(regime, arm)
        for test, few in findings.data.candidates.items()
        for candidates, value in zip(
            few, _picked(findings, test, n, findings.text_scores(outcome)), strict=True
        )
    ]
    return paired_effect(long_table(rows), first, second)


def _picked(findings: Findings, test: str, n: int, values: Floats) -> Floats:
    """Return the expected utility of the best of n answers to each prompt of a test set. Shape [prompts]."""
    picked = []
    for candidates in findings.data.candidates[test]:
        places = [findings.numbers[candidates.prompt, text] for text in candidates.responses]
        picked.append(best_of_n_value(values[places], candidates.utilities, n))
    return np.array(picked)


def _point(n: int, by_seed: Sequence[Floats]) -> BestOfNPoint:
    """Return a point of a curve from each seed's utilities, of shape [prompts]."""
    prompts = len(by_seed[0])
    if len(by_seed) == 1:
        return BestOfNPoint(
            n, float(by_seed[0].mean()), *bootstrap_interval(by_seed[0], resamples=2000), prompts
        )
    return BestOfNPoint(n, *paired_t_interval([float(utilities.mean()) for utilities in by_seed]), prompts)
