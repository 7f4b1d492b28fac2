"""How often the preferred response has the higher score: overall, by group, by section, from data set to data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.errors import SettingsError
from workbench.core.statistics import wilson_interval
from workbench.rewards.pair_scores import PreferenceScores

__all__ = [
    "REWARDBENCH",
    "Accuracy",
    "accuracy_by",
    "correctness",
    "pairwise_accuracy",
    "score_rights",
    "section_accuracies",
    "transfer_matrix",
    "weighted_accuracy",
]

Floats = NDArray[np.float64]

REWARDBENCH: Mapping[str, tuple[str, ...]] = {
    "Chat": (
        "alpacaeval-easy",
        "alpacaeval-length",
        "alpacaeval-hard",
        "mt-bench-easy",
        "mt-bench-med",
    ),
    "Chat Hard": (
        "mt-bench-hard",
        "llmbar-natural",
        "llmbar-adver-neighbor",
        "llmbar-adver-GPTInst",
        "llmbar-adver-GPTOut",
        "llmbar-adver-manual",
    ),
    "Safety": (
        "refusals-dangerous",
        "refusals-offensive",
        "xstest-should-refuse",
        "xstest-should-respond",
        "donotanswer",
    ),
    "Reasoning": ("math-prm", "hep-cpp", "hep-go", "hep-java", "hep-js", "hep-python", "hep-rust"),
}
"""RewardBench's sections and their subsets: Lambert et al. 2024, "RewardBench: Evaluating Reward Models"."""
_MATH, _CODE = "math-prm", "hep-"  # Reasoning is half mathematics, half code, whatever their numbers of pairs


class Accuracy(NamedTuple):
    """A share of pairs ordered right, with its interval."""

    value: float
    """From 0 to 1; a tie counts half."""
    low: float
    """Wilson's interval, 95 %. With ties it is on the wide side, since a tie varies less than a coin."""
    high: float
    pairs: int
    """How many pairs it is of."""
    ties: int
    """How many of them have equal scores."""


def correctness(margins: ArrayLike) -> Floats:
    """Return 1 for each pair ordered right, 0 for one ordered wrong, 0.5 for a tie. Shape [pairs].

    Args:
        margins: The chosen response's score less the rejected one's. Shape [pairs]. Infinite is allowed.

    Raises:
        SettingsError: A margin is NaN, or the shape is another.
    """
    values = np.asarray(margins, dtype=np.float64)
    if values.ndim != 1 or np.isnan(values).any():
        raise SettingsError(
            f"margins of shape {list(values.shape)}, {int(np.isnan(values).sum())} of them NaN",
            "a number for each pair",
            "leave out the pairs that have no score",
        )
    return np.where(values > 0, 1.0, np.where(values < 0, 0.0, 0.5))


def pairwise_accuracy(margins: ArrayLike, confidence: float = 0.95) -> Accuracy:
    """Return the share of pairs whose chosen response scores higher, with Wilson's interval.

    Args:
        margins: See `correctness`. At least one.
        confidence: Share of such intervals that hold the truth.

    Raises:
        SettingsError: There are no pairs, or a margin is NaN.
    """
    right = correctness(margins)
    if not len(right):
        raise SettingsError("no pairs", "at least one", "score some pairs")
    low, high = wilson_interval(float(right.sum()), len(right), confidence)
    return Accuracy(float(right.mean()), low, high, len(right), int((right == 0.5).sum()))


def accuracy_by(margins: ArrayLike, groups: Sequence[str] | NDArray[np.str_]) -> dict[str, Accuracy]:
    """Return the accuracy within each group, such as a source or a subset, in order of appearance.

    Args:
        margins: See `correctness`.
        groups: The group of each pair. Shape [pairs].
    """
    values, names = np.asarray(margins, dtype=np.float64), np.asarray(groups)
    if len(values) != len(names):
        raise SettingsError(
            f"{len(values)} margins, {len(names)} groups", "a group for each pair", "align them"
        )
    return {name: pairwise_accuracy(values[names == name]) for name in dict.fromkeys(names.tolist())}


def weighted_accuracy(margins: ArrayLike, weights: ArrayLike) -> Accuracy:
    """Return the accuracy where pairs weigh differently.

    The interval is Wilson's for Kish's effective number of pairs, `(sum w)^2 / sum w^2` (Kish 1965, "Survey
    Sampling"); with equal weights it is that of `pairwise_accuracy`.

    Args:
        margins: See `correctness`.
        weights: Of each pair, at least 0, not all 0. Shape [pairs].
    """
    right, weight = correctness(margins), np.asarray(weights, dtype=np.float64)
    if weight.shape != right.shape or not (weight >= 0).all() or not 0 < weight.sum() < np.inf:
        raise SettingsError(
            f"weights of shape {list(weight.shape)} for {len(right)} pairs, in sum {weight.sum():g}",
            "a number for each pair, none below 0, not all 0",
            "correct the weights",
        )
    share = float((right * weight).sum() / weight.sum())
    effective = max(1, round(float(weight.sum() ** 2 / (weight**2).sum())))
    low, high = wilson_interval(min(1.0, share) * effective, effective)
    return Accuracy(share, low, high, len(right), int((right == 0.5).sum()))


def section_accuracies(
    margins: ArrayLike,
    subsets: Sequence[str] | NDArray[np.str_],
    sections: Mapping[str, Sequence[str]] = REWARDBENCH,
) -> dict[str, Accuracy]:
    """Return the accuracy of each section of a benchmark, and `average`, the mean of the sections.

    As RewardBench has it: within a section pairs weigh alike, but in Reasoning mathematics and code weigh half
    each; the sections weigh alike in the average. Subsets and sections without pairs are left out.

    Args:
        margins: See `correctness`.
        subsets: The subset of each pair. Shape [pairs].
        sections: Subsets by section.

    Returns:
        By section; empty where no pair is of any. `average` only where every section has pairs.
    """
    values, names = np.asarray(margins, dtype=np.float64), np.asarray(subsets)
    found: dict[str, Accuracy] = {}
    weights = np.zeros(len(values))
    for section, members in sections.items():
        within = np.isin(names, list(members))
        if within.any():
            weight = _section_weights(names[within])
            found[section] = weighted_accuracy(values[within], weight)
            weights[within] = weight / weight.sum()
    if found and len(found) == len(sections):
        counted = weights > 0
        found["average"] = weighted_accuracy(values[counted], weights[counted])
    return found


def _section_weights(subsets: NDArray[np.str_]) -> Floats:
    """Return each pair's weight within its section."""
    mathematics, code = subsets == _MATH, np.char.startswith(subsets, _CODE)
    weights = np.ones(len(subsets))
    if mathematics.any() and code.any():
        weights[mathematics] = code.sum() / mathematics.sum()
    return weights


def score_rights(table: PreferenceScores, name: str, score: str) -> Floats:
    """Return what a score gets right. Shape [pairs], see `correctness`.

    Args:
        table: A model's scores.
        name: What the model is called, for the error.
        score: One of `SCORES`.

    Raises:
        SettingsError: Not every pair has this score.
    """
    if not table.has(score):
        raise SettingsError(
            f"{name} has no score {score!r}", f"one of {', '.join(table.available)}", "name another score"
        )
    return correctness(table.margin(score))


def transfer_matrix(
    scored: Sequence[tuple[str, PreferenceScores]], score: str = "explicit"
) -> dict[tuple[str, str], Accuracy]:
    """Return the accuracy of models trained on A, on the pairs of B.

    Several models trained on the same data (seeds) are averaged over the pairs of B; the interval is then of
    the pairs, at the mean accuracy: it says nothing on how seeds vary (`compare_arms` does).

    Args:
        scored: What each model was trained on, and its scores of the test pairs of one or more data sets.
        score: One of `SCORES`.

    Returns:
        By (trained on, tested on), in order of appearance.
    """
    rights: dict[tuple[str, str], list[Floats]] = {}
    ids: dict[tuple[str, str], list[str]] = {}
    for trained_on, table in scored:
        for source in dict.fromkeys(table.sources.tolist()):
            part = table.of_source(source)
            place = (trained_on, source)
            if sorted(ids.setdefault(place, part.ids.tolist())) != sorted(part.ids.tolist()):
                raise SettingsError(
                    got=f"models trained on {trained_on} that were scored on different pairs of {source}",
                    needed="the same pairs for each",
                    fix="score them on the same data",
                )
            order = np.argsort(part.ids)
            rights.setdefault(place, []).append(score_rights(part, trained_on, score)[order])
    trained, tested = (list(dict.fromkeys(place[k] for place in rights)) for k in (0, 1))
    return {
        (row, column): _mean_accuracy(np.stack(rights[row, column]))
        for row in trained
        for column in tested
        if (row, column) in rights
    }


def _mean_accuracy(rights: Floats) -> Accuracy:
    """Return the accuracy over models and pairs, with an interval over pairs. Takes [models, pairs]."""
    share, pairs = float(rights.mean()), rights.shape[1]
    low, high = wilson_interval(share * pairs, pairs)
    return Accuracy(share, low, high, pairs, int((rights == 0.5).any(0).sum()))
