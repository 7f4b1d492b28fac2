"""From token rewards to advantages: which tokens take part, KL penalty, GAE, whitening. True = participates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.core.errors import SettingsError

__all__ = [
    "Advantages",
    "check_tokens",
    "generalized_advantages",
    "masked_mean",
    "penalized_rewards",
    "sampled_mask",
    "whiten",
]


class Advantages(NamedTuple):
    """What GAE gives; both of shape [batch, tokens], 0 off the mask."""

    advantages: Tensor
    """`A_t`: how much better each token did than the value head expected."""
    returns: Tensor
    """`A_t + V_t`: what the value head learns to predict."""


def sampled_mask(
    response_ids: Tensor, end_token_id: int | Sequence[int] | None, forced: Tensor | None = None
) -> Tensor:
    """Tell which tokens of a rollout the policy chose: all that PPO may give reward or gradient to.

    These are the tokens up to the first stop token, it included. Padding after it is not chosen, whatever token it
    is, and neither is a token that the sampler put there itself, such as an end token at the length limit.

    Args:
        response_ids: What was generated, without the prompt. Shape [batch, tokens], int64.
        end_token_id: The token that ends a response, or several that do; None where sampling never ends one.
        forced: True where the sampler had its own way. Shape [batch, tokens], bool.

    Returns:
        Shape [batch, tokens], bool. A row may be empty of True: an answer that ended before it began.

    Raises:
        SettingsError: Shapes do not fit.
    """
    if forced is not None and (forced.shape != response_ids.shape or forced.dtype != torch.bool):
        raise SettingsError(
            got=f"forced {forced.dtype} {list(forced.shape)}",
            needed=f"forced: bool, {list(response_ids.shape)}",
            fix="mark each token that was not sampled",
        )
    if end_token_id is None:
        mask = torch.ones_like(response_ids, dtype=torch.bool)
    else:
        ended = torch.isin(response_ids, torch.as_tensor(end_token_id, device=response_ids.device)).long()
        mask = ended.cumsum(1) - ended == 0
    return mask if forced is None else mask & ~forced


def penalized_rewards(rewards: Tensor, kl: Tensor, mask: Tensor, *, coefficient: float) -> Tensor:
    """Return `r_t - coefficient * KL_t` on the mask, 0 elsewhere (Ziegler et al. 2019, Eq. 2, token by token).

    Args:
        rewards: Shape [batch, tokens], floating.
        kl: Of the same shape, such as `token_kl` gives; taken as a number: no gradient flows through it.
        mask: Shape [batch, tokens], bool.
        coefficient: The KL coefficient, at least 0.
    """
    check_tokens(mask, rewards=rewards, kl=kl)
    return torch.where(mask, rewards - coefficient * kl.detach(), 0.0)


@torch.no_grad()
def generalized_advantages(
    rewards: Tensor, values: Tensor, mask: Tensor, *, gamma: float = 1.0, lam: float = 0.95
) -> Advantages:
    """Return generalized advantage estimates: `A_t = sum_k (gamma * lam)^k * delta_(t+k)`.

    With `delta_t = r_t + gamma * V_(t+1) - V_t`, and `V = 0` after the last token. The next token is the next one on
    the mask: padding on either side, and what the policy did not choose, is as if it did not exist.

    Args:
        rewards: Shape [batch, tokens], floating. Values off the mask are ignored, NaN too.
        values: `V_t` of the value head, before each token. The same.
        mask: Shape [batch, tokens], bool.
        gamma: Discount factor, from 0 to 1.
        lam: From 0 (one step: biased by the value head) to 1 (the whole return: of high variance).

    Raises:
        SettingsError: Shapes or types do not fit, or a setting is not between 0 and 1.

    Source: Schulman et al. 2016, "High-Dimensional Continuous Control Using Generalized Advantage Estimation",
    Eq. 16.

    >>> rewards, values = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.5]])
    >>> found = generalized_advantages(rewards, values, torch.tensor([[True, True]]), lam=1.0)
    >>> found.advantages.tolist()
    [[0.5, 0.5]]
    """
    if not (0 <= gamma <= 1 and 0 <= lam <= 1):
        raise SettingsError(f"gamma {gamma}, lam {lam}", "both between 0 and 1", "correct the values")
    check_tokens(mask, rewards=rewards, values=values)
    rewards, values = torch.where(mask, rewards, 0.0), torch.where(mask, values, 0.0)
    advantages = torch.zeros_like(rewards)
    next_value, next_advantage = values.new_zeros(len(values)), rewards.new_zeros(len(rewards))
    for column in reversed(range(rewards.shape[1])):
        real = mask[:, column]
        delta = rewards[:, column] + gamma * next_value - values[:, column]
        next_advantage = torch.where(real, delta + gamma * lam * next_advantage, next_advantage)
        next_value = torch.where(real, values[:, column], next_value)
        advantages[:, column] = torch.where(real, next_advantage, 0.0)
    return Advantages(advantages, advantages + values)


def whiten(values: Tensor, mask: Tensor, *, shift_mean: bool = True, epsilon: float = 1e-8) -> Tensor:
    """Bring the values on the mask to mean 0 and variance 1; elsewhere they become 0.

    Args:
        values: Shape [batch, tokens], floating.
        mask: Shape [batch, tokens], bool. With one token on it the result is 0, with none as well.
        shift_mean: False keeps the mean, as for rewards whose sign matters.
        epsilon: Added to the variance.
    """
    check_tokens(mask, values=values)
    mean = masked_mean(values, mask)
    variance = masked_mean((values - mean) ** 2, mask)
    scaled = (values - mean) * torch.rsqrt(variance + epsilon)
    return torch.where(mask, scaled if shift_mean else scaled + mean, 0.0)


def masked_mean(values: Tensor, mask: Tensor, tokens: float | None = None) -> Tensor:
    """Return the mean of the values on the mask, 0 where there is none, differentiable either way. Shape [].

    Args:
        values: Shape [batch, tokens], floating. Those off the mask are ignored, NaN too, also in the gradient.
        mask: Shape [batch, tokens], bool.
        tokens: Divide by this number instead of the mask's: the whole batch's tokens, so that the gradients of its
            minibatches add up to its own.
    """
    kept = values.masked_fill(~mask, 0.0).sum()
    return kept / (mask.sum().clamp(min=1) if tokens is None else max(tokens, 1))


def check_tokens(mask: Tensor, **tensors: Tensor) -> None:
    """Raise a `SettingsError` unless all are floating tensors of the boolean mask's shape [batch, tokens]."""
    faults = []
    if mask.ndim != 2 or mask.dtype != torch.bool:
        faults.append((f"mask {mask.dtype} {list(mask.shape)}", "mask: bool, [batch, tokens]"))
    for name, tensor in tensors.items():
        if tensor.shape != mask.shape or not tensor.is_floating_point():
            faults.append(
                (f"{name} {tensor.dtype} {list(tensor.shape)}", f"{name}: floating, {list(mask.shape)}")
            )
    if faults:
        raise SettingsError.listing(faults)
