"""What a batch of pairs says about a reward model: losses, accuracies and margins, in training and evaluation."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from workbench.core.errors import SettingsError
from workbench.training.losses import REFERENCE_FREE, HybridLoss, hybrid_loss

__all__ = ["Objective", "PairOutputs", "pair_accuracy", "pair_metrics"]


class PairOutputs(NamedTuple):
    """What a model says of some pairs: the six tensors of `hybrid_loss`, in its order. Each of shape [pairs]."""

    chosen_rewards: Tensor
    rejected_rewards: Tensor
    policy_chosen_logps: Tensor | None = None
    policy_rejected_logps: Tensor | None = None
    reference_chosen_logps: Tensor | None = None
    reference_rejected_logps: Tensor | None = None

    def stack(self) -> Tensor:
        """Return them as one tensor of shape [pairs, 6], NaN where there is none."""
        none = torch.full_like(self.chosen_rewards, torch.nan)
        return torch.stack([none if tensor is None else tensor for tensor in self], dim=1)

    @classmethod
    def unstack(cls, stacked: Tensor) -> PairOutputs:
        """Undo `stack`. A column of NaN becomes None."""
        chosen, rejected, *logps = stacked.unbind(1)
        return cls(chosen, rejected, *(None if column.isnan().all() else column for column in logps))


class Objective(NamedTuple):
    """What is minimised: `reward_weight * L_reward + alpha * L_policy`; see `hybrid_loss` for the rest."""

    alpha: float = 0.2
    beta: float = 0.1
    policy_loss: str = "sigmoid"
    simpo_margin: float = 0.0
    reward_weight: float = 1.0

    @property
    def needs_reference(self) -> bool:
        """Whether the policy loss compares with a reference."""
        return self.alpha > 0 and self.policy_loss not in REFERENCE_FREE

    def loss(self, outputs: PairOutputs) -> HybridLoss:
        """Return the loss of some pairs, `total` weighted as this objective says."""
        parts = hybrid_loss(
            *outputs,
            alpha=self.alpha,
            beta=self.beta,
            policy_loss=self.policy_loss,
            simpo_margin=self.simpo_margin,
        )
        if self.reward_weight == 1:
            return parts
        policy = 0.0 if parts.policy is None else self.alpha * parts.policy
        reward = self.reward_weight * parts.reward if self.reward_weight else 0.0
        total = reward + policy
        if not isinstance(total, Tensor):
            raise SettingsError(
                got="reward_weight 0 and alpha 0",
                needed="something to minimise",
                fix="set reward_weight or alpha above 0",
            )
        return parts._replace(total=total)


def pair_accuracy(margins: Tensor) -> Tensor:
    """Return the part of margins above 0, a tie counting half: a model that says nothing is right half the time.

    Args:
        margins: Chosen minus rejected. Shape [pairs].
    """
    return (margins > 0).float().mean() + 0.5 * (margins == 0).float().mean()


@torch.no_grad()
def pair_metrics(outputs: PairOutputs, objective: Objective) -> dict[str, float]:
    """Return what is logged of some pairs.

    Args:
        outputs: What the model says of them.
        objective: What is minimised.

    Returns:
        `loss`, `reward_loss`, `accuracy` and `margin` (of the scalar head's scores), and with a policy loss
        `policy_loss`, `policy_share` (its part of the loss), `implicit_accuracy` and `implicit_margin` (of the
        implicit reward `beta * log(pi / ref)`; of `beta * log pi` for losses without a reference).
    """
    parts = objective.loss(outputs)
    margins = outputs.chosen_rewards - outputs.rejected_rewards
    found = {
        "loss": parts.total,
        "reward_loss": parts.reward,
        "accuracy": pair_accuracy(margins),
        "margin": margins.mean(),
    }
    chosen, rejected = outputs.policy_chosen_logps, outputs.policy_rejected_logps
    if parts.policy is not None and chosen is not None and rejected is not None:
        implicit = objective.beta * (chosen - rejected)
        if outputs.reference_chosen_logps is not None and outputs.reference_rejected_logps is not None:
            implicit = implicit - objective.beta * (
                outputs.reference_chosen_logps - outputs.reference_rejected_logps
            )
        found |= {
            "policy_loss": parts.policy,
            "policy_share": (objective.alpha * parts.policy / parts.total).nan_to_num(
                0.0
            ),  # a hinge can reach 0
            "implicit_accuracy": pair_accuracy(implicit),
            "implicit_margin": implicit.mean(),
        }
    return {name: value.item() for name, value in found.items()}
