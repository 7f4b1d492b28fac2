"""Best-of-N: how good the response is that a reward picks among n, estimated without bias from N >= n samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.errors import SettingsError
from workbench.core.statistics import Estimate, bootstrap_interval
from workbench.generators.completion import Completion, Prompt, TextGenerator, as_known, texts_in_order
from workbench.generators.sampling import sample_seed
from workbench.rewards.scoring import reward_values
from workbench.rewards.spans import Reward
from workbench.store.journal import Journal, content_key

__all__ = [
    "BestOfN",
    "BestOfNPoint",
    "PromptSamples",
    "best_of_n",
    "best_of_n_curve",
    "best_of_n_value",
    "pick_probabilities",
    "sample_responses",
]

Floats = NDArray[np.float64]
NS = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class PromptSamples:
    """Independent samples of responses to one prompt."""

    prompt: str
    responses: tuple[str, ...]
    """In the order drawn; repeats stay: they are part of what a policy does."""


class BestOfNPoint(NamedTuple):
    """One point of a curve."""

    n: int
    """Responses that the reward picks among."""
    value: float
    """Expected truth of the one it picks, over problems."""
    low: float
    """Interval by bootstrap over problems, 95 %."""
    high: float
    problems: int


@dataclass(frozen=True)
class BestOfN:
    """What a reward picks, what could be picked, and from what it was computed."""

    curve: tuple[BestOfNPoint, ...]
    """By the reward."""
    best: tuple[BestOfNPoint, ...]
    """By the truth itself: the most that any reward could reach."""
    gains: tuple[BestOfNPoint, ...]
    """Picked by the reward less drawn at random, problem by problem."""
    rewards: tuple[Floats, ...]
    """Of each problem's samples. Shape [samples]."""
    truths: tuple[Floats, ...]
    """The same."""


def pick_probabilities(rewards: ArrayLike, n: int) -> Floats:
    """Return how likely each of N samples is the best-of-n: over all choices of n of them, ties broken evenly.

    With m samples of lower reward and k of this one, the k together are it in `C(m + k, n) - C(m, n)` of the
    `C(N, n)` choices. Whole numbers throughout: exact for any N.

    Args:
        rewards: Shape [N].
        n: From 1 to N.

    Returns:
        Shape [N]; their sum is 1.

    Raises:
        SettingsError: n is out of range, or a reward is not finite.

    Source: the estimator of pass@k (Chen et al. 2021, Eq. 1), for rewards instead of passing.
    """
    values = _finite(rewards, "rewards")
    total = len(values)
    if not 1 <= n <= total:
        raise SettingsError(f"best of {n} from {total} samples", f"n from 1 to {total}", "draw more samples")
    probabilities = np.zeros(total)
    choices, lower = math.comb(total, n), 0
    for level in np.unique(values):
        group = values == level
        reached = lower + int(group.sum())
        together = (math.comb(reached, n) - math.comb(lower, n)) / choices
        probabilities[group] = together / group.sum()
        lower = reached
    return probabilities


def best_of_n_value(rewards: ArrayLike, truths: ArrayLike, n: int) -> float:
    """Return the expected truth of the best-of-n by reward, for one problem, from N >= n independent samples.

    Unbiased: it is the mean over all choices of n of the N samples (a U-statistic).

    Args:
        rewards: What is picked by. Shape [N].
        truths: What is counted, such as utility or correctness. Shape [N].
        n: From 1 to N.

    Raises:
        SettingsError: They differ in length, are not finite, or n is out of range.
    """
    values, true = _finite(rewards, "rewards"), _finite(truths, "truths")
    if len(values) != len(true):
        raise SettingsError(
            f"{len(values)} rewards, {len(true)} truths", "one of each a sample", "align them"
        )
    return float(pick_probabilities(values, n) @ true)


def best_of_n_curve(
    rewards: Sequence[ArrayLike],
    truths: Sequence[ArrayLike],
    ns: Sequence[int] | None = None,
    *,
    seed: int = 0,
) -> tuple[BestOfNPoint, ...]:
    """Return the expected truth over n, averaged over problems, with an interval by bootstrap over problems.

    Args:
        rewards: For each problem, those of its samples. Problems may have different numbers of samples.
        truths: The same of what is counted.
        ns: The n to compute; powers of two up to the fewest samples that a problem has if None.
        seed: Fixes the bootstrap.

    Raises:
        SettingsError: There are no problems; see `best_of_n_value`.
    """
    if not rewards or len(rewards) != len(truths):
        raise SettingsError(
            f"rewards of {len(rewards)} problems, truths of {len(truths)}",
            "those of the same problems",
            "align them",
        )
    fewest = min(len(np.asarray(reward)) for reward in rewards)
    points = []
    for n in [n for n in NS if n <= fewest] if ns is None else ns:
        values = np.array([best_of_n_value(one, two, n) for one, two in zip(rewards, truths, strict=True)])
        points.append(BestOfNPoint(n, *_mean(values, seed), len(values)))
    return tuple(points)


def sample_responses(
    generator: TextGenerator,
    prompts: Sequence[str],
    samples: int,
    *,
    seed: int = 0,
    path: str | Path | None = None,
) -> list[PromptSamples]:
    """Draw responses; each has a seed of its own.

    Args:
        generator: Whatever writes texts and takes seeds: a model here or behind an endpoint.
        prompts: What to respond to; for a chat model each is the user's turn.
        samples: Responses a prompt.
        seed: Fixes all of them.
        path: A JSON-lines file that responses are written to as they come; what is in it is not drawn again.

    Raises:
        GeneratorError: The generator gives not as many as asked, or an endpoint gives no answer to some.
        DataError: The file cannot be used.
    """
    asked = [
        Prompt(prompt, seed=sample_seed(seed, number, sample))
        for number, prompt in enumerate(prompts)
        for sample in range(samples)
    ]
    keys = [content_key(generator.fingerprint, one.text, one.seed) for one in asked]
    with Journal(path) as journal:
        found = {
            place: Completion.of(journal.known[key]) for place, key in enumerate(keys) if key in journal.known
        }
        left = [place for place in range(len(asked)) if place not in found]
        for number, completion in as_known(generator, [asked[place] for place in left]):
            found[left[number]] = completion
            if not completion.is_missing:  # asked again, it may come
                journal.add({"key": keys[left[number]], **completion.row()})
    texts = texts_in_order(found.items(), len(asked))
    return [
        PromptSamples(prompt, tuple(texts[number * samples : (number + 1) * samples]))
        for number, prompt in enumerate(prompts)
    ]


def best_of_n(
    samples: Sequence[PromptSamples],
    reward: Reward,
    truth: Reward,
    *,
    ns: Sequence[int] | None = None,
    seed: int = 0,
) -> BestOfN:
    """Let a reward pick among samples, and say how good its picks are by another.

    Args:
        samples: Of each problem; from `sample_responses` or from elsewhere.
        reward: What picks.
        truth: What is counted: an oracle's utility, a judge's points, another reward.
        ns: See `best_of_n_curve`.
        seed: Fixes the bootstrap.

    Raises:
        SettingsError: There are no samples, or n is larger than a problem has.
    """
    if not samples:
        raise SettingsError("no samples", "those of at least one prompt", "draw some by sample_responses")
    texts = [(one.prompt, response) for one in samples for response in one.responses]
    ends = np.cumsum([len(sample.responses) for sample in samples])[:-1]
    rewards, truths = (tuple(np.split(reward_values(which, texts), ends)) for which in (reward, truth))
    curve = best_of_n_curve(rewards, truths, ns, seed=seed)
    gains = []
    for point in curve:
        picked = [best_of_n_value(one, two, point.n) for one, two in zip(rewards, truths, strict=True)]
        random = [float(one.mean()) for one in truths]
        gains.append(BestOfNPoint(point.n, *_mean(np.subtract(picked, random), seed), len(picked)))
    best = best_of_n_curve(truths, truths, [point.n for point in curve], seed=seed)
    return BestOfN(curve, best, tuple(gains), rewards, truths)


def _mean(values: Floats, seed: int) -> Estimate:
    return Estimate(float(values.mean()), *bootstrap_interval(values, seed=seed))


def _finite(values: ArrayLike, name: str) -> Floats:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise SettingsError(
            f"{name} of shape {list(vector.shape)}, {int((~np.isfinite(vector)).sum())} of them not finite",
            "a finite number for each sample",
            "leave these samples out, or give them a low number",
        )
    return vector
