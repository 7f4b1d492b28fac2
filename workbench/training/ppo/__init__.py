"""PPO with dense token rewards: what it computes, as pure functions, and the trainer that uses them."""

from workbench.training.ppo.advantages import (
    Advantages,
    generalized_advantages,
    masked_mean,
    penalized_rewards,
    sampled_mask,
    whiten,
)
from workbench.training.ppo.kl import AdaptiveKL, FixedKL, token_kl
from workbench.training.ppo.loop import TrainedPolicy
from workbench.training.ppo.losses import (
    PolicyLoss,
    ValueLoss,
    allowed_log_softmax,
    chosen_logps,
    entropy,
    policy_loss,
    value_loss,
)
from workbench.training.ppo.policy import ValuedPolicy
from workbench.training.ppo.rollout import Rollout
from workbench.training.ppo.saving import load_policy, save_policy
from workbench.training.ppo.settings import PAPER_LORA, PPOSettings
from workbench.training.ppo.train import train_policy

__all__ = [
    "PAPER_LORA",
    "AdaptiveKL",
    "Advantages",
    "FixedKL",
    "PPOSettings",
    "PolicyLoss",
    "Rollout",
    "TrainedPolicy",
    "ValueLoss",
    "ValuedPolicy",
    "allowed_log_softmax",
    "chosen_logps",
    "entropy",
    "generalized_advantages",
    "load_policy",
    "masked_mean",
    "penalized_rewards",
    "policy_loss",
    "sampled_mask",
    "save_policy",
    "token_kl",
    "train_policy",
    "value_loss",
    "whiten",
]
