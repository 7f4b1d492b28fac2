"""Executing a notebook by papermill into a run's folder, so that it can be interrupted and continued."""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core import errors
from workbench.runs.notebooks import NOTEBOOK_FILE, literal, read_whole
from workbench.runs.planning import Planned
from workbench.runs.progress import Progress
from workbench.store import atomic
from workbench.store.location import PACKAGE
from workbench.store.reading import read_json

__all__ = ["CellFailure", "clear", "execute", "is_finished", "note_planned"]

_MACHINE = ("MemoryError", "OutOfMemoryError", "ModuleNotFoundError", "KeyboardInterrupt", "SystemExit")


@dataclass(frozen=True)
class CellFailure:
    """Where and how a notebook failed."""

    paper: str
    cell: str
    """Number of the cell as the notebook shows it, In [cell]."""
    error: str
    """What was raised: its name and its last line, or all of it for the workbench's own errors."""
    notebook: Path
    """The partial notebook."""
    traceback: str
    own: bool = False
    """Whether it is a fault of the workbench, and not of the user, a notebook of the user's, or the machine."""


def is_finished(planned: Planned, run_folder: Path) -> bool:
    """Tell whether a notebook has been executed to its end with this key, and its results are still those."""
    folder = run_folder / planned.paper
    state = read_json(folder / "state.json")
    return (
        state.get("status") == "finished"
        and state.get("key") == planned.key
        and "cells" in read_json(folder / "notebook.ipynb")
        and state.get("results") == _digest(folder / "results.json")
    )


def clear(planned: Planned, run_folder: Path) -> None:
    """Remove what a run has written for a paper, and nothing else."""
    folder = run_folder / planned.paper
    for name in ("steps", "figures"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("state.json", "results.json", "timings.json", "notebook.ipynb"):
        (folder / name).unlink(missing_ok=True)


def note_planned(planned: Planned, run_folder: Path) -> None:
    """Leave word of a notebook that has never begun, so that a report can say what it lacks."""
    state = run_folder / planned.paper / "state.json"
    if not state.exists():
        state.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_json(state, {"status": "planned", "key": planned.key, "command": planned.command})


def execute(planned: Planned, run_folder: Path) -> CellFailure | None:
    """Execute a notebook into RUN/PAPER/notebook.ipynb, which is whole on disk after every cell.

    Args:
        planned: The notebook and its parameters.
        run_folder: The run's folder.

    Returns:
        The failure, or None where the notebook came to its end. state.json says the same.
    """
    folder = run_folder / planned.paper
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "notebook.ipynb"
    state: dict[str, Any] = {"status": "running", "key": planned.key, "command": planned.command}
    atomic.write_json(folder / "state.json", state)
    begin = time.perf_counter()
    with Progress(planned.paper, folder / "timings.json") as progress:
        failure = _run_papermill(planned, output, progress)
    state["seconds"] = round(time.perf_counter() - begin, 3)
    if failure is None:
        state |= {"status": "finished", "results": _digest(folder / "results.json")}
    else:
        state |= {"status": "failed", "cell": failure.cell, "error": failure.error, "own": failure.own}
    atomic.write_json(folder / "state.json", state)
    return failure


def _run_papermill(planned: Planned, output: Path, progress: Progress) -> CellFailure | None:
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    # the kernel of this very environment, whatever else is installed for the user
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    os.environ[NOTEBOOK_FILE] = str(planned.notebook.resolve())  # inherited by the kernel
    try:
        with read_whole(planned.notebook), _atomic_saves(output, progress.saved):
            papermill.execute_notebook(
                literal(planned.notebook),
                literal(output),
                parameters=dict(planned.parameters),
                kernel_name="python3",
                progress_bar=False,
                # the kernel's own log says at every start that it talks over TCP, and every interrupt
                extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
            )
    except PapermillExecutionError as fault:
        said, own = _said(fault.ename, fault.evalue), _is_own(fault.ename, str(fault), planned)
        return CellFailure(planned.paper, str(fault.exec_count), said, output, str(fault), own)
    except DeadKernelError as fault:
        running = progress.running_cell
        error = "the notebook's Python process died (killed, or out of memory)"
        return CellFailure(planned.paper, str(running), error, output, str(fault))
    return None


def _said(name: str, value: str) -> str:
    """Return an error in as few lines as say it: all of a WorkbenchError's, the last one of any other."""
    text = value.strip()
    if name in errors.__all__:
        return f"{name}\n{text}"
    return f"{name}: {text.splitlines()[-1]}" if text else name


def _is_own(name: str, traceback: str, planned: Planned) -> bool:
    """Tell whether an error in a cell is a fault of the workbench: neither named as another's nor raised by one.

    Args:
        name: Of the error's class.
        traceback: Of the cell, innermost frame last.
        planned: The notebook. In a user's own, the fault is of whose code was the last to run.
    """
    known = getattr(builtins, name, None)
    if name in errors.__all__ or name in _MACHINE or (isinstance(known, type) and issubclass(known, OSError)):
        return False
    package = str(PACKAGE)
    places = [package, package.replace(str(Path.home()), "~", 1)]  # as a kernel shortens them
    return planned.ours or max(map(traceback.rfind, places)) > traceback.rfind("Cell In[")


@contextlib.contextmanager
def _atomic_saves(output: Path, saved: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Let papermill save this one file in one stroke, and hear of every save.

    papermill saves after each cell by writing over the file: killed then, it leaves half a notebook.
    """
    from papermill.iorw import LocalHandler, papermill_io

    class Handler(LocalHandler):
        def write(self, buf: str, path: str) -> None:
            atomic.write_bytes(Path(path), buf.encode(errors="backslashreplace"))
            saved(json.loads(buf))

    entry = (str(output), Handler())
    papermill_io.register(*entry)
    try:
        yield
    finally:
        papermill_io._handlers.remove(entry)


def _digest(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
