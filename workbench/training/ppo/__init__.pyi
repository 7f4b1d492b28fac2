from .advantages import Advantages as Advantages
from .advantages import generalized_advantages as generalized_advantages
from .advantages import masked_mean as masked_mean
from .advantages import penalized_rewards as penalized_rewards
from .advantages import sampled_mask as sampled_mask
from .advantages import whiten as whiten
from .kl import AdaptiveKL as AdaptiveKL
from .kl import FixedKL as FixedKL
from .kl import token_kl as token_kl
from .loop import TrainedPolicy as TrainedPolicy
from .losses import PolicyLoss as PolicyLoss
from .losses import ValueLoss as ValueLoss
from .losses import allowed_log_softmax as allowed_log_softmax
from .losses import chosen_logps as chosen_logps
from .losses import entropy as entropy
from .losses import policy_loss as policy_loss
from .losses import value_loss as value_loss
from .policy import ValuedPolicy as ValuedPolicy
from .rollout import Rollout as Rollout
from .saving import load_policy as load_policy
from .saving import save_policy as save_policy
from .settings import PAPER_LORA as PAPER_LORA
from .settings import PPOSettings as PPOSettings
from .train import train_policy as train_policy

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
