"""How reward models and policies of this world are trained."""

from __future__ import annotations

from workbench.models.encoding import EncodingSettings
from workbench.training.ppo.kl import FixedKL
from workbench.training.ppo.settings import PPOSettings
from workbench.training.settings import RewardTrainingSettings

__all__ = ["POCKET_PPO", "POCKET_TRAINING"]


POCKET_TRAINING = RewardTrainingSettings(
    micro_batch=16,
    checkpoint_steps=0,
    log_steps=2,
    progress=False,
    encoding=EncodingSettings(template="{prompt}", max_tokens=96, max_prompt_tokens=64),
)
"""Training in our world: the paper's batch of 16 pairs and 2 epochs; learning rates are tuned."""

POCKET_PPO = PPOSettings(
    max_prompt_tokens=64,
    max_new_tokens=24,
    max_steps=12,
    batch=64,
    minibatch=16,
    micro_batch=16,
    ppo_epochs=1,
    target_kl=None,
    kl=FixedKL(0.3),
    learning_rate=5e-4,
    value_learning_rate=5e-3,
    bf16=False,
    evaluation_batch=128,
    checkpoint_steps=0,
    progress=False,
)
"""PPO in our world: few rollouts, each used once in minibatches, with a fixed KL coefficient, which is tuned."""
