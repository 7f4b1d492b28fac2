"""What goes wrong in a training, with its likely cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.core.errors import ModelError

if TYPE_CHECKING:
    from workbench.models.reward_model import RewardModel
    from workbench.training.metrics import PairOutputs

__all__ = ["check_switchable", "not_a_number"]


def check_switchable(model: RewardModel, *, sharded: bool) -> None:
    """Raise where a model cannot be its own reference in the midst of training.

    Args:
        model: The model.
        sharded: Whether its weights are split over processes.

    Raises:
        ModelError: It has no adapters to switch off, or no process has it whole.
    """
    if not model.has_adapters:
        raise ModelError(
            got="a policy loss with a reference, a model without adapters, pairs without reference",
            needed="the log-probabilities of the policy before training",
            fix="set reference='before' in train_reward_model, or give pairs.with_reference(...)",
        )
    if sharded:
        raise ModelError(
            got="reference 'adapters-off' with FSDP",
            needed="the whole model at once, which FSDP splits",
            fix="set reference='before'",
        )


def not_a_number(
    loss: Tensor, outputs: PairOutputs, rows: Tensor, model: RewardModel, step: int
) -> ModelError:
    """Say where a loss stopped to be a number, and what is likely to blame.

    Args:
        loss: NaN or infinite. Shape [].
        outputs: What the model says of the pairs.
        rows: Their numbers among the pairs given. Shape [pairs], int64.
        model: The model.
        step: The optimizer step, from 1.
    """
    bad = ~torch.stack([tensor for tensor in outputs if tensor is not None]).isfinite().all(0)
    named = rows[bad] if bad.any() else rows
    broken = next((name for name, weight in model.named_parameters() if not weight.isfinite().all()), None)
    if broken is not None:
        cause = f"the weights are no numbers since an earlier step ({broken})"
        fix = "lower learning_rate, or set max_grad_norm=1.0; then start over, or from an earlier checkpoint"
    elif next(model.body.parameters()).dtype == torch.float16:
        cause, fix = "float16 overflows beyond 65504", "load the model in bfloat16 or float32"
    else:
        cause, fix = "these texts, or the loss's settings", "look at these pairs, and lower alpha or beta"
    return ModelError(
        got=f"loss {loss.item()} in step {step}, pairs {named.tolist()} (counted from 0)",
        needed=f"a loss that is a number; likely cause: {cause}",
        fix=fix,
    )
