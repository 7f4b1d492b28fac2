"""The ALaRM experiment on questions with many seeds: `python -m workbench.recipes.alarm_seeds --seeds 10`.

What comes of it is kept in the repository, for the notebook to show beside its own few seeds. Killed, the same
command goes on.
"""

from __future__ import annotations

from pathlib import Path

import click

from workbench.core.errors import WorkbenchError
from workbench.papers.alarm.declaration import SWEPT, Declaration, chosen_aspects
from workbench.papers.alarm.passages import PassageSettings, prepare_passages
from workbench.papers.alarm.qa import prepare_seeds, train_all
from workbench.papers.alarm.setup import SEEDS_FILE, alarm_folder, declare_pocket, tuned_ppo
from workbench.papers.alarm.table import SeedTable, write_table

__all__ = ["run_seeds"]


def run_seeds(
    declaration: Declaration,
    settings: PassageSettings,
    folder: Path,
    file: Path,
    *,
    workers: int,
    command: str,
) -> SeedTable:
    """Prepare and train everything that is declared, and write the table.

    Args:
        declaration: What to train.
        settings: How seeds are prepared.
        folder: Where outcomes are kept as they come.
        file: The table.
        workers: Processes.
        command: What makes the file.
    """
    prepared = prepare_seeds(
        prepare_passages, settings, declaration.seeds, workers=workers, folder=folder / "seeds"
    )
    chosen = chosen_aspects(prepared)
    aspects = [row.name for row in next(iter(prepared.values())).pool.selection.table]
    outcomes = train_all(
        declaration.training_runs(chosen, sorted(aspects)),
        prepared,
        workers=workers,
        folder=folder / "policies",
    )
    inconsistencies = {
        str(seed): {row.name: round(row.inconsistency, 4) for row in one.pool.selection.table}
        for seed, one in prepared.items()
    }
    facts = {
        "seeds": list(declaration.seeds),
        "sweep seeds": declaration.sweep_seeds,
        "chosen": list(chosen),
        "weights": {kind: declaration.weight(kind) for kind in SWEPT},
        "inconsistency": inconsistencies,
        "holistic": {
            str(seed): {k: round(v, 4) for k, v in one.facts.items()} for seed, one in prepared.items()
        },
    }
    return write_table(file, outcomes, command=command, facts=facts)


@click.command(help=__doc__, epilog="Example: python -m workbench.recipes.alarm_seeds --seeds 10")
@click.option("--seeds", default=10, show_default=True, help="Paired seeds.")
@click.option("--sweep-seeds", default=10, show_default=True, help="How many also sweep the aspects' weight.")
@click.option("--workers", default=2, show_default=True, help="Trainings at a time.")
@click.option(
    "--work", type=click.Path(path_type=Path, file_okay=False), default=Path("out/alarm-seeds"), show_default=True,
    help="Folder of outcomes as they come.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=None, help=f"Folder of {SEEDS_FILE}."
)
def main(seeds: int, sweep_seeds: int, workers: int, work: Path, out: Path | None) -> None:
    sweep_seeds = min(sweep_seeds, seeds)
    command = f"python -m workbench.recipes.alarm_seeds --seeds {seeds} --sweep-seeds {sweep_seeds}"
    try:
        declaration = declare_pocket(tuple(range(seeds)), sweep_seeds)
        settings = PassageSettings(ppo=tuned_ppo())
        file = (out or alarm_folder()) / SEEDS_FILE
        table = run_seeds(declaration, settings, work, file, workers=workers, command=command)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{file}: {len(table.frame):,} means of {seeds} seeds")


if __name__ == "__main__":
    main()
