"""How reward models of this world are trained."""

from __future__ import annotations

from workbench.models.encoding import EncodingSettings
from workbench.training.settings import RewardTrainingSettings

__all__ = ["POCKET_TRAINING"]


POCKET_TRAINING = RewardTrainingSettings(
    micro_batch=16,
    checkpoint_steps=0,
    log_steps=2,
    progress=False,
    encoding=EncodingSettings(template="{prompt}", max_tokens=96, max_prompt_tokens=64),
)
"""Training in our world: the paper's batch of 16 pairs and 2 epochs; learning rates are tuned."""
