"""The training monitor: live curves while a training runs in a notebook, and a button that stops it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from workbench.explore.curves import curves_figure, panels_of
from workbench.explore.live_training import LiveTraining
from workbench.explore.presence import Picture, is_watched, show_picture
from workbench.explore.training_page import monitor_page, state_line

__all__ = ["MonitorView", "watch_training"]

Result = TypeVar("Result")
EVERY_S = 0.4
"""Least time between two pictures: a browser draws no faster, and training should not wait for it."""
KEPT_EVERY_S = 5.0
"""Time between two pictures that stay in the notebook, should it be saved meanwhile."""


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
    if is_watched():
        view = MonitorView(training)
        training.views.append(view)
        view.show()
        training.start()
    else:
        training.run()
        show_picture(training.title, monitor_page(training), f"{training.title}: {training.state}")
    return training


class MonitorView:
    """One widget of a training: bar, button, curves; and the picture that stays in the notebook."""

    def __init__(self, training: LiveTraining[Any]) -> None:
        import ipywidgets as w

        self.training = training
        self.line = w.HTML(state_line(training))
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
        self.line.value = state_line(self.training)
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
