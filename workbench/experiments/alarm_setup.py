"""From a notebook's parameters to the ALaRM experiment on questions."""

from __future__ import annotations

from pathlib import Path

from workbench.datasets.location import data_folder
from workbench.models.loading import ModelSettings
from workbench.training.ppo.kl import FixedKL
from workbench.training.ppo.settings import PPOSettings

__all__ = ["POCKET_PPO", "TUNING_FILE", "TUNING_SEEDS", "policy_settings"]

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
"""PPO in our world: few rollouts, each used once in minibatches, at a fixed price of KL. Rate and price are tuned."""
TUNING_FILE = "tuning.json"
TUNING_SEEDS = (1000, 1001, 1002)
"""Seeds of tuning; those reported on count from 0."""


def policy_settings() -> ModelSettings:
    """Return our world's policy: the one that also makes the reward models of HaF-RM's notebook."""
    return ModelSettings(str(data_folder() / "haf_rm"), device="cpu", dtype="float32")


def alarm_folder() -> Path:
    """Return the folder of what was tuned, and of the table of many seeds."""
    return data_folder() / "alarm"
