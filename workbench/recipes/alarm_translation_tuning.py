"""Tune the translation experiment: `python -m workbench.recipes.alarm_translation_tuning --out FOLDER`.

On seeds that are not reported: the hyperparameters that all arms share are tuned on the baseline, holistic only; then
the weight of the selected aspect, with equally many candidates for the weighted sum and for the hierarchy. Threshold
and weight of the holistic reward stay the paper's. Killed, the same command goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from workbench.core.errors import WorkbenchError
from workbench.papers.alarm.arms import HIERARCHICAL, HOLISTIC_ONLY, WEIGHTED_SUM, Arm
from workbench.papers.alarm.declaration import chosen_aspects
from workbench.papers.alarm.qa import prepare_seeds
from workbench.papers.alarm.translation import TUNING_FILE, TranslationSettings
from workbench.papers.alarm.translation_data import prepare_translations
from workbench.recipes.alarm_tuning import Tuner
from workbench.store import atomic

__all__ = ["KL_COEFFICIENTS", "RATES", "SEEDS", "WEIGHTS", "tune"]

SEEDS = (1000, 1001)
"""Seeds of tuning; those reported on count from 0."""
RATES, KL_COEFFICIENTS = (2e-4, 3e-4), (0.3, 1.0)
"""Learning rates and KL coefficients that are tried."""
WEIGHTS = (0.3, 1.0)


def tune(
    settings: TranslationSettings, seeds: Sequence[int], folder: Path, *, workers: int
) -> dict[str, Any]:
    """Try all settings; return the rows and what was chosen.

    Args:
        settings: As the experiment has them.
        seeds: Tuning seeds.
        folder: Where outcomes are kept as they come.
        workers: Processes.
    """
    prepared = prepare_seeds(
        prepare_translations, settings.prepared, seeds, workers=workers, folder=folder / "seeds"
    )
    tuner = Tuner(prepared, folder, workers, [])
    paper: dict[str, Any] = {
        "threshold": settings.threshold,
        "holistic_weight": settings.holistic_weight,
    }
    baseline = Arm(HOLISTIC_ONLY, **paper)
    shared = max(
        ({"learning_rate": rate, "kl": kl} for rate in RATES for kl in KL_COEFFICIENTS),
        key=lambda both: tuner.tried(baseline, **both),
    )
    aspect = chosen_aspects(prepared)
    weights = {
        kind: tuner.best([Arm(kind, aspect, weight, **paper) for weight in WEIGHTS], **shared).weight
        for kind in (WEIGHTED_SUM, HIERARCHICAL)
    }
    chosen = {
        "learning_rate": shared["learning_rate"],
        "kl_coefficient": shared["kl"],
        "sum_weight": weights[WEIGHTED_SUM],
        "hierarchy_weight": weights[HIERARCHICAL],
    }
    return {"seeds": list(seeds), "aspects": list(aspect), "chosen": chosen, "rows": tuner.rows}


@click.command(
    help=__doc__,
    epilog="Example: python -m workbench.recipes.alarm_translation_tuning --out out/translation",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder.")
@click.option("--workers", default=2, show_default=True, help="Training runs at a time.")
def main(out: Path, workers: int) -> None:
    folder = out / "tuning"
    try:
        found = tune(TranslationSettings(), SEEDS, folder, workers=workers)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    command = f"python -m workbench.recipes.alarm_translation_tuning --out {out}"
    atomic.write_json(out / TUNING_FILE, {"command": command, **found})
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
