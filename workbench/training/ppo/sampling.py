"""Sample responses in batches with a cache, and keep their log-probabilities and values as they were sampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.training.ppo.layouts import Decoding, PromptBatch
from workbench.training.ppo.losses import allowed_log_softmax
from workbench.training.ppo.policy import ValuedPolicy

__all__ = ["Responses", "draw", "sample"]


class Responses(NamedTuple):
    """Sampled responses, padded at the right with 0. Each of shape [batch, tokens]."""

    ids: Tensor
    """int64."""
    mask: Tensor
    """True at what the policy chose: all up to its stop token, or up to where it was cut off. bool."""
    logps: Tensor
    """Of each token, under the distribution that it was sampled from. float32, 0 off the mask."""
    values: Tensor
    """Of the value head, before each token. The same."""
    entropies: Tensor
    """Of the distribution that each token was sampled from, in nats. The same."""


@torch.no_grad()
def sample(
    policy: ValuedPolicy,
    prompts: PromptBatch,
    uniform: Tensor,
    *,
    stop_tokens: Sequence[int],
    allowed: Tensor | None = None,
    temperature: float = 1.0,
    greedy: bool = False,
) -> Responses:
    """Write a response to each prompt, up to a stop token or a number of tokens.

    No token is ever forced: a stop token is there if the policy chose it. Log-probabilities and values come from the
    states that the tokens were sampled from, so they cost no further pass. Rows that ended leave the batch. What a
    row becomes does not depend on those beside it, but for rounding: its random numbers are its own.

    Args:
        policy: In evaluation mode.
        prompts: On its device.
        uniform: Numbers from 0 to below 1, one for each token. Shape [batch, tokens], float64: responses are at most
            so long.
        stop_tokens: Each ends a response, see `stop_token_ids`; none: all are as long as they may.
        allowed: True where a token may be sampled. Shape [vocabulary], bool; None: all may.
        temperature: Of sampling.
        greedy: Take the most probable token instead.
    """
    batch, longest = uniform.shape
    uniform = uniform.to(prompts.ids.device, torch.float32 if prompts.ids.device.type == "mps" else None)
    ids = torch.zeros(batch, longest, dtype=torch.long, device=prompts.ids.device)
    mask = torch.zeros_like(ids, dtype=torch.bool)
    logps, values, entropies = torch.zeros(3, batch, longest, device=ids.device).unbind()
    stops = torch.tensor(stop_tokens, dtype=torch.long, device=ids.device)
    held = torch.arange(batch, device=ids.device)
    writes = torch.ones_like(held, dtype=torch.bool)
    decoding = policy.start(prompts)
    head = policy.head
    for column in range(longest):
        log_probs = allowed_log_softmax(head(decoding.states), allowed, temperature=temperature)
        chances = log_probs.exp()
        tokens = chances.argmax(-1) if greedy else draw(chances, uniform[held, column])
        mask[held, column] = writes
        ids[held, column] = tokens.where(writes, 0)
        logps[held, column] = log_probs.gather(1, tokens[:, None])[:, 0].where(writes, 0)
        values[held, column] = policy.values(decoding.states).where(writes, 0)
        entropies[held, column] = torch.special.entr(chances).sum(-1).where(writes, 0)
        if column + 1 == longest:
            break
        if stop_tokens:
            writes = writes & ~torch.isin(tokens, stops)
            left = int(writes.sum())
            if not left:
                break
            held, writes, tokens = _without_ended(decoding, held, writes, tokens, left)
        decoding.advance(tokens)
    width = int(mask.any(0).sum())
    return Responses(*(tensor[:, :width] for tensor in (ids, mask, logps, values, entropies)))


def draw(chances: Tensor, uniform: Tensor) -> Tensor:
    """Return tokens drawn by inverting their cumulative distribution: one random number a token.

    Args:
        chances: Probabilities. Shape [rows, vocabulary]; 0 at tokens that are never drawn.
        uniform: Random numbers from 0 to below 1. Shape [rows], float64 where the device has it.
    """
    cumulative = chances.cumsum(-1, dtype=uniform.dtype)  # in float64, small chances are not lost
    total = cumulative[:, -1]
    # below the total even where rounding reaches it: the last token may have no mass
    aim = torch.minimum(uniform * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, aim[:, None], right=True)[:, 0]


def _without_ended(
    decoding: Decoding, held: Tensor, writes: Tensor, tokens: Tensor, left: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Let rows that ended leave the batch, once they are a quarter of it: each time the cache is copied.

    A cache whose rows cannot leave keeps them all to the end.
    """
    if not decoding.drops or 4 * left > 3 * len(held):
        return held, writes, tokens
    rows = writes.nonzero()[:, 0]
    decoding.keep(rows)
    return held[rows], writes[rows], tokens[rows]
