"""Watching a training while it goes, and ending it early: one interface for transformers' Trainer and for PPO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

__all__ = ["TrainingStopped", "Watcher"]


class Watcher(Protocol):
    """Hears of a training as it goes. Its methods are called in the training's thread, and must not take long."""

    def started(self, done: int, steps: int) -> None:
        """Hear that training starts.

        Args:
            done: Steps that an interrupted training has done before.
            steps: All of them.
        """

    def logged(self, row: Mapping[str, Any]) -> None:
        """Hear what was logged: `step`, and metrics by name."""

    def stopping(self) -> bool:
        """Tell whether training is to end after this step, with a checkpoint."""


class TrainingStopped(Exception):
    """A training was ended by its watcher. The same call goes on at its checkpoint.

    Args:
        step: Steps that were done.
        steps: Steps that there are.
        folder: Holds the checkpoint; None where nothing is kept.
    """

    def __init__(self, step: int, steps: int, folder: Path | None) -> None:
        self.step, self.steps, self.folder = step, steps, folder
        kept = f"the same call goes on from {folder}" if folder else "nothing was kept, as there is no folder"
        super().__init__(f"stopped after step {step} of {steps}; {kept}")
