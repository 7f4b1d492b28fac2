"""The ALaRM experiments with many seeds: `python -m workbench.recipes.alarm_seeds --seeds 10`.

What comes of it is kept in the repository, for the notebook to show beside its own few seeds. Killed, the same
command goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from workbench.core.errors import WorkbenchError
from workbench.papers.alarm.declaration import SWEPT, Declaration, chosen_aspects
from workbench.papers.alarm.passages import PassageTask
from workbench.papers.alarm.qa import prepare_seeds, train_all
from workbench.papers.alarm.results import Trained
from workbench.papers.alarm.setup import SEEDS_FILE, alarm_folder, declare_pocket, tuned_ppo
from workbench.papers.alarm.table import SeedTable, write_table
from workbench.papers.alarm.translation import TranslationSettings, run_translation, tuned_settings
from workbench.papers.alarm.translation_data import models_folder

__all__ = ["passage_seeds", "translation_seeds"]


def passage_seeds(
    declaration: Declaration, task: PassageTask, folder: Path, file: Path, *, workers: int, command: str
) -> SeedTable:
    """Prepare and train everything that is declared, and write the table.

    Args:
        declaration: What to train.
        task: How seeds are prepared.
        folder: Where outcomes are kept as they come.
        file: The table.
        workers: Processes.
        command: What makes the file.
    """
    prepared = prepare_seeds(task, declaration.seeds, workers=workers, folder=folder / "seeds")
    chosen = chosen_aspects(prepared)
    planned = declaration.training_runs(chosen, sorted(task.aspects))
    outcomes = train_all(planned, prepared, workers=workers, folder=folder / "policies")
    facts = {
        "seeds": list(declaration.seeds),
        "sweep seeds": declaration.sweep_seeds,
        "chosen": list(chosen),
        "weights": {kind: declaration.weight(kind) for kind in SWEPT},
        "holistic": {str(seed): _rounded(one.facts) for seed, one in prepared.items()},
    }
    return _written(Trained(prepared, outcomes), file, command, facts)


def translation_seeds(
    settings: TranslationSettings, folder: Path, file: Path, *, workers: int, command: str
) -> SeedTable:
    """Run the experiment on translation, and write the table of its outcomes.

    Args:
        settings: What is compared.
        folder: Where outcomes are kept as they come.
        file: The table.
        workers: Processes.
        command: What makes the file.
    """
    trained = run_translation(settings, workers=workers, folder=folder)
    facts = {"seeds": settings.seeds, "holistic": _rounded(trained.mean_facts)}
    return _written(trained, file, command, facts)


def _written(trained: Trained, file: Path, command: str, facts: Mapping[str, Any]) -> SeedTable:
    inconsistencies = {
        str(seed): {row.name: round(row.inconsistency, 4) for row in selection.table}
        for seed, selection in trained.selections.items()
    }
    return write_table(
        file, trained.outcomes, command=command, facts={**facts, "inconsistency": inconsistencies}
    )


def _rounded(facts: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in facts.items()}


@click.command(help=__doc__, epilog="Example: python -m workbench.recipes.alarm_seeds --seeds 10")
@click.option("--task", type=click.Choice(["passages", "translation"]), default="passages", show_default=True)
@click.option("--seeds", default=10, show_default=True, help="Paired seeds.")
@click.option(
    "--sweep-seeds", default=10, show_default=True,
    help="How many also sweep the aspects' weight; of passages alone.",
)  # fmt: skip
@click.option("--workers", default=2, show_default=True, help="Trainings at a time.")
@click.option(
    "--work", type=click.Path(path_type=Path, file_okay=False), default=Path("out/alarm-seeds"), show_default=True,
    help="Folder of outcomes as they come.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=None, help=f"Folder of {SEEDS_FILE}."
)
def main(*, task: str, seeds: int, sweep_seeds: int, workers: int, work: Path, out: Path | None) -> None:
    command = "python -m workbench.recipes.alarm_seeds"
    work = work / task
    try:
        if task == "passages":
            sweep_seeds = min(sweep_seeds, seeds)
            command += f" --seeds {seeds} --sweep-seeds {sweep_seeds}"
            declaration = declare_pocket(tuple(range(seeds)), sweep_seeds)
            file = (out or alarm_folder()) / SEEDS_FILE
            made = PassageTask(ppo=tuned_ppo())
            table = passage_seeds(declaration, made, work, file, workers=workers, command=command)
        else:
            command += f" --task {task} --seeds {seeds}"
            file = (out or models_folder()) / SEEDS_FILE
            settings = tuned_settings(seeds=seeds)
            table = translation_seeds(settings, work, file, workers=workers, command=command)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{file}: {len(table.frame):,} means of {seeds} seeds")


if __name__ == "__main__":
    main()
