"""From a notebook's parameters to the ALaRM experiment on questions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.datasets.location import data_folder
from workbench.errors import SettingsError
from workbench.experiments.alarm_declaration import Declaration, read_tuning
from workbench.experiments.alarm_task import Prepared
from workbench.models.loading import ModelSettings
from workbench.rewards.composition import HierarchySettings
from workbench.training.ppo.kl import FixedKL
from workbench.training.ppo.settings import PPOSettings

if TYPE_CHECKING:
    import pandas as pd

    from workbench.experiments.alarm_europarl import EuroparlTask
    from workbench.experiments.alarm_translation import TranslationSettings

__all__ = [
    "POCKET_PPO",
    "SEEDS_FILE",
    "TUNING_FILE",
    "TUNING_SEEDS",
    "WORLD",
    "TaskChoice",
    "alarm_folder",
    "declare",
    "declare_pocket",
    "policy_settings",
    "quantize_of",
    "task_of",
    "translation_of",
    "tuned_ppo",
    "tuning_of",
]

WORLD, WORLD_TRANSLATION = "passages", "world"
"""Names of our worlds among data; all others are files or folders of QA-Feedback, and of Europarl."""
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
    """Return PPO in our world with the learning rate and the price of KL that tuning chose.

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


@dataclass(frozen=True)
class TaskChoice:
    """What a run's questions are, and how a seed of them is prepared."""

    prepare: Callable[..., Prepared]
    """Takes the settings, a seed and a folder."""
    settings: Any
    """Of `prepare`."""
    where: str
    """What claims say of where they were measured: a sentence."""
    described: Callable[[], pd.DataFrame] | None = None
    """Returns a table of the aspects; None where there is nothing to say beyond their names."""

    def aspects(self, prepared: Mapping[int, Prepared]) -> tuple[str, ...]:
        """Return the names of all aspects, in the order of the task."""
        pool = next(iter(prepared.values())).pool
        known = {row.name for row in pool.selection.table}
        return tuple(name for name in pool.scores if name in known)


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
        return declare_pocket(seeds, sweep_seeds, tuning=tuning, weights=weights)
    paper = HierarchySettings()
    return Declaration(
        seeds, sweep_seeds, weights, threshold=paper.threshold, holistic_weight=paper.holistic_weight
    )


def task_of(settings: Any) -> TaskChoice:
    """Return the questions of a run: of our world, or QA-Feedback's.

    Args:
        settings: `Run.settings` of the notebook.

    Raises:
        SettingsError: Parameters do not go together.
        DataError: The tuning's file cannot be read.
    """
    if settings.data != WORLD:
        from workbench.experiments.alarm_questions import prepare_questions, question_settings

        return TaskChoice(prepare_questions, question_settings(settings), f"Measured on {settings.data}.")
    from workbench.experiments.alarm_passages import PassageSettings, prepare_passages
    from workbench.experiments.alarm_tables import aspects_table

    tuning = tuning_of(settings)
    ppo = POCKET_PPO if tuning is None else tuned_ppo(tuning)
    batch = settings.batch or ppo.batch
    return TaskChoice(
        prepare_passages,
        PassageSettings(
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
        ),
        "Measured in our small world, by the exact oracle.",
        aspects_table,
    )


def translation_of(settings: Any) -> TranslationSettings:
    """Return the translation of a run: of our world as it was tuned, or of Europarl by the paper's settings.

    Args:
        settings: `Run.settings` of the notebook.

    Raises:
        SettingsError: Europarl is asked for without a policy or a holistic reward model.
        DataError: The tuning's file cannot be read.
    """
    from workbench.experiments.alarm_translation import TranslationSettings

    seeds = settings.translation_seeds
    if settings.translation != WORLD_TRANSLATION:
        return TranslationSettings(seeds=seeds, task=_europarl(settings))
    from workbench.experiments.alarm_translation_data import TranslationTask
    from workbench.experiments.alarm_translation_tuning import tuned_settings

    task = TranslationTask(
        pairs=max(settings.pairs // 2, 1),
        pair_prompts=max(settings.pairs * 5 // 8, 2),
        pool_prompts=settings.pool_prompts * 3 // 2,
    )
    steps = {"steps": settings.translation_steps} if settings.translation_steps else {}
    made = TranslationSettings if settings.tuning == "paper" else tuned_settings
    return made(seeds=seeds, prompts=2 * settings.test_prompts, task=task, **steps)


def _europarl(settings: Any) -> EuroparlTask:
    from workbench.experiments.alarm_europarl import EuroparlTask
    from workbench.rewards.grammar import grammar_available

    if not settings.translation_policy or not settings.holistic:
        raise SettingsError(
            got=f"translation {settings.translation!r}, translation_policy {settings.translation_policy!r}, "
            f"holistic {settings.holistic!r}",
            needed="a policy that translates, and a holistic reward model",
            fix="-p translation_policy=google/mt5-base -p holistic=openbmb/UltraRM-13b, or -p translation=world",
        )
    given = EuroparlTask()
    named = settings.translation != "europarl"
    aspects = tuple(name for name in given.aspects if name != "grammar" or grammar_available().available)
    steps = {"max_steps": settings.translation_steps} if settings.translation_steps else {}
    return replace(
        given,
        policy=ModelSettings(settings.translation_policy, device=settings.device),
        holistic=ModelSettings(settings.holistic, quantize=quantize_of(settings), device=settings.device),
        normalization=given.normalization if "ultra" in settings.holistic.lower() else None,
        aspects=aspects,
        source=settings.translation if named else given.source,
        ppo=replace(given.ppo, **steps),
        lora=given.lora if settings.lora else None,
        supervised=settings.supervised,
        pool_prompts=settings.pool_prompts,
        test_prompts=settings.test_prompts,
    )


def quantize_of(settings: Any) -> str | None:
    """Return how a run's holistic reward model is held; None: as its checkpoint is.

    Raises:
        SettingsError: It is neither `none` nor `nf4`.
    """
    if settings.quantize not in ("none", "nf4"):
        raise SettingsError(f"quantize {settings.quantize!r}", "none or nf4", "correct it")
    return None if settings.quantize == "none" else str(settings.quantize)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise SettingsError(f"weights {word!r}", "numbers above 0", "give them as 0.1,0.3,1") from None
