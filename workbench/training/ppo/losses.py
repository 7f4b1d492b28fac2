"""PPO's losses, and the distribution that they are about. Pure functions; masks: True = participates."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from workbench.core.errors import SettingsError
from workbench.training.ppo.advantages import check_tokens, masked_mean

__all__ = [
    "PolicyLoss",
    "ValueLoss",
    "allowed_log_softmax",
    "chosen_logps",
    "entropy",
    "policy_loss",
    "value_loss",
]


class PolicyLoss(NamedTuple):
    """The clipped loss of a policy, and what tells how its update goes. Each of shape []."""

    loss: Tensor
    """What is minimised."""
    clipped: Tensor
    """Share of the tokens whose ratio is clipped: they give no gradient."""
    kl: Tensor
    """Mean `k3` estimate of `KL(old || new)`, in nats a token: early stopping looks at it."""


class ValueLoss(NamedTuple):
    """The clipped loss of a value head. Each of shape []."""

    loss: Tensor
    """What is minimised."""
    clipped: Tensor
    """Share of the tokens whose value is clipped."""


def allowed_log_softmax(logits: Tensor, allowed: Tensor | None = None, *, temperature: float = 1.0) -> Tensor:
    """Return the log-probabilities of the distribution that is really sampled from.

    Sampling, the losses and the KL to the reference all take theirs from here: a token banned at sampling but left in
    the log-softmax would give policy and reference different masses on what remains, and the policy a negative KL
    that it can farm by moving mass onto the banned token.

    Args:
        logits: Shape [..., vocabulary], floating.
        allowed: True where a token may be sampled. Shape [vocabulary] or that of `logits`, bool; None: all may.
        temperature: Of sampling, above 0.

    Returns:
        Shape [..., vocabulary], float32 at least; minus infinity at banned tokens.

    Raises:
        SettingsError: The temperature is not above 0, the mask does not fit, or it allows nothing.
    """
    if not temperature > 0:
        raise SettingsError(
            f"temperature {temperature}", "a number above 0", "decode greedily by argmax instead"
        )
    wide = logits if logits.dtype == torch.float64 else logits.float()
    if allowed is not None:
        fits = allowed.dtype == torch.bool and allowed.shape in (logits.shape, logits.shape[-1:])
        if not fits or not bool(allowed.any(-1).all()):
            raise SettingsError(
                got=f"allowed {allowed.dtype} {list(allowed.shape)}" + (", nothing allowed" if fits else ""),
                needed=f"allowed: bool, {list(logits.shape[-1:])} or {list(logits.shape)}, with a token allowed",
                fix="True = may be sampled",
            )
        wide = wide.masked_fill(~allowed, -torch.inf)
    return (wide / temperature).log_softmax(-1)


def chosen_logps(log_probs: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the log-probability of each token that was sampled.

    Args:
        log_probs: From `allowed_log_softmax`. Shape [batch, tokens, vocabulary].
        tokens: What was sampled there. Shape [batch, tokens], int64.
        mask: Shape [batch, tokens], bool. Off it anything may stand.

    Returns:
        Shape [batch, tokens], 0 off the mask.

    Raises:
        SettingsError: A sampled token was banned: sampling and training do not agree on what is allowed.
    """
    logps = log_probs.gather(-1, tokens.masked_fill(~mask, 0)[..., None])[..., 0].masked_fill(~mask, 0.0)
    banned = (logps == -torch.inf).nonzero()
    if len(banned):
        row, column = banned[0].tolist()
        raise SettingsError(
            got=f"token {int(tokens[row, column])} in row {row}, column {column}, which is banned",
            needed="tokens that may be sampled",
            fix="give sampling and training the same mask; leave tokens that were forced off the response's mask",
        )
    return logps


def entropy(log_probs: Tensor, mask: Tensor) -> Tensor:
    """Return the entropy `-sum_v p_v log p_v` of each token's distribution, in nats; banned tokens add nothing.

    Args:
        log_probs: From `allowed_log_softmax`. Shape [batch, tokens, vocabulary].
        mask: Shape [batch, tokens], bool.

    Returns:
        Shape [batch, tokens], 0 off the mask.
    """
    finite = log_probs.masked_fill(log_probs == -torch.inf, 0.0)  # 0 * log 0 = 0, in the gradient too
    summed = -(log_probs.exp() * finite).sum(-1)
    return summed.masked_fill(~mask, 0.0)


def policy_loss(
    logps: Tensor,
    old_logps: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    clip: float = 0.2,
    tokens: float | None = None,
) -> PolicyLoss:
    """Return PPO's clipped loss: the mean of `max(-A * rho, -A * clip(rho, 1 - clip, 1 + clip))`.

    With `rho = exp(logps - old_logps)`. The mean is over all tokens on the mask, 0 where there is none.

    Args:
        logps: `log pi(y_t)` now, with gradient. Shape [batch, tokens], floating.
        old_logps: At sampling. The same.
        advantages: Whitened, mostly. The same.
        mask: Shape [batch, tokens], bool. Values off it are ignored, NaN too, also in the gradient.
        clip: How far the ratio may go from 1, above 0.
        tokens: See `masked_mean`.

    Raises:
        SettingsError: Shapes or types do not fit, or clip is not above 0.

    Source: Schulman et al. 2017, "Proximal Policy Optimization Algorithms", Eq. 7.
    """
    _check_clip(clip)
    check_tokens(mask, logps=logps, old_logps=old_logps, advantages=advantages)
    advantages = advantages.detach().masked_fill(~mask, 0.0)
    difference = (logps - old_logps.detach()).masked_fill(~mask, 0.0)
    ratio = difference.exp()
    plain, bounded = -advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)
    loss = masked_mean(torch.maximum(plain, bounded), mask, tokens)
    with torch.no_grad():
        clipped = masked_mean((bounded > plain).to(ratio.dtype), mask, tokens)
        # the tokens come from the old policy: KL(old || new) by k3 is rho - 1 - log rho
        kl = masked_mean(torch.expm1(difference) - difference, mask, tokens)
    return PolicyLoss(loss, clipped, kl)


def value_loss(
    values: Tensor,
    old_values: Tensor,
    returns: Tensor,
    mask: Tensor,
    *,
    clip: float = 0.2,
    tokens: float | None = None,
) -> ValueLoss:
    """Return the value head's clipped loss: the mean of `max((V - R)^2, (V_clipped - R)^2) / 2`.

    `V_clipped` is `V`, kept within `clip` of its value at sampling.

    Args:
        values: `V(s_t)` now, with gradient. Shape [batch, tokens], floating.
        old_values: At sampling. The same.
        returns: What to predict, from `generalized_advantages`. The same.
        mask: Shape [batch, tokens], bool. Values off it are ignored, NaN too, also in the gradient.
        clip: In units of the reward, above 0; infinity does not clip.
        tokens: See `masked_mean`.

    Raises:
        SettingsError: Shapes or types do not fit, or clip is not above 0.

    Source: the clipping of OpenAI's baselines, as in Huang et al. 2022, "The 37 Implementation Details of PPO", 9.
    """
    _check_clip(clip)
    check_tokens(mask, values=values, old_values=old_values, returns=returns)
    values, old, aim = (
        tensor.masked_fill(~mask, 0.0) for tensor in (values, old_values.detach(), returns.detach())
    )
    plain = (values - aim) ** 2
    bounded = (old + (values - old).clamp(-clip, clip) - aim) ** 2
    loss = masked_mean(torch.maximum(plain, bounded), mask, tokens) / 2
    clipped = masked_mean((bounded > plain).to(plain.dtype), mask, tokens).detach()
    return ValueLoss(loss, clipped)


def _check_clip(clip: float) -> None:
    if not clip > 0:
        raise SettingsError(f"clip {clip}", "a number above 0", "correct it")
