"""ALaRM's claims beside what was measured, ready for `Run.claim`.

Source: Lai et al. 2024, "ALaRM: Align Language Models via Hierarchical Rewards Modeling".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.statistics import Estimate, paired_t_interval
from workbench.papers.alarm.arms import (
    ASPECT_ONLY,
    CENTRED,
    HIERARCHICAL,
    HOLISTIC_ONLY,
    RANDOM_GATE,
    WEIGHTED_SUM,
)
from workbench.papers.alarm.results import Findings, mean_over_seeds
from workbench.policies.comparison import difference
from workbench.policies.outcomes import BEFORE, HOLISTIC, ORACLE, PolicyOutcome, measures
from workbench.rewards import Selection

__all__ = ["PAPER", "left_out_gaps", "mode_claims", "selection_claims", "translation_claims"]

PAPER = "Lai et al. 2024, ALaRM"


def selection_claims(findings: Findings, where: str) -> Iterator[dict[str, Any]]:
    """Yield what the paper says of choosing aspects, each as the arguments of `Run.claim`.

    Args:
        findings: Of the experiment.
        where: What it was measured on, a sentence.
    """
    shares = {
        name: [findings.inconsistency_of(name, seed) for seed in findings.prepared]
        for name in findings.aspects
    }
    # an aspect that values all answers alike has none
    worst = max(shares, key=lambda name: np.nan_to_num(mean_over_seeds(shares[name]).value, nan=-1.0))
    chosen = findings.chosen[0]
    yield {
        "statement": "Inconsistency tells aspects apart: the worst less the best, both named by the other seeds",
        "paper_value": "aspects differ clearly",
        **_verdict(left_out_gaps(shares), f"Over pairs of answers to the same prompt. {where}"),
    }
    best, other = findings.after_training(chosen), findings.after_training(worst)
    yield {
        "statement": f"The chosen aspect trains a better policy than the worst one ({chosen} against {worst})",
        "paper_value": "the chosen aspect wins",
        **_verdict(
            [best[seed] - other[seed] for seed in sorted(set(best) & set(other))],
            f"{findings.judged_by} after training by the hierarchy with either. {where}",
        ),
    }
    yield {
        "statement": "Inconsistency predicts which aspect trains best",
        "paper_value": "the choice by inconsistency is the best one",
        **_within(
            findings.rank_agreements(),
            f"Rank correlation over {len(findings.aspects)} aspects, a seed each. {where}",
        ),
    }


def mode_claims(findings: Findings, where: str) -> Iterator[dict[str, Any]]:
    """Yield what the paper says of the hierarchy, and what the two added arms say of its cause.

    Args:
        findings: Of the experiment.
        where: What it was measured on, a sentence.
    """
    compared = (
        ("The hierarchy beats the policy before training", "better", BEFORE),
        ("The hierarchy beats the holistic reward alone", "better on both tasks", HOLISTIC_ONLY),
        ("The hierarchy beats the aspect alone", "better on both tasks", ASPECT_ONLY),
        ("The hierarchy beats the weighted sum", "better on both tasks", WEIGHTED_SUM),
        ("The hierarchy beats a weighted sum without a gain for every sentence", "not tried", CENTRED),
        ("Its gate is more than thinning: it beats a random gate of the same rate", "not tried", RANDOM_GATE),
    )
    for statement, paper_value, other in compared:
        found, seeds = findings.difference(HIERARCHICAL, other)
        greedy, _ = findings.difference(HIERARCHICAL, other, decoding="greedy")
        told = "" if greedy is None else f" Greedy: {_shown(greedy)}."
        yield {
            "statement": statement,
            "paper_value": paper_value,
            **_claim(found, seeds, f"{findings.judged_by} of sampled answers, paired by seed.{told} {where}"),
        }


def translation_claims(
    outcomes: Sequence[PolicyOutcome], selections: Mapping[int, Selection]
) -> Iterator[dict[str, Any]]:
    """Yield what the paper says of translation, each as the arguments of `Run.claim`.

    Args:
        outcomes: Of the arms that `alarm_translation` names.
        selections: By seed.
    """
    frame = measures(outcomes)
    known = ORACLE in set(frame["measure"])
    judged_by = ORACLE if known else HOLISTIC
    where = "A small Spanish of our own." if known else "Public data, where nobody knows the truth."
    shares: dict[str, list[float]] = {}
    for selection in selections.values():
        for row in selection.table:
            shares.setdefault(row.name, []).append(row.inconsistency)
    yield {
        "statement": "Translation: inconsistency tells aspects apart, worst less best, named by the other seeds",
        "paper_value": "grammar is the most consistent",
        **_verdict(
            left_out_gaps(shares), f"In each seed the least inconsistent one: {_firsts(selections)}. {where}"
        ),
    }
    arms = dict.fromkeys(one.arm for one in outcomes)
    worst = [arm for arm in arms if arm.startswith(f"{HIERARCHICAL}, ")]
    for statement, paper_value, other in (
        ("the hierarchy beats the holistic reward alone", "better", HOLISTIC_ONLY),
        ("the hierarchy beats the weighted sum", "better", WEIGHTED_SUM),
        *(("the chosen aspect trains a better policy than the worst one", "better", arm) for arm in worst),
    ):
        found, seeds = difference(frame, HIERARCHICAL, other, judged_by)
        yield {
            "statement": f"Translation: {statement}",
            "paper_value": paper_value,
            **_claim(found, seeds, f"{judged_by} of sampled translations, paired by seed. {where}"),
        }


def left_out_gaps(shares: Mapping[str, Sequence[float]]) -> list[float]:
    """Return how far the worst aspect of each seed is above the best, both named by the mean over the *other* seeds.

    Named by the same numbers, the worst would be above the best in every seed, whatever the aspects are.

    Args:
        shares: The inconsistencies of each aspect, a seed each. An aspect without one in some seed is left out.

    Returns:
        A gap a seed; none for fewer than two seeds or two aspects.
    """
    table = np.array([values for values in shares.values() if np.isfinite(values).all()], dtype=np.float64)
    if len(table) < 2 or table.shape[1] < 2:
        return []
    gaps = []
    for seed in range(table.shape[1]):
        others = np.delete(table, seed, axis=1).mean(axis=1)
        gaps.append(float(table[others.argmax(), seed] - table[others.argmin(), seed]))
    return gaps


def _firsts(selections: Mapping[int, Selection]) -> str:
    return ", ".join(one.table[0].name for one in selections.values())


def _verdict(values: list[float], note: str) -> dict[str, Any]:
    """Return a claim's measurement from a value for each seed."""
    return _claim(paired_t_interval(values) if len(values) > 1 else None, len(values), note)


def _within(correlations: list[float], note: str) -> dict[str, Any]:
    """Return a claim's measurement from a correlation for each seed: its interval ends where correlations do."""
    claim = _verdict(correlations, note)
    if "interval" in claim:
        low, high = claim["interval"]
        claim["interval"] = max(low, -1.0), min(high, 1.0)
    return claim


def _claim(found: Estimate | None, seeds: int, note: str) -> dict[str, Any]:
    """Return what was measured, and whether it decides: the whole interval on one side of 0."""
    if found is None:
        return {"paper": PAPER, "seeds": seeds, "note": note + " Fewer than two seeds decide nothing."}
    return {
        "paper": PAPER,
        "measured": found.value,
        "interval": (found.low, found.high),
        "threshold": 0.0,
        "seeds": seeds,
        "supported": found.above(),
        "note": note,
    }


def _shown(found: Estimate) -> str:
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
