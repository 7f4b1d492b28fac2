"""A training as a picture: how far it is, and its curves so far."""

from __future__ import annotations

from typing import Any

from workbench.explore.curves import curves_picture, panels_of
from workbench.explore.live_training import LiveTraining
from workbench.explore.markup import Markup, badge, escape, note

__all__ = ["monitor_page", "state_line"]


def monitor_page(training: LiveTraining[Any]) -> Markup:
    """Return the picture of a training: how far it is, and its curves so far."""
    return state_line(training) + curves_picture(panels_of({"": training.log.rows}))


def state_line(training: LiveTraining[Any]) -> Markup:
    """Return a training's state, step and last numbers in a line."""
    kinds = {"finished": "good", "failed": "bad", "stopped": "maybe", "stopping": "maybe"}
    log = training.log
    steps = f"step {log.done:,} of {log.steps:,}" if log.steps else "getting ready"
    last = {name: value for row in log.rows for name, value in row.items() if isinstance(value, float)}
    shown = ("loss", "accuracy", "reward", "kl", "tokens_per_second", "steps_per_second")
    numbers = " · ".join(f"{name.replace('_', ' ')} {last[name]:.3g}" for name in shown if name in last)
    told = f"{badge(training.state, kinds.get(training.state, 'plain'))} &nbsp; {escape(steps)}"
    more = note(training.says) if training.says else ""
    return f'<div style="margin: 0 0 8px">{told} &nbsp; {escape(numbers)}{more}</div>'
