"""The training monitor: live curves while a training runs, a button that stops it, the same curves afterwards."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from workbench.display.explore.curves import Rows, curves_figure, curves_picture, panels_of, read_logs
from workbench.display.explore.markup import Markup, badge, escape, note
from workbench.display.explore.presence import Picture, is_watched, present, show_picture
from workbench.training.watching import TrainingStopped

if TYPE_CHECKING:
    from ipywidgets import Widget

__all__ = ["LiveTraining", "TrainingLog", "monitor_page", "training_curves", "watch_training"]

Result = TypeVar("Result")
EVERY_S = 0.4
"""Least time between two pictures: a browser draws no faster, and training should not wait for it."""
KEPT_EVERY_S = 5.0
"""Time between two pictures that stay in the notebook, should it be saved meanwhile."""


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
        self._thread = threading.Thread(target=self._run, name=f"training {name}", daemon=True)
        self._views: list[_MonitorView] = []

    def start(self, *, live: bool) -> None:
        """Start: in a thread of its own beside a widget, or here and now where nobody watches."""
        if not live:
            self._run()
            show_picture(self.title, monitor_page(self), f"{self.title}: {self.state}")
            return
        view = _MonitorView(self)
        self._views.append(view)
        view.show()
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
        if self.state == "running":
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
        for view in self._views:
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

    def _run(self) -> None:
        try:
            self._result = self._call()
            if not self.log.rows:  # it was done before, and is only loaded
                self.log.rows += [dict(row) for row in getattr(self._result, "log", ())]
            self.state = "finished"
        except TrainingStopped as stop:
            self._fault, self.state, self.says = stop, "stopped", str(stop)
        except BaseException as fault:  # raised again by `result`, in the notebook's own thread
            self._fault, self.state, self.says = fault, "failed", f"{type(fault).__name__}: {fault}"
        self._refresh()

    def _refresh(self) -> None:
        for view in self._views:
            view.refresh()


def watch_training(
    function: Callable[..., Result], *args: Any, name: str = "", **kwargs: Any
) -> LiveTraining[Result]:
    """Start a training and show its curves while it runs, with a button that stops it.

    Stopped, it leaves a checkpoint in its folder: the same call goes on there. With nobody watching (papermill) it
    runs to its end before this returns, and the curves are a picture.

    Args:
        function: `train_reward_model`, `train_policy`, anything else with a keyword `watcher`, or the `train` method
            of a Trainer of transformers.
        *args: Of the function.
        name: What to call the training; the function's name if empty.
        **kwargs: Of the function.

    Returns:
        The training; `await` it in a later cell for what the function returns.
    """
    training: LiveTraining[Result] = LiveTraining(
        name or getattr(function, "__name__", "training"), function, args, kwargs
    )
    training.start(live=is_watched())
    return training


def training_curves(source: Any) -> None:
    """Show the curves of finished trainings.

    Args:
        source: What a training returned, its folder, the rows of its log, or several of these by name; see
            `read_logs`.

    Raises:
        DataError: There is no log.
    """
    logs = read_logs(source)
    present(
        f"Training curves: {len(logs)} training{'s' * (len(logs) > 1)}",
        curves_picture(panels_of(_first(logs))),
        lambda: _curves_widget(logs),
        text=f"training curves of {', '.join(logs)}",
    )


def monitor_page(training: LiveTraining[Any]) -> Markup:
    """Return the picture of a training: how far it is, and its curves so far."""
    return _state_line(training) + curves_picture(panels_of({"": training.log.rows}))


class _MonitorView:
    """One widget of a training: bar, button, curves; and the picture that stays in the notebook."""

    def __init__(self, training: LiveTraining[Any]) -> None:
        import ipywidgets as w

        self.training = training
        self.line = w.HTML(_state_line(training))
        self.bar = w.IntProgress(value=0, max=1, layout={"width": "auto", "flex": "1 1 auto"})
        self.button = w.Button(
            description="Stop", icon="stop", button_style="danger", layout={"width": "110px"}
        )
        self.button.on_click(lambda _: training.stop())
        self.place = w.VBox([])
        self.whole = w.VBox([w.HBox([self.bar, self.button]), self.line, self.place])
        self.whole.add_class("explore-monitor")
        self._picture = Picture(training.title, uuid.uuid4().hex[:12])
        self._shape: list[tuple[str, tuple[str, ...]]] = []
        self._kept = 0.0
        self._news = threading.Event()
        self._drawer = threading.Thread(target=self._keep_drawing, name="monitor", daemon=True)

    def show(self) -> None:
        """Show widget and picture below the cell."""
        self._picture.show(monitor_page(self.training), self.whole)
        self._drawer.start()

    def refresh(self) -> None:
        """Draw what is new, soon: the training that calls this does not wait."""
        self._news.set()

    def join(self) -> None:
        """Wait until the end of the training is drawn."""
        self._drawer.join()

    def _keep_drawing(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            ended = self.training.ended
            self._update(ended)
            if ended:
                return
            time.sleep(EVERY_S)

    def _update(self, ended: bool) -> None:
        log, state = self.training.log, self.training.state
        self.bar.max, self.bar.value = max(log.steps, 1), log.done
        self.line.value = _state_line(self.training)
        self.button.disabled = state != "running"
        self.button.description = "Stopping…" if state == "stopping" else "Stop"
        self._draw()
        if ended or time.monotonic() - self._kept > KEPT_EVERY_S:
            self._kept = time.monotonic()
            self._picture.update(monitor_page(self.training))

    def _draw(self) -> None:
        panels = panels_of({"": self.training.log.rows})
        shape = [(panel.title, tuple(panel.curves)) for panel in panels]
        if not panels:
            return
        if shape != self._shape:  # a metric came up that was not there before
            self._shape = shape
            self.place.children = (curves_figure(panels, live=True),)
            return
        figure = self.place.children[0]
        figure.layout.autosize = True  # by now it stands in the page, and can know how wide that is
        with figure.batch_update():
            for trace, (steps, values) in zip(
                figure.data, (curve for panel in panels for curve in panel.curves.values()), strict=True
            ):
                trace.x, trace.y, trace.mode = steps, values, "lines"


def _curves_widget(logs: Mapping[str, Rows]) -> Widget:
    """Return curves of the trainings that are chosen."""
    import ipywidgets as w

    chosen = w.SelectMultiple(
        options=list(logs), value=list(_first(logs)), rows=min(8, len(logs)), description="trainings",
        layout={"width": "auto"}, style={"description_width": "auto"},
    )  # fmt: skip
    place = w.VBox([])

    def draw(_: Any = None) -> None:
        panels = panels_of({name: logs[name] for name in chosen.value})
        place.children = (
            (curves_figure(panels, live=True),) if panels else (w.HTML(note("Choose a training.")),)
        )

    chosen.observe(draw, "value")
    draw()
    whole = w.VBox([chosen, place] if len(logs) > 1 else [place])
    whole.add_class("explore-curves")
    return whole


def _first(logs: Mapping[str, Rows], most: int = 3) -> dict[str, Rows]:
    return dict(list(logs.items())[:most])


def _state_line(training: LiveTraining[Any]) -> Markup:
    kinds = {"finished": "good", "failed": "bad", "stopped": "maybe", "stopping": "maybe"}
    log = training.log
    steps = f"step {log.done:,} of {log.steps:,}" if log.steps else "getting ready"
    last = {name: value for row in log.rows for name, value in row.items() if isinstance(value, float)}
    shown = ("loss", "accuracy", "reward", "kl", "tokens_per_second", "steps_per_second")
    numbers = " · ".join(f"{name.replace('_', ' ')} {last[name]:.3g}" for name in shown if name in last)
    told = f"{badge(training.state, kinds.get(training.state, 'plain'))} &nbsp; {escape(steps)}"
    more = note(training.says) if training.says else ""
    return f'<div style="margin: 0 0 8px">{told} &nbsp; {escape(numbers)}{more}</div>'


def _told(function: Callable[..., Result], log: TrainingLog) -> Callable[..., Result]:
    """Return the function with the log as its watcher."""
    import functools
    import sys

    transformers = sys.modules.get("transformers")
    owner = getattr(function, "__self__", None)
    if transformers is not None and isinstance(owner, transformers.Trainer):
        from workbench.training.callbacks import WatchCallback

        owner.add_callback(WatchCallback(log))
        return function
    return functools.partial(function, watcher=log)
