"""Tune the ALaRM experiment on questions: `python -m workbench.recipes.alarm_tuning --out data/alarm`.

On seeds that are not reported: the hyperparameters that all arms share are tuned on the baseline, holistic only; then
the gate's threshold; then each kind's aspect weight, with equally many candidates. Killed, the same command goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.papers.alarm.arms import HIERARCHICAL, HOLISTIC_ONLY, Arm
from workbench.papers.alarm.declaration import SWEPT, chosen_aspects
from workbench.papers.alarm.passages import PassageSettings, prepare_passages
from workbench.papers.alarm.qa import TrainingRun, prepare_seeds, train_all
from workbench.papers.alarm.setup import POCKET_PPO, TUNING_FILE, TUNING_SEEDS
from workbench.papers.alarm.task import Prepared
from workbench.policies.outcomes import ORACLE
from workbench.store import atomic
from workbench.training.ppo.kl import FixedKL

__all__ = ["RATES", "THRESHOLDS", "WEIGHTS", "Tuner"]

RATES, KL_COEFFICIENTS = (5e-4, 1e-3), (0.15, 0.3)
"""Learning rates and KL coefficients that are tried."""
THRESHOLDS = (0.0, 0.6)
WEIGHTS = (0.1, 0.3, 1.0)


@dataclass
class Tuner:
    """Tries hyperparameters on the tuning seeds, one after the other, and keeps the result of each."""

    prepared: Mapping[int, Prepared]
    folder: Path
    workers: int
    rows: list[dict[str, Any]]

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


def tune(settings: PassageSettings, seeds: Sequence[int], folder: Path, *, workers: int) -> dict[str, Any]:
    """Try all settings; return the rows and what was chosen.

    Args:
        settings: As the experiment has them.
        seeds: Tuning seeds.
        folder: Where outcomes are kept as they come.
        workers: Processes.
    """
    prepared = prepare_seeds(prepare_passages, settings, seeds, workers=workers, folder=folder / "seeds")
    tuner = Tuner(prepared, folder, workers, [])
    holistic = Arm(HOLISTIC_ONLY)
    shared = max(
        ({"learning_rate": rate, "kl": kl} for rate in RATES for kl in KL_COEFFICIENTS),
        key=lambda both: tuner.tried(holistic, **both),
    )
    chosen = chosen_aspects(prepared)
    gated = tuner.best(
        [Arm(HIERARCHICAL, chosen, weight=0.3, threshold=threshold) for threshold in THRESHOLDS], **shared
    )
    weights = {
        kind: tuner.best(
            [Arm(kind, chosen, weight=weight, threshold=gated.threshold) for weight in WEIGHTS], **shared
        ).weight
        for kind in SWEPT
    }
    found = {**shared, "threshold": gated.threshold, "weights": weights, "aspects": list(chosen)}
    return {"seeds": list(seeds), "chosen": found, "rows": tuner.rows}


@click.command(help=__doc__, epilog="Example: python -m workbench.recipes.alarm_tuning --out out/alarm")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder.")
@click.option("--workers", default=2, show_default=True, help="Training runs at a time.")
def main(out: Path, workers: int) -> None:
    settings = PassageSettings(POCKET_PPO, test_prompts=128)
    folder = out / "tuning"
    try:
        found = tune(settings, TUNING_SEEDS, folder, workers=workers)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    command = f"python -m workbench.recipes.alarm_tuning --out {out}"
    shown = {key: value for key, value in asdict(settings).items() if key not in ("policy", "ppo")}
    atomic.write_json(out / TUNING_FILE, {"command": command, "data": shown, **found})
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
