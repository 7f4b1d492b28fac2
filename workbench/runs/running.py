"""Carrying out a plan: every notebook in turn, what is finished kept, one report at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import SimpleNamespace

from workbench.core.errors import InternalError, RunError
from workbench.core.terminal import message
from workbench.runs.execution import CellFailure, clear, execute, is_finished, note_planned
from workbench.runs.needs.checking import Looked, look_at, refuse_lacks
from workbench.runs.planning import Plan
from workbench.runs.report import write_report
from workbench.store import atomic
from workbench.store.folders import make_folder, shown
from workbench.store.reading import check_closed

__all__ = ["check_plan", "run_plan"]


def check_plan(plan: Plan) -> Iterator[Looked]:
    """Look at what each notebook of a plan needs, and give what came of it as soon as it is known.

    Args:
        plan: The run's notebooks.
    """
    for planned in plan.notebooks:
        yield from look_at(planned.paper, planned.notebook, SimpleNamespace(**planned.settings))


def run_plan(plan: Plan, fresh: bool = False, debug: bool = False, check: bool = True) -> int:
    """Execute a plan's notebooks and write the report; its path is the last line printed.

    Args:
        plan: The run's folder and notebooks.
        fresh: Forget what the run has finished before.
        debug: Print whole tracebacks of failing cells.
        check: Look first at what the notebooks need that are not finished, and refuse to start without.

    Returns:
        The command's exit status: 0, 1 where a notebook failed, 130 where the user interrupted.

    Raises:
        RunError: Something that a notebook needs is not there (all is named); the folder cannot be written, a link
            leads out of it, or another process is writing to it.
    """
    if check:
        left = [notebook for notebook in plan.notebooks if fresh or not is_finished(notebook, plan.folder)]
        refuse_lacks(check_plan(Plan(plan.folder, tuple(left))))
    make_folder(plan.folder, "--out DIR")
    check_closed(plan.folder)
    with atomic.lock(plan.folder / ".lock", wait=False) as held:
        if not held:
            raise RunError(
                got=f"another process is running in {shown(plan.folder)}",
                needed="one process at a time in a run's folder",
                fix="wait for it, or choose another folder with --out DIR",
            )
        status = _run_all(plan, fresh, debug)
        if any(plan.folder.glob("*/state.json")):
            print(f"report: {shown(write_report(plan.folder))}", flush=True)
        return status


def _run_all(plan: Plan, fresh: bool, debug: bool) -> int:
    failures: dict[str, CellFailure] = {}
    for planned in plan.notebooks:
        if fresh:
            clear(planned, plan.folder)
        note_planned(planned, plan.folder)
    for planned in plan.notebooks:
        if is_finished(planned, plan.folder):
            print(f"{planned.paper}: finished before, kept (--fresh starts over)", flush=True)
            continue
        try:
            failure = execute(planned, plan.folder)
        except KeyboardInterrupt:
            print(f"interrupted; {_again(fresh)}", file=sys.stderr)
            return 130
        if failure is not None:
            failures[planned.command] = failure
            _tell(failure, planned.command, debug)
            print(_again(fresh), file=sys.stderr, flush=True)
    if failures and len(plan.notebooks) > 1:
        _tell_all(failures, len(plan.notebooks))
    return 1 if failures else 0


def _tell_all(failures: Mapping[str, CellFailure], papers: int) -> None:
    """Say again, below all that was printed since, what failed: by the command that goes on with it."""
    print(
        f"{len(failures)} of {papers} papers failed; the report lacks what they had not shown:",
        file=sys.stderr,
    )
    for command, failure in failures.items():
        first = failure.error.splitlines()[0]
        print(
            f"  {failure.paper}, cell {failure.cell}: {first}; go on with: {command}",
            file=sys.stderr,
            flush=True,
        )


def _tell(failure: CellFailure, command: str, debug: bool) -> None:
    if debug:
        print(message(failure.traceback), file=sys.stderr)
    print(message(f"{failure.paper}: cell {failure.cell} failed: {failure.error}"), file=sys.stderr)
    print(f"partial notebook: {shown(failure.notebook)}", file=sys.stderr)
    if failure.own:
        print(f"{InternalError.WORDS}: {InternalError.report(f'{command} --debug')}", file=sys.stderr)


def _again(fresh: bool) -> str:
    """Say how to go on: --fresh given again would start over again."""
    return f"the same command{' without --fresh' if fresh else ''} continues from what is finished"
