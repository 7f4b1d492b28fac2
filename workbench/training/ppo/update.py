r"""What is learnt from one rollout: several passes over it, in minibatches that are accumulated.

With the policy `pi`, the reference policy `ref`, the value head `V`, the reward `r_t` of token `y_t` and
`rho = pi(y_t) / pi_old(y_t)`:

====================================================================  =========================================
`R_t = r_t - beta (log pi_old(y_t) - log ref(y_t))`                   KL penalty: Ziegler et al. 2019, Eq. 2
`A_t = sum_k (gamma lambda)^k (R + gamma V_(+1) - V)_(t+k)`           GAE: Schulman et al. 2016, Eq. 16
`G_t = A_t + V_t`; then `A` is whitened over the rollout              what the value head learns to predict
`max(-A rho, -A clip(rho, 1 - epsilon, 1 + epsilon))`                 surrogate: Schulman et al. 2017, Eq. 7
`c max((V - G)^2, (clip(V, V_old - delta, V_old + delta) - G)^2) / 2`  value loss: Huang et al. 2022, detail 9
====================================================================  =========================================

The last two are means over the tokens that the policy chose, and their sum is minimised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from workbench.core.errors import ModelError
from workbench.training.ppo.advantages import (
    Advantages,
    generalized_advantages,
    masked_mean,
    penalized_rewards,
    whiten,
)
from workbench.training.ppo.kl import token_kl
from workbench.training.ppo.losses import policy_loss, value_loss
from workbench.training.ppo.policy import ValuedPolicy
from workbench.training.ppo.processes import Processes
from workbench.training.ppo.prompts import DROPOUT, MINIBATCHES, generator
from workbench.training.ppo.rollout import Rollout
from workbench.training.ppo.settings import PPOSettings

__all__ = ["STOP_FACTOR", "Updater", "estimate_advantages"]

STOP_FACTOR = 1.5
"""Passes end at this many times `target_kl`, as they did in TRL."""


def estimate_advantages(rollout: Rollout, settings: PPOSettings, *, kl_coefficient: float) -> Advantages:
    """Return GAE advantages, whitened over the whole rollout, and returns; rewards carry the KL penalty.

    Args:
        rollout: Of all processes.
        settings: Discount, and what GAE weighs.
        kl_coefficient: beta of `r_t - beta * KL_t`.
    """
    kl = token_kl(rollout.logps, rollout.reference_logps, rollout.mask)
    rewards = penalized_rewards(rollout.rewards, kl, rollout.mask, coefficient=kl_coefficient)
    found = generalized_advantages(
        rewards, rollout.values, rollout.mask, gamma=settings.gamma, lam=settings.lam
    )
    return Advantages(whiten(found.advantages, rollout.mask), found.returns)


class _Sums(NamedTuple):
    """Measurements of a minibatch, each a mean over its tokens. Of its parts they add up."""

    policy_loss: Tensor
    value_loss: Tensor
    clip_share: Tensor
    value_clip_share: Tensor
    update_kl: Tensor


class Updater:
    """Updates a policy by what a rollout says.

    Args:
        policy: The policy.
        optimizer: Of what trains.
        settings: How.
        allowed: What may be sampled; see `sample`.
        processes: That train together.
        bf16: Compute in bfloat16 by autocast.
    """

    def __init__(
        self,
        policy: ValuedPolicy,
        optimizer: torch.optim.Optimizer,
        settings: PPOSettings,
        *,
        allowed: Tensor | None,
        processes: Processes,
        bf16: bool = False,
    ) -> None:
        self.policy, self.optimizer, self.settings = policy, optimizer, settings
        self.allowed, self.processes, self.bf16 = allowed, processes, bf16
        self.trained: list[nn.Parameter] = [
            parameter for parameter in policy.parameters() if parameter.requires_grad
        ]

    def __call__(self, rollout: Rollout, advantages: Advantages, step: int) -> dict[str, float]:
        """Pass over a rollout until it is done, or until the KL to the policy that sampled it is too large.

        The same rows make a minibatch whatever the number of processes, and each counts by its tokens: gradients of
        micro-batches and processes add up to those of the minibatch.

        Args:
            rollout: Of all processes, the same in each.
            advantages: From `estimate_advantages`.
            step: Of training, from 0; it fixes order and dropout.

        Returns:
            Means over the minibatches that were learnt from: `policy_loss`, `value_loss`, `clip_share`,
            `value_clip_share`, `grad_norm`; of the last one `update_kl`; `minibatches` learnt from; and
            `explained_variance` of the returns by the value head at sampling.

        Raises:
            ModelError: A loss is no number.
        """
        settings = self.settings
        torch.manual_seed(
            int(generator(settings.seed, DROPOUT, step, self.processes.process_index).integers(2**63))
        )
        self.policy.train_adapters()
        seen: list[_Sums] = []
        norms: list[float] = []
        kl = 0.0
        for rows in self._minibatches(len(rollout.mask), step):
            sums = self._gradients(rollout, advantages, rows, step)
            kl = float(sums.update_kl)
            if settings.target_kl is not None and kl > STOP_FACTOR * settings.target_kl:
                break
            norms.append(float(nn.utils.clip_grad_norm_(self.trained, settings.max_grad_norm)))
            self.optimizer.step()
            seen.append(sums)
        self.optimizer.zero_grad(set_to_none=True)
        self.policy.eval()
        means = {
            name: float(np.mean([float(getattr(one, name)) for one in seen] or [0.0]))
            for name in _Sums._fields
        }
        return means | {
            "update_kl": kl,
            "grad_norm": float(np.mean(norms or [0.0])),
            "minibatches": float(len(seen)),
            "explained_variance": _explained(rollout, advantages),
        }

    def _minibatches(self, rows: int, step: int) -> Sequence[Tensor]:
        """Return the rows of every minibatch of every pass."""
        found = []
        for epoch in range(self.settings.ppo_epochs):
            order = generator(self.settings.seed, MINIBATCHES, step, epoch).permutation(rows)
            found += torch.from_numpy(order).split(self.settings.minibatch)
        return found

    def _gradients(self, rollout: Rollout, advantages: Advantages, rows: Tensor, step: int) -> _Sums:
        """Give the policy the gradients of one minibatch."""
        self.optimizer.zero_grad(set_to_none=True)
        tokens = float(rollout.mask[rows].sum())
        lengths = rollout.prompts.mask[rows].sum(1) + rollout.mask[rows].sum(1)
        # rows of like length share a micro-batch: less padding; and every process gets long and short ones
        mine = rows[lengths.argsort(stable=True)][self.processes.process_index :: self.processes.world_size]
        parts = [
            self._backward(rollout, advantages, part, tokens)
            for part in mine.split(self.settings.micro_batch)
        ]
        self.processes.add_gradients(self.trained)
        total = self.processes.add(torch.stack(parts).sum(0))
        if not bool(total.isfinite().all()):
            raise ModelError(
                got=f"a loss that is no number in step {step + 1}",
                needed="finite losses",
                fix="lower learning_rate; in float16, load the model in bfloat16 or float32",
            )
        return _Sums(*total.cpu().unbind())

    def _backward(self, rollout: Rollout, advantages: Advantages, rows: Tensor, tokens: float) -> Tensor:
        """Add the gradients of one micro-batch, as its part of a minibatch of so many tokens; return its `_Sums`."""
        settings, device = self.settings, self.policy.device
        width = self.policy.columns(rollout.mask[rows])
        mask, ids, old_logps, old_values, gains, aims = (
            tensor[rows, :width].to(device)
            for tensor in (rollout.mask, rollout.ids, rollout.logps, rollout.values, *advantages)
        )
        prompts = rollout.prompts.select(rows).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
            now = self.policy(prompts, ids, mask, allowed=self.allowed, temperature=settings.temperature)
        policy = policy_loss(now.logps, old_logps, gains, mask, clip=settings.clip, tokens=tokens)
        critic = value_loss(
            now.values, old_values, aims, mask, clip=settings.value_clip or float("inf"), tokens=tokens
        )
        (policy.loss + settings.value_weight * critic.loss).backward()
        return torch.stack([policy.loss, critic.loss, policy.clipped, critic.clipped, policy.kl]).detach()


def _explained(rollout: Rollout, advantages: Advantages) -> float:
    """Return the share of the returns' variance that the value head foresaw; 0 where they do not vary."""
    mask, returns = rollout.mask, advantages.returns
    spread = masked_mean((returns - masked_mean(returns, mask)) ** 2, mask)
    missed = returns - rollout.values
    left = masked_mean((missed - masked_mean(missed, mask)) ** 2, mask)
    return float(1 - left / spread) if spread > 0 else 0.0
