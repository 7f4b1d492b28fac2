"""What a reward model makes of one text, token by token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from workbench.rewards.scorer import Scorer

__all__ = ["TokenTrace", "trace"]


class TokenTrace(NamedTuple):
    """What a model makes of one response, token by token."""

    tokens: tuple[str, ...]
    """The response's tokens as text."""
    policy_logps: tuple[float, ...]
    """`log pi(y_t | x, y_<t)` of each."""
    rewards: tuple[float, ...]
    """The explicit reward, were the response to end after each."""


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
