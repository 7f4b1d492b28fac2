"""From the workbench's settings to those of transformers' Trainer."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from transformers import TrainingArguments

from workbench.training.settings import RewardTrainingSettings

__all__ = ["computes_bf16", "processes", "training_arguments"]


def processes() -> int:
    """Return how many processes train together, as their launcher says: `accelerate launch` or `torchrun`."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def computes_bf16(settings: RewardTrainingSettings, device: torch.device) -> bool:
    """Return whether training computes in bfloat16 on a device."""
    if settings.bf16 is not None:
        return settings.bf16
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def training_arguments(
    settings: RewardTrainingSettings, folder: Path, device: torch.device, *, evaluates: bool
) -> TrainingArguments:
    """Return the arguments of a Trainer.

    Args:
        settings: The workbench's.
        folder: Where checkpoints go.
        device: Where the model is.
        evaluates: Whether there are pairs to evaluate on.

    Raises:
        SettingsError: The batch does not split over the processes.
    """
    looks = evaluates and settings.evaluate_steps > 0
    keeps_best = looks and settings.keep_best
    # the best checkpoint can only be one that was evaluated
    every = settings.evaluate_steps if keeps_best else settings.checkpoint_steps
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=settings.micro_batch,
        per_device_eval_batch_size=4 * settings.micro_batch,  # without gradients that many more fit
        gradient_accumulation_steps=settings.accumulation(processes()),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        learning_rate=settings.learning_rate,
        adam_epsilon=settings.adam_epsilon,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        lr_scheduler_type=settings.schedule,
        # 1 or more would be steps
        warmup_steps=min(settings.warmup, 0.999),
        bf16=computes_bf16(settings, device),
        use_cpu=device.type == "cpu",
        ddp_backend="gloo" if device.type == "cpu" and processes() > 1 else None,
        # which losses are computed, and so which weights get gradients, changes only where they take turns
        ddp_find_unused_parameters=settings.alternate > 0,
        dataloader_pin_memory=device.type == "cuda",
        save_strategy="steps" if settings.checkpoint_steps else "no",
        save_steps=every or 500,
        save_total_limit=settings.checkpoints_kept,
        eval_strategy="steps" if looks else "no",
        eval_steps=settings.evaluate_steps or None,
        load_best_model_at_end=keeps_best,
        metric_for_best_model=f"eval_{settings.best_metric}" if keeps_best else None,
        greater_is_better=settings.best_metric != "loss" if keeps_best else None,
        logging_strategy="steps" if settings.log_steps else "no",
        logging_steps=settings.log_steps or 500,
        logging_nan_inf_filter=False,  # a loss that is no number is an error here
        report_to=list(settings.report_to) or "none",
        disable_tqdm=True,  # the workbench has a bar of its own
        remove_unused_columns=False,
        seed=settings.seed,
    )
    if (
        arguments.n_gpu > 1
    ):  # several GPUs are for `accelerate launch`: a copy of the model in each thread is slow
        arguments._n_gpu = 1
    return arguments
