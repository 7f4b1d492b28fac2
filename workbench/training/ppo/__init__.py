"""PPO with dense token rewards: what it computes, as pure functions."""

from workbench.training.ppo.advantages import (
    Advantages,
    generalized_advantages,
    masked_mean,
    penalized_rewards,
    sampled_mask,
    whiten,
)
from workbench.training.ppo.kl import AdaptiveKL, FixedKL, token_kl
from workbench.training.ppo.losses import (
    PolicyLoss,
    ValueLoss,
    allowed_log_softmax,
    chosen_logps,
    entropy,
    policy_loss,
    value_loss,
)

__all__ = [
    "AdaptiveKL",
    "Advantages",
    "FixedKL",
    "PolicyLoss",
    "ValueLoss",
    "allowed_log_softmax",
    "chosen_logps",
    "entropy",
    "generalized_advantages",
    "masked_mean",
    "penalized_rewards",
    "policy_loss",
    "sampled_mask",
    "token_kl",
    "value_loss",
    "whiten",
]
