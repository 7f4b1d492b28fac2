"""What a reward model makes of texts: all of them at once, and one of them token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from workbench.rewards.scorer import Scorer

__all__ = ["measured"]


def measured(scorer: Scorer, texts: Sequence[tuple[str, str]]) -> dict[str, NDArray[Any]]:
    """Score texts in batches of like length, with the responses to one prompt together.

    Returns:
        As `Scorer.measure`, in the order of the texts. Shape [texts].
    """
    encoded = scorer.encode(texts)
    order = np.array(
        sorted(
            range(len(texts)),
            key=lambda k: (encoded.texts[k].prompt_tokens, texts[k][0], len(encoded.texts[k].tokens)),
        )
    )
    size = scorer.settings.batch_size
    parts = [scorer.measure(encoded.pick(order[i : i + size].tolist())) for i in range(0, len(order), size)]
    back = np.argsort(order)
    return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}
