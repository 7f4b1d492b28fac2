from .losses import POLICY_LOSSES as POLICY_LOSSES
from .losses import HybridLoss as HybridLoss
from .losses import grm_loss as grm_loss
from .losses import hybrid_loss as hybrid_loss
from .metrics import Objective as Objective
from .metrics import PairOutputs as PairOutputs
from .metrics import pair_metrics as pair_metrics
from .pairs import EncodedPairs as EncodedPairs
from .pairs import encode_pairs as encode_pairs
from .reference import reference_logps as reference_logps
from .settings import RewardTrainingSettings as RewardTrainingSettings
from .spans import SpanTrainingSettings as SpanTrainingSettings
from .spans import train_span_classifier as train_span_classifier
from .train import TrainedRewardModel as TrainedRewardModel
from .train import train_reward_model as train_reward_model

__all__ = [
    "POLICY_LOSSES",
    "EncodedPairs",
    "HybridLoss",
    "Objective",
    "PairOutputs",
    "RewardTrainingSettings",
    "SpanTrainingSettings",
    "TrainedRewardModel",
    "encode_pairs",
    "grm_loss",
    "hybrid_loss",
    "pair_metrics",
    "reference_logps",
    "train_reward_model",
    "train_span_classifier",
]
