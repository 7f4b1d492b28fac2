"""Tune the ALaRM experiments: `python -m workbench.recipes.alarm_tuning --out data/alarm`.

On seeds that are not reported: the hyperparameters that all arms share are tuned on the baseline, holistic only; then
the gate's threshold, where it is not the paper's; then each kind's aspect weight, with equally many candidates.
Killed, the same command goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.papers.alarm.arms import HIERARCHICAL, HOLISTIC_ONLY, WEIGHTED_SUM, Arm
from workbench.papers.alarm.declaration import SWEPT, chosen_aspects
from workbench.papers.alarm.passages import PassageTask
from workbench.papers.alarm.qa import TrainingRun, prepare_seeds, train_all
from workbench.papers.alarm.setup import POCKET_PPO, TUNING_FILE, TUNING_SEEDS
from workbench.papers.alarm.task import Prepared, Task
from workbench.papers.alarm.translation import TranslationSettings
from workbench.policies.outcomes import ORACLE
from workbench.store import atomic
from workbench.training.ppo.kl import FixedKL

__all__ = ["GRIDS", "Chosen", "Grid", "passages", "translation", "tune"]


@dataclass(frozen=True)
class Chosen:
    """The hyperparameters that a tuning chose."""

    learning_rate: float
    kl: float
    threshold: float
    weights: Mapping[str, float]
    """Of the aspects, by kind of arm."""
    aspects: Sequence[str]


@dataclass(frozen=True)
class Grid:
    """A task, and what is tried on it."""

    task: Task
    """As the experiment has it."""
    rates: tuple[float, ...]
    """Learning rates."""
    kl_coefficients: tuple[float, ...]
    weights: tuple[float, ...]
    """Of the aspects."""
    kinds: tuple[str, ...]
    """Of the arms whose weight is tuned."""
    thresholds: tuple[float, ...]
    """A single one is not tuned."""
    written: Callable[[Chosen], dict[str, Any]]
    """What the experiment reads back of it, under `chosen` and more."""
    holistic_weight: float = 1.0


def passages() -> Grid:
    """Return what is tried on questions."""
    task = PassageTask(POCKET_PPO, test_prompts=128)
    sizes = ("pairs", "flipped", "pair_prompts", "pool_prompts", "test_prompts")

    def written(chosen: Chosen) -> dict[str, Any]:
        return {"data": {name: getattr(task, name) for name in sizes}, "chosen": asdict(chosen)}

    return Grid(
        task, (5e-4, 1e-3), (0.15, 0.3), (0.1, 0.3, 1.0), SWEPT, thresholds=(0.0, 0.6), written=written
    )


def translation() -> Grid:
    """Return what is tried on translation: threshold and weight of the holistic reward stay the paper's."""
    settings = TranslationSettings()

    def written(chosen: Chosen) -> dict[str, Any]:
        found = {"learning_rate": chosen.learning_rate, "kl_coefficient": chosen.kl}
        weights = {f"{name}_weight": chosen.weights[kind] for name, kind in kinds.items()}
        return {"aspects": chosen.aspects, "chosen": found | weights}

    kinds = {"sum": WEIGHTED_SUM, "hierarchy": HIERARCHICAL}
    return Grid(
        settings.prepared,
        (2e-4, 3e-4),
        (0.3, 1.0),
        (0.3, 1.0),
        tuple(kinds.values()),
        thresholds=(settings.threshold,),
        written=written,
        holistic_weight=settings.holistic_weight,
    )


GRIDS = {"passages": passages, "translation": translation}


@dataclass
class Tuner:
    """Tries hyperparameters on the tuning seeds, one after the other, and keeps the result of each."""

    prepared: Mapping[int, Prepared]
    folder: Path
    workers: int
    rows: list[dict[str, Any]] = field(default_factory=list)

    def tried(self, arm: Arm, *, learning_rate: float, kl: float) -> float:
        """Train an arm on all seeds with the shared hyperparameters; return the mean oracle of sampled answers."""
        known = {}
        for seed, prepared_seed in self.prepared.items():
            task = prepared_seed.task
            ppo = replace(task.ppo, learning_rate=learning_rate, kl=FixedKL(kl))
            known[seed] = replace(prepared_seed, task=replace(task, ppo=ppo))
        training_runs = [TrainingRun(f"{arm.kind} {arm.threshold:g}", arm, seed) for seed in known]
        place = self.folder / f"rate-{learning_rate:g}-kl-{kl:g}"
        finished = train_all(training_runs, known, workers=self.workers, folder=place)
        outcomes = [outcome for outcome in finished if outcome.log]
        values: dict[str, float] = {}
        for decoding in ("sampled", "greedy"):
            decoded = [outcome.answers(decoding) for outcome in outcomes]
            oracle = [np.mean(answers.scores[ORACLE]) for answers in decoded if answers is not None]
            values[decoding] = float(np.mean(oracle))
        setting = {"learning_rate": learning_rate, "kl": kl, "threshold": arm.threshold, "weight": arm.weight}
        row = {"arm": arm.kind, **setting, **{name: round(value, 4) for name, value in values.items()}}
        self.rows.append(row)
        click.echo("  ".join(f"{value}" for value in row.values()))
        return values["sampled"]

    def best(self, arms: Sequence[Arm], **shared: float) -> Arm:
        """Return the arm of the highest oracle on sampled answers; of equal ones the first."""
        return max(arms, key=lambda arm: self.tried(arm, **shared))


def tune(grid: Grid, seeds: Sequence[int], folder: Path, *, workers: int) -> dict[str, Any]:
    """Try all settings; return the rows and what was chosen.

    Args:
        grid: The task and what is tried.
        seeds: Tuning seeds.
        folder: Where outcomes are kept as they come.
        workers: Processes.
    """
    prepared = prepare_seeds(grid.task, seeds, workers=workers, folder=folder / "seeds")
    tuner = Tuner(prepared, folder, workers)
    first: dict[str, Any] = {"threshold": grid.thresholds[-1], "holistic_weight": grid.holistic_weight}
    holistic = Arm(HOLISTIC_ONLY, **first)
    shared = max(
        ({"learning_rate": rate, "kl": kl} for rate in grid.rates for kl in grid.kl_coefficients),
        key=lambda both: tuner.tried(holistic, **both),
    )
    aspects = chosen_aspects(prepared)
    kept = first
    if len(grid.thresholds) > 1:
        gates = [{**first, "threshold": threshold} for threshold in grid.thresholds]
        arms = [Arm(HIERARCHICAL, aspects, 0.3, **gate) for gate in gates]
        kept = {**first, "threshold": tuner.best(arms, **shared).threshold}
    weights = {
        kind: tuner.best([Arm(kind, aspects, weight, **kept) for weight in grid.weights], **shared).weight
        for kind in grid.kinds
    }
    chosen = Chosen(**shared, threshold=kept["threshold"], weights=weights, aspects=list(aspects))
    return {**grid.written(chosen), "seeds": list(seeds), "rows": tuner.rows}


@click.command(help=__doc__, epilog="Example: python -m workbench.recipes.alarm_tuning --out out/alarm")
@click.option("--task", type=click.Choice(list(GRIDS)), default="passages", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder.")
@click.option("--workers", default=2, show_default=True, help="Training runs at a time.")
def main(task: str, out: Path, workers: int) -> None:
    folder = out / "tuning"
    try:
        found = tune(GRIDS[task](), TUNING_SEEDS, folder, workers=workers)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    chosen_task = "" if task == "passages" else f" --task {task}"
    command = f"python -m workbench.recipes.alarm_tuning{chosen_task} --out {out}"
    atomic.write_json(out / TUNING_FILE, {"command": command, **found})
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
