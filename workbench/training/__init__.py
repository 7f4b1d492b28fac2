"""Training: the losses of the papers, as pure functions, and reward models trained by them."""

from workbench.models.token_logps import sequence_logps
from workbench.training.losses import POLICY_LOSSES, HybridLoss, hybrid_loss
from workbench.training.metrics import Objective, PairOutputs, pair_metrics
from workbench.training.pairs import EncodedPairs, encode_pairs
from workbench.training.reference import reference_logps
from workbench.training.settings import RewardTrainingSettings
from workbench.training.train import TrainedRewardModel, train_reward_model

__all__ = [
    "POLICY_LOSSES",
    "EncodedPairs",
    "HybridLoss",
    "Objective",
    "PairOutputs",
    "RewardTrainingSettings",
    "TrainedRewardModel",
    "encode_pairs",
    "hybrid_loss",
    "pair_metrics",
    "reference_logps",
    "sequence_logps",
    "train_reward_model",
]
