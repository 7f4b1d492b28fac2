"""`workbench run`: execute the papers' notebooks and gather them in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.check_rows import check_row, terminal_width
from workbench.cli.completions import complete_papers, complete_parameters
from workbench.cli.interrupting import sigterm_interrupts
from workbench.cli.option_types import cluster_option
from workbench.runs.profiles import PROFILES

if TYPE_CHECKING:
    from workbench.runs.planning import Plan


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
    help="Minutes on two cores; a real model of 135 M parameters; an hour on a laptop; the paper's setting.",
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
@cluster_option
@click.option("--fresh", is_flag=True, help="Start over: ignore what this run has already finished.")
@click.option(
    "--check/--no-check",
    default=None,
    help="Only say what the run needs and lacks, in seconds; or start without looking.",
)
def command(papers: tuple[str, ...], profile: str, assignments: tuple[str, ...], **options: Any) -> None:
    """Execute the papers' notebooks (all, or those named) and write one report.

    A PAPER is the name of a notebook in notebooks/, or the path of one. Interrupted, the same command continues
    where it stopped.

    First it looks at what they need: data with their columns and rows, models and their tokenizers, what the
    problems' programs import, keys, an answer of the judge, Java, disk, and an estimate of memory and hours. All that
    is missing is said at once, each with its fix, and nothing is started. --check stops there in any case.
    """
    from workbench.runs.planning import plan
    from workbench.runs.running import run_plan

    planned = plan(papers, profile, assignments, options["out"], options["cluster"])
    check = options["check"]
    if check:
        raise SystemExit(_check(planned))
    debug = bool((click.get_current_context().find_root().obj or {}).get("debug"))
    with sigterm_interrupts():  # so that the kernel is stopped too
        status = run_plan(planned, fresh=options["fresh"], debug=debug, check=check is None)
    raise SystemExit(status)


def _check(planned: Plan) -> int:
    """Print all that a run needs and what came of looking; return 1 where something is missing, else 0."""
    from workbench.doctor.check import Check
    from workbench.runs.needs import Lack
    from workbench.runs.running import check_plan

    width, paper, lacks, count = terminal_width(), "", 0, 0
    for looked in check_plan(planned):
        if looked.paper != paper:
            click.echo(("\n" if paper else "") + click.style(looked.paper, bold=True))
            paper = looked.paper
        if isinstance(lack := looked.outcome, Lack):
            lacks += 1
            row = Check(looked.need, "broken", f"{lack.got}; needed: {lack.needed}", lack.fix)
        else:
            row = Check(looked.need, "ok", lack.detail)
        count += 1
        click.echo(check_row(row, width))
    if lacks:
        click.echo(f"\n{lacks} of {count} needs are not met. Nothing was started.")
        return 1
    click.echo(f"\nAll {count} needs are met." if count else "Nothing is known to be needed.")
    return 0
