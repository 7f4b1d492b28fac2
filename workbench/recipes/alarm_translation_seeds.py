"""The translation experiment with many seeds: `python -m workbench.recipes.alarm_translation_seeds --seeds 10`.

What comes of it is kept in the repository, for the notebook to show beside its own few seeds. Killed, the same
command goes on.
"""

from __future__ import annotations

from pathlib import Path

import click

from workbench.core.errors import WorkbenchError
from workbench.papers.alarm.table import SeedTable, write_table
from workbench.papers.alarm.translation import TranslationSettings, run_translation, tuned_settings
from workbench.papers.alarm.translation_data import models_folder

__all__ = ["SEEDS_FILE", "run_seeds"]

SEEDS_FILE = "seeds.json"


def run_seeds(
    settings: TranslationSettings, folder: Path, file: Path, *, workers: int, command: str
) -> SeedTable:
    """Run the experiment, and write the table of its outcomes.

    Args:
        settings: What is compared.
        folder: Where outcomes are kept as they come.
        file: The table.
        workers: Processes.
        command: What makes the file.
    """
    found = run_translation(settings, workers=workers, folder=folder)
    inconsistencies = {
        str(seed): {row.name: round(row.inconsistency, 4) for row in one.table}
        for seed, one in found.selections.items()
    }
    holistic = {name: round(value, 4) for name, value in found.facts.items()}
    facts = {"seeds": settings.seeds, "inconsistency": inconsistencies, "holistic": holistic}
    return write_table(file, found.outcomes, command=command, facts=facts)


@click.command(help=__doc__, epilog="Example: python -m workbench.recipes.alarm_translation_seeds --seeds 10")
@click.option("--seeds", default=10, show_default=True, help="Paired seeds.")
@click.option("--workers", default=2, show_default=True, help="Trainings at a time.")
@click.option(
    "--work", type=click.Path(path_type=Path, file_okay=False), default=Path("out/translation-seeds"),
    show_default=True, help="Folder of outcomes as they come.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=None, help=f"Folder of {SEEDS_FILE}."
)
def main(seeds: int, workers: int, work: Path, out: Path | None) -> None:
    command = f"python -m workbench.recipes.alarm_translation_seeds --seeds {seeds}"
    try:
        settings = tuned_settings(seeds=seeds)
        file = (out or models_folder()) / SEEDS_FILE
        table = run_seeds(settings, work, file, workers=workers, command=command)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{file}: {len(table.frame):,} means of {seeds} seeds")


if __name__ == "__main__":
    main()
