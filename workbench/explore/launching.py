"""Starting a run in the background, and following it: what the launcher does, without any widget."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError
from workbench.explore.presence import SESSION
from workbench.runs.parameters import read_parameters, resolve
from workbench.runs.planning import plan, run_command
from workbench.runs.profiles import PROFILES, profile_values
from workbench.store.folders import make_folder
from workbench.store.reading import read_json

__all__ = ["Field", "Launched", "RunProgress", "fields_of", "launch_run"]

LOG = "launch.log"


@dataclass(frozen=True)
class Field:
    """One parameter that a notebook can be given."""

    name: str
    kind: str
    """int, float, str, bool or list, as the notebook's annotation says; anything else counts as str."""
    help: str
    usual: Mapping[str, Any]
    """What each profile makes of it."""


@dataclass(frozen=True)
class RunProgress:
    """How far a run is."""

    state: str
    """waiting, running, finished, failed or stopped."""
    cells: int
    """Cells that are done, of all its notebooks begun so far."""
    of: int
    step: str
    """The step that is being computed, with the seconds since."""
    says: str
    """The last line of its log."""


def fields_of(notebook: Path) -> list[Field]:
    """Return the parameters of a notebook, as its `parameters` cell and its profiles have them."""
    table = read_parameters(notebook)
    usual = {profile: resolve(table, profile_values(notebook, profile), {}) for profile in PROFILES}
    return [
        Field(
            name,
            "list" if one.kind is tuple else (one.kind or str).__name__,
            one.help,
            {profile: values[name] for profile, values in usual.items()},
        )
        for name, one in table.items()
    ]


def launch_run(paper: str, profile: str, values: Mapping[str, str], out: str = "") -> Launched:
    """Start `workbench run` in the background; it goes on when the notebook is closed.

    Args:
        paper: Name or path of a notebook.
        profile: pocket, real, laptop or paper.
        values: Parameters that are set, as text; empty ones are left to the profile.
        out: The run's folder; if empty, it is named after the rest.

    Raises:
        SettingsError: A parameter has a value that cannot be used; all are named.
    """
    given = [f"{name}={text}" for name, text in values.items() if text.strip()]
    folder = plan([paper], profile, given, out).folder  # refuses here and now what the command would refuse
    make_folder(folder, "another folder")
    command = run_command(paper, profile, given, folder)
    # the notebook's own kernel is watched, those of the run are not
    env = {name: value for name, value in os.environ.items() if name != SESSION}
    with (folder / LOG).open("w") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=env,
            start_new_session=True,
        )
    return Launched(folder, process)


class Launched:
    """A run that goes on in the background.

    Args:
        folder: The run's folder.
        process: Its process.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.process = folder, process
        self._begun = time.time()

    @property
    def report(self) -> Path | None:
        """The run's page, once it is there; not one that the folder had before."""
        page = self.folder / "index.html"
        made = page.is_file() and page.stat().st_mtime >= self._begun - 1
        return page if made and self.process.poll() is not None else None

    def stop(self) -> None:
        """Interrupt the run; started again with the same parameters it goes on where it stopped."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)

    def progress(self) -> RunProgress:
        """Return how far it is, as its folder tells."""
        status = self.process.poll()
        done, cells, steps = 0, 0, []
        for notebook in self.folder.glob("*/notebook.ipynb"):
            states = [
                cell["metadata"].get("papermill", {}).get("status")
                for cell in read_json(notebook).get("cells", [])
                if cell["cell_type"] == "code"
            ]
            done, cells = done + states.count("completed"), cells + len(states)
            running = read_json(notebook.parent / "timings.json").get("running", {})
            if running and status is None:
                steps.append(f"{running['step']}, {time.time() - running['since']:.0f} s")
        lines = [line for line in self.log().splitlines() if line.strip()]
        ended = {0: "finished", None: "running" if cells else "waiting"}
        state = ended.get(status, "stopped" if status in (130, -signal.SIGTERM) else "failed")
        return RunProgress(state, done, cells, "; ".join(steps), lines[-1] if lines else "")

    def log(self) -> str:
        """Return what the run has printed; of a progress bar, its last state."""
        file = self.folder / LOG
        # as bytes: reading text would turn the bar's carriage returns into line ends
        text = file.read_bytes().decode(errors="replace") if file.is_file() else ""
        return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def check_values(fields: list[Field], values: Mapping[str, str]) -> None:
    """Refuse values that are not of their parameter's kind.

    Raises:
        SettingsError: All of them are named.
    """
    faults = []
    for field in fields:
        text = values.get(field.name, "").strip()
        if not text or field.kind not in ("int", "float"):
            continue
        try:
            (int if field.kind == "int" else float)(text)
        except ValueError:
            faults.append(
                (
                    f"{field.name} {text!r}",
                    f"{field.name}: {'a whole number' if field.kind == 'int' else 'a number'}",
                )
            )
    if faults:
        raise SettingsError.listing(faults)
