"""The ALaRM experiment on questions of our small world: how policies train, and what tuning chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import SettingsError
from workbench.models.loading import ModelSettings
from workbench.papers.alarm.declaration import Declaration, read_tuning
from workbench.store.location import data_folder
from workbench.training.ppo.kl import FixedKL
from workbench.training.ppo.settings import PPOSettings
from workbench.worlds.passages.training import POCKET_PPO

if TYPE_CHECKING:
    pass

__all__ = [
    "POCKET_PPO",
    "SEEDS_FILE",
    "TUNING_FILE",
    "TUNING_SEEDS",
    "WORLD",
    "alarm_folder",
    "declare_pocket",
    "policy_settings",
    "quantize_of",
    "tuned_ppo",
]

WORLD = "passages"
"""The name of our world among data; all others are files or folders of QA-Feedback."""
TUNING_FILE, SEEDS_FILE = "tuning.json", "seeds.json"
TUNING_SEEDS = (1000, 1001)
"""Seeds of tuning; those reported on count from 0."""


def policy_settings() -> ModelSettings:
    """Return our world's policy: the one that also makes the reward models of HaF-RM's notebook."""
    return ModelSettings(str(data_folder() / "haf_rm"), device="cpu", dtype="float32")


def alarm_folder() -> Path:
    """Return the folder of what was tuned, and of the table of many seeds."""
    return data_folder() / "alarm"


def tuned_ppo(tuning: Mapping[str, Any] | None = None) -> PPOSettings:
    """Return PPO in our world with the learning rate and the KL coefficient that tuning chose.

    Args:
        tuning: From `read_tuning`; that of our world if None.
    """
    chosen = (tuning or read_tuning(alarm_folder() / TUNING_FILE))["chosen"]
    return replace(POCKET_PPO, learning_rate=chosen["learning_rate"], kl=FixedKL(chosen["kl"]))


def declare_pocket(
    seeds: tuple[int, ...], sweep_seeds: int, *, tuning: Mapping[str, Any] | None = None, **changes: Any
) -> Declaration:
    """Return what is trained in our world, with the threshold and weights that tuning chose.

    Args:
        seeds: Reporting seeds.
        sweep_seeds: How many of them sweep the weights.
        tuning: From `read_tuning`; that of our world if None.
        changes: Fields of `Declaration` to set otherwise.
    """
    chosen = (tuning or read_tuning(alarm_folder() / TUNING_FILE))["chosen"]
    settings = {"threshold": chosen["threshold"], "tuned": chosen["weights"], **changes}
    return Declaration(seeds, sweep_seeds, **settings)


def quantize_of(settings: Any) -> str | None:
    """Return how a run's holistic reward model is held; None: as its checkpoint is.

    Raises:
        SettingsError: It is neither `none` nor `nf4`.
    """
    if settings.quantize not in ("none", "nf4"):
        raise SettingsError(f"quantize {settings.quantize!r}", "none or nf4", "correct it")
    return None if settings.quantize == "none" else str(settings.quantize)
