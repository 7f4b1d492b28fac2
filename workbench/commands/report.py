"""`workbench report`: the page of a run, or of several side by side."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.completions import complete_runs
from workbench.terminal import echo


@click.command(
    epilog="Example: workbench report runs/pocket runs/ds1000-laptop --out comparison.html",
    short_help="Compare runs on one page.",
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_runs)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The page that compares; by default comparison-RUN-RUN.html beside the first run.",
)
def command(runs: tuple[str, ...], out: Path | None) -> None:
    """Compare several RUNs on one page: parameters that differ, claims and measurements with intervals.

    A RUN is a folder, or the name of one below runs/. Of a single RUN its own page, index.html, is written again.
    """
    from workbench.display.report import write_comparison, write_report
    from workbench.runs.folders import find_run, shown

    folders = [find_run(name) for name in runs]
    if len(folders) == 1:
        if out is not None:
            raise click.UsageError("--out is for several runs: the page of one is its index.html")
        page = write_report(folders[0])
    else:
        names = "-".join(folder.name for folder in folders)[:100]
        page = write_comparison(folders, out or folders[0].parent / f"comparison-{names}.html")
    echo(f"report: {shown(page)}")
