"""`workbench run`: execute the papers' notebooks and gather them in a report."""

from __future__ import annotations

import click

from workbench.cli.completions import complete_papers, complete_parameters
from workbench.cli.interrupting import sigterm_interrupts
from workbench.runs.profiles import PROFILES


@click.command(
    epilog="Example: workbench run ds1000 --profile laptop -p samples=4",
    short_help="Execute the papers' notebooks, and write a report.",
)
@click.argument("papers", nargs=-1, metavar="[PAPER]...", shell_complete=complete_papers)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="pocket",
    show_default=True,
    help="Minutes on two cores; a real model of 135 M parameters; an hour on a laptop; the paper's own setting.",
)
@click.option(
    "-p",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=complete_parameters,
    help="Set one parameter; repeatable.",
)
@click.option("--out", default="", metavar="DIR", help="Folder of the run, instead of one below runs/.")
@click.option("--fresh", is_flag=True, help="Start over: ignore what this run has already finished.")
def command(
    papers: tuple[str, ...], profile: str, assignments: tuple[str, ...], out: str, fresh: bool
) -> None:
    """Execute the papers' notebooks (all, or those named) and write one report.

    A PAPER is the name of a notebook in notebooks/, or the path of one. Interrupted, the same command continues
    where it stopped.
    """
    from workbench.runs.planning import plan
    from workbench.runs.running import run_plan

    debug = bool((click.get_current_context().find_root().obj or {}).get("debug"))
    with sigterm_interrupts():  # so that the kernel is stopped too
        status = run_plan(plan(papers, profile, assignments, out), fresh=fresh, debug=debug)
    raise SystemExit(status)
