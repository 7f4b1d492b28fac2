"""What a reward model makes of texts: all of them at once, and one of them token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from workbench.rewards.scorer import Scorer

__all__ = ["TokenTrace", "measured", "trace"]


class TokenTrace(NamedTuple):
    """What a model makes of one response, token by token."""

    tokens: tuple[str, ...]
    """The response's tokens as text."""
    policy_logps: tuple[float, ...]
    """`log pi(y_t | x, y_<t)` of each."""
    rewards: tuple[float, ...]
    """The explicit reward, were the response to end after each."""


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


def trace(scorer: Scorer, prompt: str, response: str) -> TokenTrace:
    """Return what a model makes of a response, token by token, its end token included."""
    import torch

    from workbench.models.encoding import EncodedText, collate

    (text,) = scorer.encode([(prompt, response)]).texts
    ends = range(text.prompt_tokens + 1, len(text.tokens) + 1)
    batch = collate([EncodedText(text.tokens[:end], text.prompt_tokens) for end in ends]).to(
        scorer.model.device
    )
    with torch.no_grad():
        output = scorer.model(*batch)
    whole: Any = output.token_logps[-1, text.prompt_tokens :]
    return TokenTrace(
        tokens=tuple(scorer.tokenizer.convert_ids_to_tokens(text.tokens[text.prompt_tokens :].tolist())),
        policy_logps=tuple(whole.double().tolist()),
        rewards=tuple(output.scores.double().tolist()),
    )
