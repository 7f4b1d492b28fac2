"""A tiny model, made-up pairs and quick settings, to train reward models in tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tiny_model import make_tiny_model

from workbench.datasets import PreferencePair
from workbench.models import EncodingSettings, LoraSettings, ModelSettings, RewardModel, load_tokenizer
from workbench.training import RewardTrainingSettings

ENCODING = EncodingSettings(template="{prompt}", separator=" ", max_tokens=48, max_prompt_tokens=16)
LORA = LoraSettings(rank=2, dropout=0.3, target_modules=("q_proj", "down_proj"))


def save_tiny(folder: Path) -> Path:
    """Save a tiny model to train; return its folder."""
    make_tiny_model(folder)
    return folder


def tokenizer_of(folder: Path) -> Any:
    return load_tokenizer(ModelSettings(str(folder)))


def make_pairs(number: int) -> list[PreferencePair]:
    """Make pairs of different lengths, of which the chosen response says yes."""
    return [
        PreferencePair(
            prompt=f"q{row}" * (1 + row % 3),
            chosen="yes " + "a" * (row % 7),
            rejected="no " + "b" * (row % 4),
            source="made up",
        )
        for row in range(number)
    ]


def quick(**changes: Any) -> RewardTrainingSettings:
    """Return settings of a training of a second."""
    settings: dict[str, Any] = {
        "batch": 4,
        "micro_batch": 2,
        "learning_rate": 1e-3,
        "log_steps": 1,
        "checkpoint_steps": 0,
        "progress": False,
        "encoding": ENCODING,
        "init_std": 0.1,
    }
    return RewardTrainingSettings(**settings | changes)


def load(folder: Path, *, lora: bool = False, quantize: str | None = None, seed: int = 0) -> RewardModel:
    """Load a fresh reward model to train, its head and adapters drawn by the seed."""
    torch.manual_seed(seed)
    settings = ModelSettings(str(folder), device="cpu", quantize=quantize)
    return RewardModel.load(settings, lora=LORA if lora else None, init_std=0.1)


def weights(model: RewardModel) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
