"""A training that runs beside a notebook: what it says, how it is stopped, and how its result is waited for."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from workbench.training.watching import TrainingStopped

__all__ = ["LiveTraining", "TrainingLog", "View"]

Result = TypeVar("Result")


class View(Protocol):
    """Shows a training."""

    def refresh(self) -> None:
        """Hear that there is something new; called in the training's thread, which does not wait."""

    def join(self) -> None:
        """Wait until the end of the training is shown."""


class TrainingLog:
    """What a training says while it runs: a `Watcher` that keeps the rows and carries the wish to stop.

    Args:
        heard: Called after each piece of news, in the training's thread.
    """

    def __init__(self, heard: Callable[[], None] = lambda: None) -> None:
        self.rows: list[dict[str, Any]] = []
        self.done, self.steps, self._before = 0, 0, 0
        self._heard, self._wish = heard, threading.Event()
        self._begun = time.monotonic()

    def started(self, done: int, steps: int) -> None:
        """Hear that training starts."""
        self.done, self.steps, self._before = done, steps, done
        self._begun = time.monotonic()
        self._heard()

    def logged(self, row: Mapping[str, Any]) -> None:
        """Hear what was logged; where nobody says how fast training is, steps a second are added."""
        kept = dict(row)
        step = int(row.get("step", self.done))
        if step > self._before and "tokens_per_second" not in row:
            kept["steps_per_second"] = (step - self._before) / max(time.monotonic() - self._begun, 1e-9)
        self.rows.append(kept)
        self.done = step
        self._heard()

    def stopping(self) -> bool:
        """Tell whether somebody wants training to end."""
        return self._wish.is_set()

    def stop(self) -> None:
        """Ask training to end after its step, with a checkpoint."""
        self._wish.set()


class LiveTraining(Generic[Result]):
    """A training that runs, or ran. Made by `watch_training`.

    In a notebook `await training` gives what it returns, and leaves the Stop button alive while it waits; `.result()`
    does so without a notebook.
    """

    def __init__(self, name: str, function: Callable[..., Result], args: Any, kwargs: Any) -> None:
        self.name = name
        self.log = TrainingLog(self._refresh)
        self.state = "running"
        """running, stopping, finished, stopped or failed."""
        self.says = ""
        """More of it in words, such as the error."""
        self._call = lambda: _told(function, self.log)(*args, **kwargs)
        self._result: Result | None = None
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self.run, name=f"training {name}", daemon=True)
        self._turn = threading.Lock()
        self.views: list[View] = []
        """What shows it."""

    def run(self) -> None:
        """Train here and now; an error is kept for `result`."""
        try:
            self._result = self._call()
            if not self.log.rows:  # it was done before, and is only loaded
                self.log.rows += [dict(row) for row in getattr(self._result, "log", ())]
            self._end("finished")
        except TrainingStopped as stop:
            self._end("stopped", str(stop), stop)
        except BaseException as fault:  # raised again by `result`, in the notebook's own thread
            self._end("failed", f"{type(fault).__name__}: {fault}", fault)

    def start(self) -> None:
        """Train in a thread of its own."""
        self._thread.start()

    @property
    def title(self) -> str:
        """The heading of its pictures."""
        return f"Training monitor: {self.name}"

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self.state in ("finished", "stopped", "failed")

    def stop(self) -> None:
        """End the training after its step, with a checkpoint; what the button does."""
        with self._turn:  # it may be ending at this moment
            if self.state != "running":
                return
            self.state = "stopping"
        self.log.stop()
        self._refresh()

    def result(self) -> Result:
        """Wait for the training and return what it returned.

        An interrupt of the kernel (■) while this waits stops the training as the button does.

        Raises:
            TrainingStopped: It was stopped; the same call goes on at its checkpoint.
        """
        while self._thread.is_alive():
            try:
                self._thread.join(0.2)
            except KeyboardInterrupt:
                self.stop()
        for view in self.views:
            view.join()
        if self._fault is not None:
            raise self._fault
        return self._result  # type: ignore[return-value]

    def __await__(self) -> Generator[Any, None, Result]:
        """Wait as `result` does, and let the notebook hear its buttons meanwhile."""
        return self._awaited().__await__()

    async def _awaited(self) -> Result:
        try:
            while self._thread.is_alive():
                await asyncio.sleep(0.1)
        except asyncio.CancelledError:  # an interrupt of the kernel
            self.stop()
        return self.result()

    def _end(self, state: str, says: str = "", fault: BaseException | None = None) -> None:
        with self._turn:
            self._fault, self.says, self.state = fault, says, state
        self._refresh()

    def _refresh(self) -> None:
        for view in self.views:
            view.refresh()


def _told(function: Callable[..., Result], log: TrainingLog) -> Callable[..., Result]:
    """Return the function with the log as its watcher."""
    transformers = sys.modules.get("transformers")
    owner = getattr(function, "__self__", None)
    if transformers is not None and isinstance(owner, transformers.Trainer):
        from workbench.training.callbacks import WatchCallback

        owner.add_callback(WatchCallback(log))
        return function
    return functools.partial(function, watcher=log)
