"""What comes before a training: its device, its model, what was asked, its reference."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings
from workbench.models.placement import pick_device
from workbench.models.reward_model import RewardModel
from workbench.training.pairs import EncodedPairs
from workbench.training.reference import policy_mark, reference_logps
from workbench.training.settings import RewardTrainingSettings

if TYPE_CHECKING:
    from transformers import TrainingArguments

__all__ = [
    "asked_for",
    "describe",
    "device_of",
    "ready_model",
    "reference_before",
    "with_reference",
]


def device_of(model: RewardModel | ModelSettings) -> torch.device:
    """Return where to train: where the model is, or where it will be; of several GPUs, this process's own."""
    if isinstance(model, RewardModel):
        return model.device
    device = pick_device(model.device)
    local = os.environ.get("LOCAL_RANK")
    return torch.device("cuda", int(local)) if device.type == "cuda" and local else device


def ready_model(
    model: RewardModel | ModelSettings, settings: RewardTrainingSettings, lora: LoraSettings | None
) -> RewardModel:
    """Return the model to train, loaded in a way that only the seed decides on."""
    from transformers import set_seed

    set_seed(settings.seed)
    if isinstance(model, RewardModel):
        return model
    placed = replace(model, device=str(device_of(model)))
    return RewardModel.load(placed, lora=lora, pooling=settings.pooling, init_std=settings.init_std)


def describe(model: RewardModel, settings: RewardTrainingSettings, arguments: TrainingArguments) -> str:
    """Say what trains, in which numbers, in how many processes."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    trained = sum(size for size, trains in sizes if trains)
    together = f"; {arguments.world_size} processes" if arguments.world_size > 1 else ""
    number = "; bfloat16 arithmetic" if arguments.bf16 else ""
    return (
        f"model: {model.summary or type(model.causal_lm).__name__}; {trained:,} parameters train{number}{together}; "
        f"steps of {settings.batch} pairs, {settings.micro_batch} at a time"
    )


def asked_for(
    model: RewardModel,
    pairs: EncodedPairs,
    eval_pairs: EncodedPairs | None,
    settings: RewardTrainingSettings,
    lora: LoraSettings | None,
) -> dict[str, Any]:
    """Return all that shapes the weights, as plain values."""
    return {
        "settings": settings.describe(),
        "lora": lora and asdict(lora),
        "model": model.origin.source if model.origin else None,
        "data": list(pairs.sources),
        "weights": policy_mark(model, adapters=True),
        "pairs": pairs.mark(),
        "evaluation pairs": eval_pairs and eval_pairs.mark(),
    }


def reference_before(model: RewardModel, pairs: EncodedPairs, settings: RewardTrainingSettings) -> bool:
    """Tell whether the reference is computed before training, and not in every step."""
    if not settings.objective.needs_reference or settings.reference == "adapters-off":
        return False
    seen = (settings.max_steps or math.inf) * settings.batch
    return settings.reference == "before" or not model.has_adapters or seen >= len(pairs)


def with_reference(
    model: RewardModel,
    pairs: EncodedPairs,
    settings: RewardTrainingSettings,
    arguments: TrainingArguments,
    cache: Path | None,
) -> EncodedPairs:
    """Give pairs the reference's log-probabilities."""
    logps = reference_logps(
        model,
        pairs,
        cache=cache,
        batch=8 * settings.micro_batch,  # without gradients, and in rows instead of pairs
        bf16=arguments.bf16,
        progress=settings.progress,
        process=arguments.process_index,
        processes=arguments.world_size,
    )
    return pairs.with_reference(logps.tolist())
