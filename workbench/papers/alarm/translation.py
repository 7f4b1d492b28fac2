"""The ALaRM experiment on translation: an aspect chosen by inconsistency, then every arm, seed by seed.

Source: Lai et al. 2024, "ALaRM: Align Language Models via Hierarchical Rewards Modeling", its task of translation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError
from workbench.papers.alarm.arms import HIERARCHICAL, HOLISTIC_ONLY, WEIGHTED_SUM, Arm
from workbench.papers.alarm.declaration import read_tuning
from workbench.papers.alarm.europarl import EuroparlTask
from workbench.papers.alarm.qa import TrainingRun, prepare_seeds, train_all
from workbench.papers.alarm.trained import Trained
from workbench.papers.alarm.translation_data import TranslationTask, models_folder
from workbench.policies.outcomes import BEFORE
from workbench.rewards import Sample, Selection, Span
from workbench.store.cluster import Cluster
from workbench.training.ppo.kl import FixedKL
from workbench.worlds.translation.rewards import ASPECTS

__all__ = [
    "ARMS",
    "TUNING_FILE",
    "WORST",
    "TranslationSettings",
    "run_translation",
    "spans_of",
    "training_runs_of",
    "tuned_settings",
]

WORST = "hierarchical, worst aspect"
ARMS = (BEFORE, HOLISTIC_ONLY, WEIGHTED_SUM, HIERARCHICAL, WORST)
"""Those of the paper with the aspect that is least inconsistent with the holistic reward; and its hierarchy with the
one that is most so, which tells whether the choice matters."""


@dataclass(frozen=True)
class TranslationSettings:
    """What is compared, said before anything is run.

    Metric: the mean utility, by the exact oracle, of translations of sentences that no policy trained on. Comparison:
    between arms seed by seed; 95 % t interval over the seeds. A seed decides on the preference pairs and their noise,
    so on the holistic reward, and on all sentences; the arms of a seed share these. On Europarl, where nobody knows
    the truth, the holistic reward is the metric, and a seed is one of training alone.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    seeds: int = 2
    """Reporting seeds, from 0 on. Tuning uses others."""
    steps: int = 20
    """Rollouts of each training."""
    prompts: int = 200
    """Sentences that trained policies translate."""
    threshold: float = 0.5
    """Lowest holistic reward at which the aspect counts (the paper's)."""
    holistic_weight: float = 3.0
    """Of the holistic reward (the paper's)."""
    learning_rate: float = 3e-4
    """Of every arm."""
    kl_coefficient: float = 0.3
    """KL coefficient: penalty per nat of KL to the reference policy, in units of the reward."""
    sum_weight: float = 1.0
    """Of the aspect in `WEIGHTED_SUM`, after shaping (paper: 1)."""
    hierarchy_weight: float = 1.0
    """The same in the hierarchy, whatever the aspect."""
    task: TranslationTask | EuroparlTask = field(default_factory=TranslationTask)
    """Models, data and trainers: our world's, with the steps, prompts, learning rate and KL coefficient
    above; or Europarl's, which brings its own."""

    def __post_init__(self) -> None:
        whole = ("seeds", "steps", "prompts")
        faults = [
            (f"{name} {getattr(self, name)!r}", f"{name}: at least 1")
            for name in whole
            if getattr(self, name) < 1
        ]
        above = ("holistic_weight", "learning_rate", "kl_coefficient", "sum_weight", "hierarchy_weight")
        faults += [
            (f"{name} {getattr(self, name)!r}", f"{name}: a number above 0")
            for name in above
            if not 0 < getattr(self, name) < float("inf")
        ]
        if faults:
            raise SettingsError.listing(faults)

    @property
    def prepared(self) -> TranslationTask | EuroparlTask:
        """What every seed prepares."""
        if isinstance(self.task, EuroparlTask):
            return self.task
        ppo = replace(
            self.task.ppo,
            max_steps=self.steps,
            learning_rate=self.learning_rate,
            kl=FixedKL(self.kl_coefficient),
        )
        return replace(self.task, ppo=ppo, test_prompts=self.prompts)

    @property
    def where(self) -> str:
        """What claims say of where they were measured."""
        return self.task.where


def run_translation(
    settings: TranslationSettings,
    *,
    workers: int | Cluster = 1,
    folder: Path,
    models: Path | None = None,
    progress: bool = True,
) -> Trained:
    """Train a holistic reward and every arm for each seed, and judge them. Killed, the same call goes on.

    Args:
        settings: What is compared.
        workers: Processes, or a cluster; see `run_jobs`.
        folder: Where reward models and outcomes are kept as they come.
        models: Where trained policies are kept; see `train_all`.
        progress: Show a bar on a terminal.
    """
    seeds = range(settings.seeds)
    prepared = prepare_seeds(settings.prepared, seeds, workers=workers, folder=folder, progress=progress)
    training_runs = [
        planned
        for seed, prepared_seed in prepared.items()
        for planned in training_runs_of(settings, prepared_seed.pool.selection, seed)
    ]
    outcomes = train_all(
        training_runs,
        prepared,
        workers=workers,
        folder=folder / "policies",
        models=models,
        progress=progress,
    )
    return Trained(prepared, sorted(outcomes, key=lambda outcome: (outcome.seed, ARMS.index(outcome.arm))))


def training_runs_of(settings: TranslationSettings, selection: Selection, seed: int) -> list[TrainingRun]:
    """Return the training runs of a seed: its arms, with the aspects that its selection names.

    Args:
        settings: Weights and threshold.
        selection: Of the seed.
        seed: The seed.
    """
    # an aspect that values all translations alike has no inconsistency, and stands last
    ranked = [row.name for row in selection.table if math.isfinite(row.inconsistency)]
    best, worst = ranked[0], ranked[-1]
    shared: dict[str, Any] = {"threshold": settings.threshold, "holistic_weight": settings.holistic_weight}
    arms = {
        HOLISTIC_ONLY: Arm(HOLISTIC_ONLY, **shared),
        WEIGHTED_SUM: Arm(WEIGHTED_SUM, (best,), settings.sum_weight, **shared),
        HIERARCHICAL: Arm(HIERARCHICAL, (best,), settings.hierarchy_weight, **shared),
        WORST: Arm(HIERARCHICAL, (worst,), settings.hierarchy_weight, **shared),
    }
    return [TrainingRun(name, arm, seed) for name, arm in arms.items()]


def spans_of(prompt: str, response: str) -> dict[str, list[Span]]:
    """Return the values of each aspect for a translation, with the spans they are of.

    Args:
        prompt: A sentence of the world.
        response: Any translation of it.
    """
    sample = Sample(prompt, response)
    return {name: aspect()([sample])[0] for name, aspect in ASPECTS.items()}


TUNING_FILE = "tuning.json"


def tuned_settings(file: Path | None = None, **changes: Any) -> TranslationSettings:
    """Return the experiment's settings with the hyperparameters that tuning chose.

    Args:
        file: Of a tuning; that of our world if None.
        changes: Fields of `TranslationSettings` to set otherwise.

    Raises:
        DataError: The file is missing or holds something else.
    """
    chosen = dict(read_tuning(file or models_folder() / TUNING_FILE)["chosen"])
    if "kl_price" in chosen:  # its name in files of before
        chosen["kl_coefficient"] = chosen.pop("kl_price")
    return TranslationSettings(**{**chosen, **changes})
