"""From a notebook's parameters to the HaF-RM experiment: one path for our world and for the paper's data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError
from workbench.models.encoding import EncodingSettings
from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings, named_targets
from workbench.papers.haf_rm.data import WORLD, DataSettings, Regime
from workbench.papers.haf_rm.declaration import Declaration
from workbench.store.location import data_folder
from workbench.training.settings import RewardTrainingSettings
from workbench.worlds.passages.training import POCKET_TRAINING

__all__ = ["TUNING_DATA_SEED", "TUNING_SEEDS", "data_settings", "declare", "policy_folder", "tuning_file"]

BEST_OF, EVALUATE_STEPS = 16, 200
"""Evaluations that the best checkpoint is chosen of, where the steps are given; else steps between them."""
TUNING_SEEDS = (1000, 1001, 1002)
"""Seeds of tuning; those reported on count from 0."""
TUNING_DATA_SEED = 1000
"""Of the prompts and answers that are tuned on."""


def policy_folder() -> Path:
    """Return the folder of our world's policy."""
    return data_folder() / "haf_rm"


def tuning_file(settings: Any) -> Path | None:
    """Return the file of the tuning that a run uses; None for the paper's settings."""
    if settings.tuning == "paper":
        return None
    return policy_folder() / "tuning.json" if settings.tuning == "world" else Path(settings.tuning)


def data_settings(settings: Any) -> DataSettings:
    """Return what a run's parameters say of the data.

    Args:
        settings: `Run.settings` of the notebook.
    """
    return DataSettings(
        names=settings.data,
        pool_prompts=settings.pool_prompts,
        test_prompts=settings.test_prompts,
        samples=settings.samples,
        judged_prompts=settings.judged_prompts if settings.judge else 0,
        max_new_tokens=settings.max_new_tokens,
        encoding=_encoding(settings),
        held_out=settings.held_out,
        whole_pairs=settings.whole_pairs,
        mixed=settings.mixed,
        seed=settings.seed,
    )


def declare(settings: Any) -> Declaration:
    """Return what a run's parameters declare.

    Args:
        settings: `Run.settings` of the notebook.

    Raises:
        SettingsError: A parameter cannot be used.
        DataError: The tuning's file cannot be read.
    """
    from workbench.papers.haf_rm.tuning import read_tuning

    world = settings.data == (WORLD,)
    if not world and not settings.model:
        raise SettingsError(
            got=f"data {', '.join(settings.data)}, and no model",
            needed="the name or folder of a backbone that can read them",
            fix="-p model=Qwen/Qwen2.5-0.5B, for example",
        )
    if settings.quantize not in ("none", "nf4") or (settings.quantize == "nf4" and not settings.lora):
        raise SettingsError(
            got=f"quantize {settings.quantize!r}, lora {settings.lora}",
            needed="quantize none or nf4; quantised weights are not trained themselves, so nf4 needs lora",
            fix="-p quantize=none, or -p lora=true",
        )
    regimes = tuple(Regime.parse(word) for word in settings.regimes)
    most = max(regime.pairs for regime in regimes)
    if world and settings.pool_prompts < most:  # at most one pair a prompt
        raise SettingsError(
            got=f"pool_prompts {settings.pool_prompts}, and a regime of {most} pairs",
            needed="at least one prompt for each pair, and a few more: some prompts' answers are worth the same",
            fix=f"-p pool_prompts={2 * most}, for example, or smaller -p regimes",
        )
    tuning = tuning_file(settings)
    return Declaration(
        model=ModelSettings(
            name=settings.model or str(policy_folder()),
            quantize=None if settings.quantize == "none" else settings.quantize,
            device=settings.device,
            dtype=settings.dtype,
            gradient_checkpointing=settings.quantize == "nf4",
            share_prompts=settings.share_prompts,
        ),
        alphas=tuple(_number(word) for word in settings.alphas),
        poolings=tuple(settings.poolings),
        regimes=regimes,
        seeds=tuple(range(settings.seeds)),
        quantized_seeds=min(settings.quantized_seeds, settings.seeds),
        training=_training(settings),
        lora=_adapters(settings) if settings.lora else None,
        tuned=read_tuning(tuning).chosen if tuning else {},
        grm=settings.grm,
    ).with_variants(settings.variants)


def _adapters(settings: Any) -> LoraSettings:
    """Return which layers carry adapters."""
    return LoraSettings(
        rank=settings.lora_rank,
        target_modules=named_targets(settings.target_modules),
        layers=settings.lora_layers or None,
    )


def _encoding(settings: Any) -> EncodingSettings:
    """Return how texts become tokens."""
    templates = {"world": "{prompt}", "paper": EncodingSettings.template}
    # pairs that fit whole need no budget of their own for the prompt
    longest = settings.max_tokens - 1 if settings.whole_pairs else settings.max_tokens // 2
    usual = longest if settings.whole_pairs else EncodingSettings.max_prompt_tokens
    return EncodingSettings(
        template=templates.get(settings.template, settings.template),
        chat=False,  # the declared template is used, whatever the tokenizer brings
        max_tokens=settings.max_tokens,
        max_prompt_tokens=min(usual, longest),
    )


def _training(settings: Any) -> RewardTrainingSettings:
    """Return what all arms share."""
    changes: dict[str, Any] = {"micro_batch": settings.micro_batch, "encoding": _encoding(settings)}
    if settings.learning_rate:
        changes["learning_rate"] = settings.learning_rate
    if settings.max_steps:
        changes["max_steps"] = settings.max_steps
    if settings.keep_best:
        every = max(1, settings.max_steps // BEST_OF) if settings.max_steps else EVALUATE_STEPS
        changes |= {"keep_best": True, "evaluate_steps": every, "checkpoint_steps": every}
    return replace(POCKET_TRAINING, **changes)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise SettingsError(f"alphas {word!r}", "numbers above 0", "give them as 0.05,0.2,1") from None
