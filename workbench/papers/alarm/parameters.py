"""From a notebook's parameters to the ALaRM experiments: questions and translation, of our worlds or public data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import SettingsError
from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings, named_targets
from workbench.papers.alarm.declaration import Declaration, read_tuning
from workbench.papers.alarm.setup import (
    POCKET_PPO,
    TUNING_FILE,
    WORLD,
    alarm_folder,
    declare_pocket,
    quantize_of,
    tuned_ppo,
)
from workbench.papers.alarm.task import Task
from workbench.rewards.composition import HierarchySettings

if TYPE_CHECKING:
    from workbench.papers.alarm.europarl import EuroparlTask
    from workbench.papers.alarm.translation import TranslationSettings

__all__ = ["declare", "task_of", "translation_of", "tuning_of"]

WORLD_TRANSLATION, EUROPARL = "world", "europarl"
"""Names of what is translated; all others are files of Europarl's form."""


def tuning_of(settings: Any) -> dict[str, Any] | None:
    """Return the tuning that a run uses; None for the paper's settings.

    Args:
        settings: `Run.settings` of the notebook.
    """
    if settings.tuning == "paper":
        return None
    world = settings.tuning == "world"
    return read_tuning(alarm_folder() / TUNING_FILE if world else Path(settings.tuning))


def declare(settings: Any) -> Declaration:
    """Return what a run's parameters declare.

    Args:
        settings: `Run.settings` of the notebook.

    Raises:
        SettingsError: A parameter cannot be used.
        DataError: The tuning's file cannot be read.
    """
    seeds = tuple(settings.seed + number for number in range(settings.seeds))
    weights = tuple(_number(word) for word in settings.weights)
    sweep_seeds = min(settings.sweep_seeds, settings.seeds)
    tuning = tuning_of(settings)
    if tuning is not None:
        return declare_pocket(seeds, sweep_seeds, tuning=tuning, weights=weights).only(settings.arms)
    paper = HierarchySettings()
    declaration = Declaration(
        seeds, sweep_seeds, weights, threshold=paper.threshold, holistic_weight=paper.holistic_weight
    )
    return declaration.only(settings.arms)


def task_of(settings: Any) -> Task:
    """Return the questions of a run: of our world, or QA-Feedback's.

    Args:
        settings: `Run.settings` of the notebook.

    Raises:
        SettingsError: Parameters do not go together.
        DataError: The tuning's file cannot be read.
    """
    if settings.data != WORLD:
        from workbench.papers.alarm.questions import question_task

        return question_task(settings)
    from workbench.papers.alarm.passages import PassageTask

    tuning = tuning_of(settings)
    ppo = POCKET_PPO if tuning is None else tuned_ppo(tuning)
    batch = settings.batch or ppo.batch
    return PassageTask(
        ppo=replace(
            ppo,
            max_steps=settings.steps or ppo.max_steps,
            batch=batch,
            minibatch=math.gcd(batch, ppo.minibatch),
        ),
        pairs=settings.pairs,
        pair_prompts=max(settings.pairs // 2, 2),
        pool_prompts=settings.pool_prompts,
        test_prompts=settings.test_prompts,
    )


def translation_of(settings: Any) -> TranslationSettings:
    """Return the translation of a run: of our world as it was tuned, or of Europarl by the paper's settings.

    Args:
        settings: `Run.settings` of the notebook.

    Raises:
        SettingsError: Europarl is asked for without a policy or a holistic reward model.
        DataError: The tuning's file cannot be read.
    """
    from workbench.papers.alarm.translation import TranslationSettings

    seeds = settings.translation_seeds
    if settings.translation != WORLD_TRANSLATION:
        return TranslationSettings(seeds=seeds, task=_europarl(settings))
    from workbench.papers.alarm.translation import tuned_settings
    from workbench.papers.alarm.translation_data import TranslationTask

    task = TranslationTask(
        pairs=max(settings.pairs // 2, 1),
        pair_prompts=max(settings.pairs * 5 // 8, 2),
        pool_prompts=settings.pool_prompts * 3 // 2,
    )
    steps = {"steps": settings.translation_steps} if settings.translation_steps else {}
    made = TranslationSettings if settings.tuning == "paper" else tuned_settings
    return made(seeds=seeds, prompts=2 * settings.test_prompts, task=task, **steps)


def _europarl(settings: Any) -> EuroparlTask:
    from workbench.papers.alarm.europarl import EuroparlTask

    if not settings.translation_policy or not settings.holistic:
        raise SettingsError(
            got=f"translation {settings.translation!r}, translation_policy {settings.translation_policy!r}, "
            f"holistic {settings.holistic!r}",
            needed="a policy that translates, and a holistic reward model",
            fix="-p translation_policy=google/mt5-base -p holistic=openbmb/UltraRM-13b, or -p translation=world",
        )
    given = EuroparlTask()
    named = settings.translation != EUROPARL
    aspects = tuple(name for name in given.aspects if name != "grammar" or settings.translation_grammar)
    steps = {"max_steps": settings.translation_steps} if settings.translation_steps else {}
    return replace(
        given,
        policy=ModelSettings(settings.translation_policy, device=settings.device),
        holistic=ModelSettings(settings.holistic, quantize=quantize_of(settings), device=settings.device),
        normalization=given.normalization if "ultra" in settings.holistic.lower() else None,
        aspects=aspects,
        source=settings.translation if named else given.source,
        ppo=replace(given.ppo, **steps),
        lora=_named(given.lora, settings.target_modules) if settings.lora else None,
        supervised=settings.translation_supervised,
        pool_prompts=settings.pool_prompts,
        test_prompts=settings.translation_prompts or settings.test_prompts,
    )


def _named(lora: LoraSettings | None, names: Sequence[str]) -> LoraSettings | None:
    """Return adapters on the layers that are named, if some are."""
    targets = named_targets(names)
    return replace(lora, target_modules=targets) if lora and targets else lora


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise SettingsError(f"weights {word!r}", "numbers above 0", "give them as 0.1,0.3,1") from None
