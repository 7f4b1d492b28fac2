"""Builds a runtime: a virtual environment with pinned versions, and the data its programs load."""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.core.errors import RuntimeMissingError
from workbench.sandbox.runtime_data import fetch_data
from workbench.sandbox.runtime_folder import COMPLETE, built_folder, interpreter, is_complete, lock_file
from workbench.sandbox.runtime_progress import BuildProgress
from workbench.sandbox.runtime_python import Interpreter, find_interpreter
from workbench.sandbox.runtime_recipe import Recipe
from workbench.store import atomic

__all__ = ["build_runtime"]

_REACHABLE_S = 3.0
_LOG = "build.log"
_PR_SET_PDEATHSIG = 1
_THREADS = threading.Lock()  # a file's lock keeps out other processes, not other threads of this one


def build_runtime(recipe: Recipe, python: str = "") -> Path:
    """Build a runtime where it is not complete yet, then fetch the data files that are missing.

    Progress goes to standard error. An interrupted build is done again from nothing; of two processes that
    build the same one, one waits for the other. No network for the data is no error: the runtime is complete
    without, and `find_runtime` names what is missing.

    Args:
        recipe: What to build.
        python: The interpreter to build it from; found if empty.

    Returns:
        The folder of the complete runtime.

    Raises:
        RuntimeMissingError: No suitable Python, too little disk space, or pip failed.
    """
    folder = None if python else built_folder(recipe)
    if folder is None:
        chosen = find_interpreter(recipe, python)
        folder = recipe.folder(chosen.version)
        with _alone(folder, recipe.name):
            if not is_complete(folder):
                _build(recipe, chosen, folder)
    fetch_data(recipe, interpreter(folder))
    return folder


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    file = lock_file(folder)
    with _THREADS:
        if atomic.is_locked(file):
            print(f"{name}: another process is building it; waiting", file=sys.stderr, flush=True)
        with atomic.lock(file):
            yield


def _build(recipe: Recipe, chosen: Interpreter, folder: Path) -> None:
    _check_space(recipe, folder.parent)
    shutil.rmtree(folder, ignore_errors=True)  # what an interrupted build has left
    folder.mkdir()
    begin = time.monotonic()
    with BuildProgress(recipe.name, folder, recipe.packages(chosen.version)) as progress:
        progress.say(f"building in {folder} with {chosen.path} (Python {chosen.version})")
        # in its final place, because an environment knows its own path
        _run([str(chosen.path), "-I", "-m", "venv", str(folder)], recipe, folder, progress)
        # -I: nothing of the user's site-packages or PYTHONPATH; pip's own configuration counts
        pip = [str(interpreter(folder)), "-I", "-m", "pip", "--disable-pip-version-check"]
        options = _index_options(recipe)
        _run([*pip, "install", "--no-input", *options, "-r", str(recipe.pins)], recipe, folder, progress)
        base = _base_prefix(folder)
        size = sum(entry.lstat().st_size for entry in folder.rglob("*") if not entry.is_dir())
        seconds = round(time.monotonic() - begin, 1)
        record = {"base_prefix": base, "size_bytes": size, "seconds": seconds, "python": chosen.version}
        atomic.write_json(folder / COMPLETE, record)
        progress.say(f"built in {seconds:.0f} s, {size / 1e9:.1f} GB")


def _check_space(recipe: Recipe, parent: Path) -> None:
    parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(parent).free
    if free < recipe.disk_bytes:
        raise RuntimeMissingError(
            got=f"{free / 1e9:.1f} GB free in {parent}",
            needed=f"{recipe.disk_bytes / 1e9:.1f} GB to build the runtime {recipe.name}",
            fix="free some, or set WORKBENCH_CACHE to a folder on a larger disk",
        )


def _index_options(recipe: Recipe) -> list[str]:
    """Ask the recipe's extra index too, where it answers: pip would retry an absent one for minutes."""
    if not recipe.extra_index or sys.platform != "linux":
        return []
    try:
        with urllib.request.urlopen(f"{recipe.extra_index}/torch/", timeout=_REACHABLE_S):
            return ["--extra-index-url", recipe.extra_index]
    except OSError:
        return []


def _run(command: list[str], recipe: Recipe, folder: Path, progress: BuildProgress) -> None:
    """Run one step of a build, its output into the log and the progress; raise if it fails."""
    last: deque[str] = deque(maxlen=40)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=_end_with_us(),  # noqa: PLW1509 - one system call, and pip must not outlive our lock
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            last.append(line.rstrip())
            progress.hear(line)
            with (folder / _LOG).open("a") as log:
                log.write(line)
        status = process.wait()
    finally:  # also when interrupted: nothing of ours goes on downloading
        process.kill()
        process.wait()
        process.stdout.close()
    if status == 0:
        return
    errors = [line for line in last if line.lower().startswith("error")] or list(last)[-5:]
    said = " ".join(errors[-3:]) or f"exit status {status}"
    raise RuntimeMissingError(
        got=f"the build of the runtime {recipe.name} failed: {said}",
        needed=f"every version of {recipe.pins.name} installed from pip's package indexes",
        fix=f"see {folder / _LOG}; check the network and pip's settings (`pip config list`), then "
        f"`workbench runtime build {recipe.name}` again",
    )


def _end_with_us() -> Callable[[], object] | None:
    """Return what makes a child end when this process is killed: our lock ends then, and its writing must."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork, after which little is safe
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _base_prefix(folder: Path) -> str:
    """Return where the Python lies whose standard library this environment uses."""
    program = "import sys; print(sys.base_prefix)"
    command = [str(interpreter(folder)), "-I", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
