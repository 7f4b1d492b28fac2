"""Carrying out a sweep: its runs side by side, each a process of its own, and one page that compares them."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workbench.core.terminal import message
from workbench.runs.planning import run_command
from workbench.runs.report import write_comparison
from workbench.runs.sweep import Sweep, SweptRun
from workbench.store.folders import make_folder, shown, sole_user
from workbench.store.reading import read_json

__all__ = ["LOG", "run_sweep"]

LOG = "run.log"
"""File in a run's folder that holds what the run said."""

_PR_SET_PDEATHSIG = 1
_LOOK_S = 0.2
_LEAVE_S = 20.0


def run_sweep(sweep: Sweep, workers: int, *, fresh: bool = False) -> int:
    """Do all runs that are not finished, and compare all on one page; its path is the last line printed.

    Killed or interrupted, the same call continues: each run is one that `workbench run` continues.

    Args:
        sweep: What to run.
        workers: Runs at a time.
        fresh: Do every run from the start.

    Returns:
        The command's exit status: 0, 1 where a run failed, 130 where the user interrupted.

    Raises:
        RunError: The folder cannot be written, a link leads out of it, or another process sweeps into it.
    """
    with sole_user(sweep.folder, "is sweeping into", "--out DIR"):
        left = [run for run in sweep.runs if fresh or not run.finished]
        if kept := len(sweep.runs) - len(left):
            print(f"{kept} of {len(sweep.runs)} runs finished before, kept (--fresh starts over)", flush=True)
        status = _run_all(sweep, left, workers, fresh)
        begun = [run.folder for run in sweep.runs if any(run.folder.glob("*/results.json"))]
        if len(begun) > 1:
            print(f"report: {shown(write_comparison(begun, sweep.folder / 'index.html'))}", flush=True)
        return status


def _run_all(sweep: Sweep, left: list[SweptRun], workers: int, fresh: bool) -> int:
    running: dict[subprocess.Popen[bytes], tuple[SweptRun, float]] = {}
    waiting, failed = list(left), 0
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                run = waiting.pop(0)
                running[_start(sweep, run, fresh)] = run, time.monotonic()
            for process in [one for one in running if one.poll() is not None]:
                run, begin = running.pop(process)
                failed += process.returncode != 0
                _tell(run, process.returncode, time.monotonic() - begin)
            if running:
                time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        again = " without --fresh" if fresh else ""
        print(f"interrupted; the same command{again} continues from what is finished", file=sys.stderr)
        return 130
    finally:
        _end(list(running))
    if failed:
        print(f"{failed} of {len(sweep.runs)} runs failed; the same command runs them again", file=sys.stderr)
    return 1 if failed else 0


def _start(sweep: Sweep, run: SweptRun, fresh: bool) -> subprocess.Popen[bytes]:
    make_folder(run.folder, "--out DIR")
    command = run_command(sweep.paper, sweep.profile, run.assignments, run.folder, sweep.cluster)
    print(f"{run.name}: begins", flush=True)
    with (run.folder / LOG).open("w") as log:
        # a session of its own: Ctrl-C comes by this process alone, and once
        return subprocess.Popen(
            [*command, *(["--fresh"] if fresh else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_us(),  # noqa: PLW1509 (no thread is there when runs begin)
        )


def _tell(run: SweptRun, status: int, seconds: float) -> None:
    if status == 0:
        print(f"{run.name}: finished in {seconds:.0f} s", flush=True)
        return
    state = read_json(run.folder / run.planned.paper / "state.json")
    said = f"cell {state.get('cell')}: {state.get('error')}" if state.get("status") == "failed" else ""
    said = said or _last_lines(run.folder / LOG) or f"exit status {status}"
    print(message(f"{run.name}: failed: {said}"), file=sys.stderr)
    print(f"what it said: {shown(run.folder / LOG)}", file=sys.stderr, flush=True)


def _last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(lines[-3:])


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Let runs stop their kernels and leave; kill what does not."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + _LEAVE_S
    for process in processes:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_with_us() -> Callable[[], object] | None:
    """Return what makes a run stop when this process is killed: the next call would find it at work."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork, after which little is safe
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
