"""The progress bar of an executing notebook: cells done, and the step that is being computed."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from workbench.runs.reading import read_json
from workbench.terminal import short

__all__ = ["Progress"]


class Progress:
    """A bar on standard error, fed by the notebook's saves and, for the step, by its timings.json.

    Args:
        paper: Name shown before the bar.
        timings: File in which the notebook's Run notes the step it is computing.
    """

    def __init__(self, paper: str, timings: Path) -> None:
        self.running_cell: int | None = None
        """Number of the code cell that runs now, counted from 1."""
        self._paper = paper
        self._timings = timings
        self._begin = time.time()
        self._terminal = sys.stderr.isatty()
        self._bar: Any = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_fresh, daemon=True) if self._terminal else None

    def __enter__(self) -> Progress:
        """Start refreshing, in a terminal."""
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bar as it stands."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._bar is not None:
            self._bar.set_postfix_str("", refresh=False)
            self._bar.close()

    def saved(self, notebook: dict[str, Any]) -> None:
        """Take note of the state that papermill has just saved."""
        if notebook["metadata"]["papermill"].get("end_time"):
            return  # by then papermill calls cells completed that never ran
        states = [
            cell["metadata"].get("papermill", {}).get("status")
            for cell in notebook["cells"]
            if cell["cell_type"] == "code"
        ]
        self.running_cell = states.index("running") + 1 if "running" in states else self.running_cell
        if self._bar is None:
            from tqdm import tqdm

            # a log is given a line now and then, a terminal every change
            interval = 0 if self._terminal else 30
            form = "{desc}: {bar:30} {n_fmt}/{total_fmt} cells, {elapsed}{postfix}"
            self._bar = tqdm(desc=self._paper, total=len(states), mininterval=interval, bar_format=form)
        self._bar.update(states.count("completed") - self._bar.n)

    def _keep_fresh(self) -> None:
        while not self._stop.wait(0.5):
            if self._bar is None:
                continue
            running = read_json(self._timings).get("running", {})
            since = running.get("since", 0)
            # a note from before this execution is one of a process that was killed
            text = f"{short(running['step'])} {time.time() - since:.0f} s" if since >= self._begin else ""
            self._bar.set_postfix_str(text, refresh=True)
