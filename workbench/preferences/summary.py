"""All that is said about a model's scores of preference pairs, as one plain value."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from workbench.preferences.accuracy import (
    Accuracy,
    accuracy_by,
    pairwise_accuracy,
)
from workbench.preferences.benchmarks import section_scores
from workbench.preferences.bias import agreement, length_bias
from workbench.preferences.calibration import calibrate
from workbench.preferences.comparison import compare_pairs
from workbench.rewards.pair_scores import BASELINES, LEARNT, PreferenceScores
from workbench.store.plain import to_plain

__all__ = ["accuracies", "summarize_preferences"]

Group = tuple[str, str]
"""A source and a subset; both empty for all pairs, the subset empty for a whole source."""


def accuracies(table: PreferenceScores, score: str) -> dict[Group, Accuracy]:
    """Return a score's accuracy on each data set, on each of its subsets, and on all pairs.

    Args:
        table: The scores.
        score: One of `SCORES` that every pair has.

    Returns:
        By source and subset, each source before its subsets; ('', '') for all, where there are several sources.
    """
    margins = table.margin(score)
    found: dict[Group, Accuracy] = {}
    for source in dict.fromkeys(table.sources.tolist()):
        rows = table.sources == source
        found[source, ""] = pairwise_accuracy(margins[rows])
        subsets = accuracy_by(margins[rows], table.subsets[rows])
        found |= {(source, name): accuracy for name, accuracy in subsets.items() if name}
    if len({source for source, _ in found}) > 1:
        found["", ""] = pairwise_accuracy(margins)
    return found


def summarize_preferences(table: PreferenceScores, *, seed: int = 0) -> dict[str, Any]:
    """Return everything as plain JSON values: what `results.json` holds.

    Args:
        table: At least one pair.
        seed: Fixes bootstraps and the calibration's halves.

    Returns:
        `pairs`, `truncated`, `beta`; `accuracy` by score, source and subset; `sections` by source and score, for
        benchmarks that have them; `against_baselines` (paired differences), `calibration`, `length` by learnt score;
        `agreement` of explicit and implicit reward, where there are both.
    """
    learnt = [name for name in LEARNT if table.has(name)]
    lengths = table.characters.T
    summary = {
        "pairs": len(table),
        "sources": {
            source: int((table.sources == source).sum()) for source in dict.fromkeys(table.sources.tolist())
        },
        "truncated": int(table.truncated.any(1).sum()),
        "beta": table.beta,
        "accuracy": [
            {"score": score, "source": source, "subset": subset, **accuracy._asdict()}
            for score in table.available
            for (source, subset), accuracy in accuracies(table, score).items()
        ],
        "sections": _sections(table),
        "against_baselines": [
            {"score": score, "baseline": baseline, **_compared(table, score, baseline, seed)}
            for score in learnt
            for baseline in BASELINES
            if table.has(baseline)
        ],
        "calibration": {name: asdict(calibrate(table.margin(name), seed=seed)) for name in learnt},
        "length": {name: asdict(length_bias(table.margin(name), *lengths)) for name in learnt},
        "agreement": asdict(agreement(*map(table.margin, LEARNT))) if len(learnt) == 2 else None,
    }
    plain: dict[str, Any] = to_plain(summary)
    return plain


def _sections(table: PreferenceScores) -> list[dict[str, Any]]:
    """Return the sections of the sources that have them, as rows."""
    rows = []
    for source in dict.fromkeys(table.sources.tolist()):
        part = table.of_source(source)
        for score in table.available:
            found = section_scores(part, score)
            rows += [
                {"score": score, "source": source, "section": name, **accuracy._asdict()}
                for name, accuracy in found.items()
            ]
    return rows


def _compared(table: PreferenceScores, score: str, baseline: str, seed: int) -> dict[str, Any]:
    found = compare_pairs(table.margin(score), table.margin(baseline), seed=seed)
    value, low, high = found.difference
    return {"difference": value, "low": low, "high": high, "p_value": found.p_value}
