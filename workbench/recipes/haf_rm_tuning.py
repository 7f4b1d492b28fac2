"""Tune every arm of the HaF-RM experiment alike: `python -m workbench.recipes.haf_rm_tuning --out data/haf_rm`.

Every arm gets the same number of settings, the same seeds and the same data, and none of these is what is reported
on. The standard arm comes first. Killed, the same command goes on. Arms that the folder's file holds already, tuned
on the same seeds and data, are not tuned again: an arm more costs its own trainings.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.models.loading import ModelSettings
from workbench.models.reward_model import POOLINGS
from workbench.papers.haf_rm.data import (
    WORLD,
    DataSettings,
    ExperimentData,
    prepare_data,
    training_pairs,
)
from workbench.papers.haf_rm.declaration import Arm, Declaration
from workbench.papers.haf_rm.experiment import Outcome, run_job, untrained
from workbench.papers.haf_rm.plan import Job, job_name, make_job
from workbench.papers.haf_rm.results import Findings
from workbench.papers.haf_rm.setup import policy_folder
from workbench.papers.haf_rm.tuning import FILE, Tuning, read_tuning
from workbench.preferences.accuracy import correctness
from workbench.store import atomic
from workbench.store.jobs import run_jobs
from workbench.worlds.passages.training import POCKET_TRAINING

__all__ = ["GRIDS", "grid_of", "tune"]

GRIDS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "explicit": {"learning_rate": (1e-3, 3e-3), "init_std": (0.0, 0.1, 0.3)},
    "implicit": {"learning_rate": (1e-3, 3e-3), "beta": (0.1, 0.3, 1.0)},
    "adapters": {"learning_rate": (3e-3, 1e-2), "init_std": (0.0, 0.1, 0.3)},
}
"""What is tried, equally many settings for every arm. DPO trains no head, so its second setting is its strength;
adapters want higher rates than whole matrices do."""


def grid_of(arm: Arm) -> Mapping[str, tuple[float, ...]]:
    """Return the grid that an arm is tuned on."""
    return GRIDS["adapters" if arm.quantized else arm.score]


def tune(
    declaration: Declaration,
    data_settings: DataSettings,
    folder: Path,
    *,
    workers: int = 1,
    command: str = "",
    known: Tuning | None = None,
) -> Tuning:
    """Train every arm with every setting of its grid, and choose by accuracy on held-out pairs of the same kind.

    Args:
        declaration: Arms, tuning seeds and the main regime.
        data_settings: The tuning data: of another seed than what is reported on.
        folder: Where outcomes are kept as they come.
        workers: Processes.
        command: What makes the file, to be kept in it.
        known: An earlier tuning, whose rows count where they are of the same seeds, data, regime and grid.
    """
    data = _own_test_set(prepare_data(data_settings, declaration.model))
    arms = declaration.arms(declaration.main)
    if declaration.quantized_seeds:
        arms.append(declaration.quantized)
    tuned = _tuned(known, declaration, data_settings)
    rows = [
        row for arm in arms if _settings(tuned.get(arm.name, ())) == _grid(arm) for row in tuned[arm.name]
    ]
    jobs: dict[str, Job] = {}
    tried: list[tuple[Arm, dict[str, float], list[str]]] = []
    for arm in arms:
        if any(row["arm"] == arm.name for row in rows):
            continue
        for setting in _grid(arm):
            named = {_name(job, setting): job for job in _jobs(declaration, data, arm, setting, folder)}
            jobs |= named
            tried.append((arm, setting, list(named)))
    outcomes = run_jobs(run_job, jobs, folder, workers=workers, label="tuning")
    reference = untrained(declaration, data).logps
    for arm, setting, names in tried:
        accuracies = [_accuracy(declaration, data, outcomes[name], reference, arm) for name in names]
        rows.append({"arm": arm.name, **setting, "accuracy": round(float(np.mean(accuracies)), 4)})
    chosen: dict[str, dict[str, float]] = {}
    for arm in arms:
        best = max((row for row in rows if row["arm"] == arm.name), key=lambda row: row["accuracy"])
        chosen[arm.name] = {name: best[name] for name in grid_of(arm)}
    order = [arm.name for arm in arms]
    rows.sort(key=lambda row: order.index(row["arm"]))
    return Tuning(
        command, declaration.seeds, asdict(data_settings), declaration.main.name, tuple(rows), chosen
    )


def _tuned(
    known: Tuning | None, declaration: Declaration, data: DataSettings
) -> dict[str, list[dict[str, Any]]]:
    """Return by arm the rows of an earlier tuning; none if it was of other seeds, data or another regime."""
    if known is None or (known.seeds, known.regime) != (declaration.seeds, declaration.main.name):
        return {}
    now, before = (json.loads(json.dumps(said)) for said in (asdict(data), known.data))
    if any(now.get(name) != value for name, value in before.items()):
        return {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in known.rows:
        rows.setdefault(row["arm"], []).append(row)
    return rows


def _settings(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """Return the settings of an arm's rows, in order."""
    return [{name: row[name] for name in row if name not in ("arm", "accuracy")} for row in rows]


def _grid(arm: Arm) -> list[dict[str, float]]:
    """Return the settings that an arm is tuned over, in order."""
    grid = grid_of(arm)
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def _own_test_set(data: ExperimentData) -> ExperimentData:
    """Keep the test sets of the kinds that are trained on: what is out of distribution is not tuned for."""
    tests = {name: data.tests[name] for name in data.pools}
    return ExperimentData(data.pools, tests)


def _jobs(
    declaration: Declaration, data: ExperimentData, arm: Arm, setting: Mapping[str, float], folder: Path
) -> list[Job]:
    tuned = replace(declaration, tuned={arm.name: setting})
    return [
        make_job(
            tuned,
            arm,
            declaration.main,
            trained_on,
            seed,
            pairs=training_pairs(pool, declaration.main, source=trained_on, seed=seed),
            texts=data.texts,
            example=data.example,
            reference_cache=folder / "reference",
        )
        for trained_on, pool in data.pools.items()
        for seed in declaration.seeds
    ]


def _name(job: Job, setting: Mapping[str, float]) -> str:
    return "-".join([job_name(job), *(f"{name}-{value:g}" for name, value in setting.items())])


def _accuracy(
    declaration: Declaration, data: ExperimentData, outcome: Outcome, reference: Any, arm: Arm
) -> float:
    """Return one training's accuracy on held-out pairs of the kind that it was trained on."""
    findings = Findings(declaration, data, [outcome], reference)
    (by_seed,) = findings.scores.values()
    table = by_seed[outcome.seed].of_source(outcome.trained_on)
    return float(correctness(table.margin(arm.score)).mean())


@click.command(help=__doc__, epilog="Example: python -m workbench.recipes.haf_rm_tuning --out out/tuning")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help=f"Folder of {FILE}."
)
@click.option("--seeds", default=2, show_default=True, help="Tuning seeds.")
@click.option("--workers", default=2, show_default=True, help="Trainings at a time.")
@click.option("--fresh", is_flag=True, help="Tune all arms, whatever the folder's file holds.")
def main(out: Path, seeds: int, workers: int, fresh: bool) -> None:
    from workbench.papers.haf_rm.setup import TUNING_DATA_SEED, TUNING_SEEDS

    model = ModelSettings(str(policy_folder()), device="cpu")
    declaration = Declaration(
        model, poolings=POOLINGS, seeds=TUNING_SEEDS[:seeds], quantized_seeds=1, training=POCKET_TRAINING
    )
    data = DataSettings((WORLD,), pool_prompts=800, test_prompts=200, samples=8, seed=TUNING_DATA_SEED)
    folder = out / "tuning"
    try:
        known = None if fresh or not (out / FILE).is_file() else read_tuning(out / FILE)
        found = tune(
            declaration,
            data,
            folder,
            workers=workers,
            command=f"python -m workbench.recipes.haf_rm_tuning --out {out} --seeds {seeds}",
            known=known,
        )
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    atomic.write_json(out / FILE, asdict(found))
    shutil.rmtree(folder)
    for row in found.rows:
        mark = "  <- chosen" if {**row, **found.chosen[row["arm"]]} == row else ""
        click.echo("  ".join(f"{value}" for value in row.values()) + mark)


if __name__ == "__main__":
    main()
