"""One training session: its folder claimed, an interrupted training gone on with, its log written, its end told."""

from __future__ import annotations

import atexit
import json
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import torch

from workbench.core.errors import RunError
from workbench.models.saving import DESCRIPTION
from workbench.store import atomic
from workbench.store.folders import make_folder
from workbench.training.checkpoints import last_checkpoint
from workbench.training.folder import TrainingFolder, read_log

__all__ = ["ProcessGroup", "Session", "SingleProcess"]


class ProcessGroup(Protocol):
    """The processes that train together: transformers' `TrainingArguments`, or anything that knows them."""

    @property
    def process_index(self) -> int:
        """Which one this is, from 0; only the first one writes."""

    @property
    def world_size(self) -> int:
        """How many there are."""


class SingleProcess:
    """The only process of a training."""

    process_index, world_size = 0, 1


class Session:
    """One training in its folder, for every kind of training; a context manager that holds the folder.

    `claim` it before the model is changed; go on at `checkpoint()`; `rewind` and `write` the log; `finish` it once
    the model is saved. See `TrainingFolder` for the files.

    Args:
        folder: Where the model goes. None: nothing is kept, and nothing can be resumed.
        description: The model's file that says what the folder holds.
    """

    def __init__(self, folder: str | Path | None, *, description: str = DESCRIPTION) -> None:
        self._stack = ExitStack()
        self.kept = folder is not None
        """Whether the folder stays."""
        path = folder or self._stack.enter_context(tempfile.TemporaryDirectory())
        self.place = TrainingFolder(Path(path), description=description)
        self.together: ProcessGroup = SingleProcess()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if error is None and torch.distributed.is_available() and torch.distributed.is_initialized():
            atexit.unregister(_leave_group)  # once, however many trainings there were
            atexit.register(_leave_group)

    @property
    def folder(self) -> Path | None:
        """Where the model goes; None where nothing is kept."""
        return self.place.path if self.kept else None

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.together.process_index == 0

    def claim(
        self,
        asked: dict[str, Any],
        described: Mapping[str, Any],
        *,
        together: ProcessGroup | None = None,
        resume: bool = True,
    ) -> dict[str, Any] | None:
        """Hold the folder for this training, and write down what was asked.

        Args:
            asked: All that shapes the weights, as plain values.
            described: More for a reader, such as the model's line.
            together: The processes that train together; this one alone if None.
            resume: False: start over, and forget an earlier training in the folder.

        Returns:
            The summary of an earlier training, where it is done already.

        Raises:
            RunError: Another process trains in the folder, or it holds another model.
            SettingsError: It was begun with something else.
        """
        self.together = together or SingleProcess()
        if not self.kept:
            return None
        if self.first:
            make_folder(self.place.path, "--out")
            if not self._stack.enter_context(atomic.lock(self.place.path / ".lock", wait=False)):
                raise RunError(
                    got=f"another process trains in {self.place.path}",
                    needed="one training a folder",
                    fix="wait until it is done, or choose another folder",
                )
            if not resume:
                self.place.clear()
            self.place.check(asked)
        self.wait()
        done = self.place.summary()
        self.wait()  # nobody writes before all have looked
        if done is None and self.first:
            self.place.begin(asked, described)
        self.wait()
        return done

    def checkpoint(self) -> Path | None:
        """Return the newest whole checkpoint; None where the training begins."""
        return last_checkpoint(self.place.checkpoints) if self.kept else None

    def log(self) -> list[dict[str, Any]]:
        """Return the log, a row each time something was logged; empty where there is none."""
        return read_log(self.place.log) if self.kept else []

    def rewind(self, step: int) -> list[dict[str, Any]]:
        """Go back to a step: drop what was logged after it, which is computed again; return the log."""
        rows = [row for row in self.log() if row["step"] <= step] if step else []
        self.wait()  # nobody writes before all have read
        if self.kept and self.first:
            atomic.write_bytes(self.place.log, "".join(json.dumps(row) + "\n" for row in rows).encode())
        return rows

    def write(self, row: Mapping[str, Any]) -> None:
        """Log a row: `step`, and metrics by name."""
        if self.kept and self.first:
            with self.place.log.open("a") as file:
                file.write(json.dumps(row) + "\n")

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Say what came of it, once the model is saved, and remove what was only needed to go on."""
        if self.kept and self.first:
            self.place.finish(summary)
        self.wait()

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.together.world_size > 1:
            torch.distributed.barrier()


def _leave_group() -> None:
    """Leave the processes that trained together while Python is whole; at its end, as another training may follow.

    The group's threads may still hold tensors. One that lets go of them while Python ends aborts the process, and the
    launcher then says that a training failed which is done.
    """
    if torch.distributed.is_initialized():  # the script may have left it itself
        torch.distributed.destroy_process_group()
