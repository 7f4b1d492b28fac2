"""Make tables of scores by hand, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from workbench.rewards.pair_scores import PreferenceScores


def make_scores(
    margins: ArrayLike,
    *,
    implicit: ArrayLike | None = None,
    sources: Sequence[str] | None = None,
    subsets: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    characters: Sequence[tuple[int, int]] | None = None,
    **others: Any,
) -> PreferenceScores:
    """Return a table whose explicit and (at beta 1) implicit margins are those given; NaN: no such score."""
    explicit = np.asarray(margins, dtype=float)
    pairs, nothing = len(explicit), np.zeros(len(explicit))
    policy = np.full(pairs, np.nan) if implicit is None else np.asarray(implicit, dtype=float)
    reference = np.full(pairs, np.nan) if implicit is None else nothing
    lengths = np.array(characters or [(20, 10)] * pairs)
    values: dict[str, Any] = {
        "ids": np.array(ids or [f"pair-{k:03}" for k in range(pairs)]),
        "sources": np.array(sources or ["hh"] * pairs),
        "subsets": np.array(subsets or [""] * pairs),
        "rewards": np.stack([explicit, nothing], axis=1),
        "policy_logps": np.stack([policy, 0 * policy], axis=1),
        "reference_logps": np.stack([reference, reference], axis=1),
        "tokens": lengths // 2,
        "reference_tokens": lengths // 2,
        "characters": lengths,
        "truncated": np.zeros((pairs, 2), dtype=bool),
        "beta": 1.0,
    }
    return PreferenceScores(**values | others)
