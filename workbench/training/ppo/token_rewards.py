"""From any reward of `workbench.rewards` to a reward for each of the policy's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.core.errors import SettingsError
from workbench.models.batch import last_token
from workbench.rewards.composition import HierarchicalReward
from workbench.rewards.hierarchy import SHORTEST, passes
from workbench.rewards.placement import place_on_tokens
from workbench.rewards.spans import Reward, Sample, read_spans

__all__ = ["TokenRewards", "ending_offsets", "token_rewards"]


class TokenRewards(NamedTuple):
    """What a reward says of some responses."""

    tokens: Tensor
    """The reward of each token. Shape [batch, tokens], float32; 0 off the mask."""
    scores: dict[str, Tensor]
    """Its parts by name, for the log: `holistic`, each aspect, and `gate` (1 in the upper zone). Shape [batch] each;
    none for a reward without parts."""


def token_rewards(
    reward: Reward | HierarchicalReward,
    samples: Sequence[Sample],
    offsets: Tensor,
    mask: Tensor,
    *,
    too_short: float | None,
) -> TokenRewards:
    """Ask a reward once for all responses, and place what it says on the policy's tokens.

    Args:
        reward: Of whole responses, of parts of them, or several in ALaRM's hierarchy.
        samples: The responses.
        offsets: Characters of each token, from `decode_responses`. Shape [batch, tokens, 2].
        mask: True at the tokens that the policy chose. Shape [batch, tokens], bool.
        too_short: What answers of fewer than `SHORTEST` tokens get on their last token, and nothing else; None: they
            are no exception. A `HierarchicalReward` has a rule of its own.

    Raises:
        SettingsError: The reward does not give a number or spans for each response; see `read_spans`.
        DataError: A span ends beyond its response.
    """
    offsets = ending_offsets(offsets, mask)
    if isinstance(reward, HierarchicalReward):
        scored = reward.score(samples)
        tokens = reward.on_tokens(scored, offsets, mask)
        scores = {name: torch.tensor(found) for name, found in scored.aspect_scores().items()}
        if reward.settings.mode != "aspect_only":
            holistic = torch.tensor(scored.holistic)
            gate = passes(holistic, mask.cpu(), reward.settings.threshold)
            scores |= {"holistic": holistic, "gate": gate.double()}
        return TokenRewards(_finite(tokens, reward.name), {name: one.float() for name, one in scores.items()})
    spans = read_spans(reward(samples), samples, reward.name)
    tokens = place_on_tokens(spans, offsets, mask)
    if too_short is not None:
        short = mask.any(1) & (mask.sum(1) < SHORTEST)
        tokens = tokens.masked_fill(short[:, None], 0.0)
        rows = short.nonzero()[:, 0]
        tokens[rows, last_token(mask)[rows]] = too_short
    return TokenRewards(_finite(tokens, reward.name), {})


def ending_offsets(offsets: Tensor, mask: Tensor) -> Tensor:
    """Let a response's end token stand for its last character too.

    That an answer is as it is, or that its last sentence is, was only decided by ending there. On the token before,
    such a reward would be paid whatever came after, and going on would be the only way to earn more: the policy would
    unlearn to end.

    Args:
        offsets: Shape [batch, tokens, 2], from `decode_responses`: an end token has no characters.
        mask: Shape [batch, tokens], bool.
    """
    if not mask.shape[1]:
        return offsets
    rows, last = torch.arange(len(mask), device=mask.device), last_token(mask)
    start, end = offsets[rows, last].unbind(-1)
    bare = mask.any(1) & (start == end) & (end > 0)
    moved = offsets.clone()
    moved[rows[bare], last[bare], 0] -= 1
    return moved


def _finite(tokens: Tensor, name: str) -> Tensor:
    """Return rewards, all of them numbers."""
    if not bool(tokens.isfinite().all()):
        raise SettingsError(
            got=f"reward {name!r} gave a value that is no finite number",
            needed="finite values",
            fix="see the reward: an empty response, or a division by 0, is the usual cause",
        )
    return tokens
