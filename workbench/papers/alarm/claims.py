"""ALaRM's claims beside what was measured, ready for `Run.claim`.

Source: Lai et al. 2024, "ALaRM: Align Language Models via Hierarchical Rewards Modeling".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from workbench.core.paired import Effect, mean_over_seeds, paired_effect, seed_effect
from workbench.core.statistics import Estimate
from workbench.papers.alarm.arms import (
    ASPECT_ONLY,
    CENTRED,
    HIERARCHICAL,
    HOLISTIC_ONLY,
    RANDOM_GATE,
    WEIGHTED_SUM,
)
from workbench.papers.alarm.kept import kept_agreements, kept_difference, kept_shares
from workbench.papers.alarm.results import Findings
from workbench.papers.alarm.table import SeedTable
from workbench.papers.alarm.trained import Trained
from workbench.policies.outcomes import (
    BEFORE,
    own_prompts,
    scored_answers,
)
from workbench.rewards import Selection
from workbench.runs.claims import Claim

__all__ = ["PAPER", "gap_effect", "left_out_gaps", "mode_claims", "selection_claims", "translation_claims"]

PAPER = "Lai et al. 2024, ALaRM"
PERMUTATIONS = 1999


def selection_claims(findings: Findings, where: str, kept: SeedTable | None = None) -> Iterator[Claim]:
    """Yield the paper's claims about selecting aspects, for `Run.claim`.

    Args:
        findings: Of the experiment.
        where: What it was measured on, a sentence.
        kept: A table of the same experiment with more seeds; see `same_experiment`.
    """
    shares = {
        name: [findings.inconsistency_of(name, seed) for seed in findings.prepared]
        for name in findings.aspects
    }
    own = own_prompts(findings.outcomes)
    # an aspect that values all answers alike has none
    worst = max(shares, key=lambda name: np.nan_to_num(mean_over_seeds(shares[name]).value, nan=-1.0))
    chosen = findings.chosen[0]
    claim = Claim.of(
        gap_effect(shares, own=own),
        statement="Inconsistency separates aspects (worst less best, chosen on the other seeds)",
        paper=PAPER,
        paper_value="aspects differ clearly",
        note=f"Over pairs of answers to the same prompt. {where}",
    )
    yield _beside(claim, kept, _kept_gap)
    claim = Claim.of(
        findings.aspect_effect(chosen, worst),
        statement=f"The chosen aspect trains a better policy than the worst one ({chosen} against {worst})",
        paper=PAPER,
        paper_value="the chosen aspect wins",
        note=f"{findings.judged_by} after training by the hierarchy with either. {where}",
    )
    yield _beside(claim, kept, partial(kept_difference, arm=HIERARCHICAL, other=findings.arm_with(worst)))
    claim = Claim.of(
        seed_effect(findings.rank_agreements(), covers_units=own, bounds=(-1.0, 1.0)),
        statement="Inconsistency predicts which aspect trains best",
        paper=PAPER,
        paper_value="the choice by inconsistency is the best one",
        note=f"Rank correlation over {len(findings.aspects)} aspects, a seed each. {where}",
    )
    yield _beside(claim, kept, _kept_agreement)


def mode_claims(findings: Findings, where: str, kept: SeedTable | None = None) -> Iterator[Claim]:
    """Yield the paper's claims about the hierarchy, and those of the two ablations.

    Args:
        findings: Of the experiment.
        where: What it was measured on, a sentence.
        kept: A table of the same experiment with more seeds; see `same_experiment`.
    """
    compared = (
        ("The hierarchy beats the policy before training", "better", BEFORE),
        ("The hierarchy beats the holistic reward alone", "better on both tasks", HOLISTIC_ONLY),
        ("The hierarchy beats the aspect alone", "better on both tasks", ASPECT_ONLY),
        ("The hierarchy beats the weighted sum", "better on both tasks", WEIGHTED_SUM),
        ("Ablation: the hierarchy beats the zero-centred weighted sum", "not tried", CENTRED),
        ("Ablation: the hierarchy beats a random gate of the same rate", "not tried", RANDOM_GATE),
    )
    answers = scored_answers(findings.main_outcomes, findings.judged_by)
    for statement, paper_value, other in compared:
        if other not in (BEFORE, *findings.declaration.kinds):
            left_out = f"Not trained: {other} is not among the run's arms."
            yield Claim.of(None, statement=statement, paper=PAPER, paper_value=paper_value, note=left_out)
            continue
        greedy = findings.difference(HIERARCHICAL, other, decoding="greedy").estimate
        by_greedy = "" if greedy is None else f" Greedy answers: {_shown(greedy)}."
        claim = Claim.of(
            paired_effect(answers, HIERARCHICAL, other),
            statement=statement,
            paper=PAPER,
            paper_value=paper_value,
            note=f"{findings.judged_by} of sampled answers, paired by seed.{by_greedy} {where}",
        )
        yield _beside(claim, kept, partial(kept_difference, arm=HIERARCHICAL, other=other))


def translation_claims(trained: Trained, where: str, kept: SeedTable | None = None) -> Iterator[Claim]:
    """Yield the paper's claims about translation, for `Run.claim`.

    Args:
        trained: From `run_translation`.
        where: What it was measured on, a sentence.
        kept: A table of the same settings with more seeds; see `same_translation`.
    """
    outcomes, selections = trained.outcomes, trained.selections
    shares: dict[str, list[float]] = {}
    for selection in selections.values():
        for row in selection.table:
            shares.setdefault(row.name, []).append(row.inconsistency)
    claim = Claim.of(
        gap_effect(shares, own=own_prompts(outcomes)),
        statement="Translation: inconsistency separates aspects (worst less best, chosen on the other seeds)",
        paper=PAPER,
        paper_value="grammar is the most consistent",
        note=f"In each seed the least inconsistent one: {_firsts(selections)}. {where}",
    )
    yield _beside(claim, kept, _kept_gap)
    arms = dict.fromkeys(outcome.arm for outcome in outcomes)
    worst = [arm for arm in arms if arm.startswith(f"{HIERARCHICAL}, ")]
    answers = scored_answers(outcomes, trained.judged_by)
    for statement, other in (
        ("the hierarchy beats the holistic reward alone", HOLISTIC_ONLY),
        ("the hierarchy beats the weighted sum", WEIGHTED_SUM),
        *(("the chosen aspect trains a better policy than the worst one", arm) for arm in worst),
    ):
        claim = Claim.of(
            paired_effect(answers, HIERARCHICAL, other),
            statement=f"Translation: {statement}",
            paper=PAPER,
            paper_value="better",
            note=f"{trained.judged_by} of sampled translations, paired by seed. {where}",
        )
        yield _beside(claim, kept, partial(kept_difference, arm=HIERARCHICAL, other=other))


def gap_effect(shares: Mapping[str, Sequence[float]], *, own: bool) -> Effect:
    """Return how far the worst aspect is above the best, both chosen by the mean over the *other* seeds.

    Chosen on the same numbers, the worst would be above the best in every seed, whatever the aspects are. Every
    seed's gap hangs on the other seeds still, which makes Student's interval too narrow: so the p value is of a
    permutation test, which draws again which aspect has which inconsistency in each seed.

    Args:
        shares: The inconsistencies of each aspect, a seed each. An aspect without one in some seed is left out.
        own: Whether every seed has prompts of its own.
    """
    table = np.array([values for values in shares.values() if np.isfinite(values).all()], dtype=np.float64)
    if len(table) < 2 or table.shape[1] < 2:
        return seed_effect([], covers_units=own)
    gaps = left_out_gaps(table[None])[0]
    random = np.random.default_rng(0)
    drawn = random.permuted(np.broadcast_to(table, (PERMUTATIONS, *table.shape)), axis=1)
    others = left_out_gaps(drawn).mean(axis=1)
    as_far = min((others >= gaps.mean() - 1e-12).sum(), (others <= gaps.mean() + 1e-12).sum())
    chance = min(1.0, 2 * (1 + int(as_far)) / (1 + PERMUTATIONS))
    return replace(seed_effect(gaps.tolist(), covers_units=own), p_value=chance)


def left_out_gaps(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the gap of each seed. Takes [tables, aspects, seeds], returns [tables, seeds]."""
    gaps = []
    for seed in range(tables.shape[2]):
        others = np.delete(tables, seed, axis=2).mean(axis=2)
        rows, here = np.arange(len(tables)), tables[:, :, seed]
        gaps.append(here[rows, others.argmax(axis=1)] - here[rows, others.argmin(axis=1)])
    return np.stack(gaps, axis=1)


def _beside(claim: Claim, kept: SeedTable | None, measure: Callable[[SeedTable], Effect]) -> Claim:
    """Return a claim with what the kept table says of it, where there is one."""
    return claim if kept is None else claim.beside(measure(kept), kept.command)


def _kept_gap(table: SeedTable) -> Effect:
    return gap_effect(kept_shares(table), own=True)


def _kept_agreement(table: SeedTable) -> Effect:
    return seed_effect(kept_agreements(table), covers_units=True, bounds=(-1.0, 1.0))


def _firsts(selections: Mapping[int, Selection]) -> str:
    return ", ".join(selection.table[0].name for selection in selections.values())


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"
