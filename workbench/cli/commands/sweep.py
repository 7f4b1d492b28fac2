"""`workbench sweep`: one notebook at every point of a grid of parameters, and a page that compares the runs."""

from __future__ import annotations

import click

from workbench.cli.completions import complete_papers, complete_parameters
from workbench.cli.interrupting import sigterm_interrupts
from workbench.cli.option_types import cluster_option
from workbench.core.processor import cores
from workbench.core.terminal import echo
from workbench.runs.profiles import PROFILES


@click.command(
    epilog="Example: workbench sweep haf_rm -p seed=0..9 -p pool_prompts=600,1200 --out runs/sweep",
    short_help="Run a notebook over a grid of parameters.",
)
@click.argument("paper", metavar="PAPER", shell_complete=complete_papers)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="pocket",
    show_default=True,
    help="What the parameters are that are not given.",
)
@click.option(
    "-p",
    "assignments",
    multiple=True,
    metavar="NAME=VALUES",
    shell_complete=complete_parameters,
    help="Values of one parameter: 0..9, or a,b,c; repeatable. The same name again adds values.",
)
@click.option("--out", required=True, metavar="DIR", help="Folder of the sweep: a folder in it for each run.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=max(1, cores() // 2),
    show_default="half of the cores",
    help="Runs at a time.",
)
@cluster_option
@click.option(
    "--list", "listed", is_flag=True, help="Print what would run and how long it may take; run nothing."
)
@click.option("--fresh", is_flag=True, help="Start over: ignore what the runs have already finished.")
def command(
    *,
    paper: str,
    profile: str,
    assignments: tuple[str, ...],
    out: str,
    workers: int,
    cluster: str,
    listed: bool,
    fresh: bool,
) -> None:
    """Run PAPER once for every combination of the values given, and compare the runs on one page.

    PAPER is the name of a notebook in notebooks/, or the path of one. Commas separate values; a parameter that is
    itself a list keeps its commas, and gets further values by -p again. Interrupted, the same command continues;
    each run is one of `workbench run`, in DIR/NAME=VALUE, and what it says is in its run.log.
    """
    from workbench.runs.sweep import estimated_time, plan_sweep
    from workbench.runs.sweeping import run_sweep

    sweep = plan_sweep(paper, profile, assignments, out, cluster)
    if listed:
        left = [run for run in sweep.runs if fresh or not run.finished]
        for run in sweep.runs:
            echo(f"{run.name}: {'to run' if run in left else 'finished'}: {run.planned.command}")
        echo(estimated_time(sweep, len(left), workers))
        return
    with sigterm_interrupts():
        status = run_sweep(sweep, workers, fresh=fresh)
    raise SystemExit(status)
