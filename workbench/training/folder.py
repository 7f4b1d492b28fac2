"""A training's folder: what was asked, so that it is only continued with the same; and what came of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import RunError, SettingsError
from workbench.models.saving import DESCRIPTION
from workbench.store import atomic
from workbench.store.folders import make_folder
from workbench.store.manifest import git_state, machine, package_versions
from workbench.store.secrets import redact

__all__ = ["TrainingFolder", "read_log"]

ASKED, SUMMARY = "training.json", "training_summary.json"


class TrainingFolder:
    """The files of one training.

    Those of the model itself, and beside them

    - `training.json`: what was asked, with versions and machine; written first
    - `training_log.jsonl`: a line each time something is logged
    - `checkpoints/`, `reference/`: what an interrupted training continues from; gone when it is done
    - `training_summary.json`: what came of it; written last

    Args:
        path: The folder.
        description: The model's file that says what the folder holds; the one of a reward model.
    """

    def __init__(self, path: Path, *, description: str = DESCRIPTION) -> None:
        self.description = description
        self.path = path.expanduser().resolve()  # checkpoints name each other by it
        self.log = self.path / "training_log.jsonl"
        self.checkpoints = self.path / "checkpoints"
        self.reference = self.path / "reference"

    def summary(self) -> dict[str, Any] | None:
        """Return what came of the training; None where it is not done."""
        found = _read(self.path / SUMMARY)
        return found if (self.path / self.description).is_file() else None

    def check(self, asked: Mapping[str, Any]) -> None:
        """Raise unless the folder is new, or was begun with exactly this.

        Args:
            asked: All that shapes the weights, as plain values.

        Raises:
            SettingsError: It was begun with something else; what differs is named.
            RunError: It holds a model that no training here made, or something that is no folder is in the way.
        """
        before = _read(self.path / ASKED)
        if before is None:
            if (self.path / self.description).exists() or (self.path / "config.json").exists():
                raise RunError(
                    got=f"{self.path} holds a model that was not trained here",
                    needed="a folder of its own for this training",
                    fix="choose another folder",
                )
            return
        # names may change, as folders move: the fingerprints of weights and pairs tell what they hold
        known, now = ({**given, "model": None, "data": None} for given in (before.get("asked", {}), asked))
        differing = sorted(_differences(known, json.loads(json.dumps(now))))
        if differing:
            raise SettingsError(
                got=f"{self.path} holds a training that was begun with other settings: {'; '.join(differing)}",
                needed="the same settings to continue it, or a folder of its own",
                fix="choose another folder, or start over there (--fresh, resume=False)",
            )

    def begin(self, asked: Mapping[str, Any], described: Mapping[str, Any]) -> None:
        """Write down what was asked, unless it is there already.

        Args:
            asked: As for `check`.
            described: More for a reader: the model's line, the data's report.
        """
        make_folder(self.path, "--out")
        if not (self.path / ASKED).exists():
            shutil.rmtree(self.checkpoints, ignore_errors=True)  # nothing says what these were asked for
            versions = {"packages": package_versions(), "git": git_state(), "machine": machine()}
            atomic.write_json(self.path / ASKED, redact({"asked": asked, **described, **versions}))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write down what came of it, and remove what was only needed to continue."""
        atomic.write_json(self.path / SUMMARY, summary)
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        shutil.rmtree(self.reference, ignore_errors=True)

    def clear(self) -> None:
        """Forget an earlier training here: its checkpoints, log and result. Other files stay."""
        if (self.path / ASKED).exists():  # else it is somebody else's
            (self.path / "config.json").unlink(missing_ok=True)
        for path in (self.path / SUMMARY, self.path / self.description, self.path / ASKED, self.log):
            path.unlink(missing_ok=True)
        for folder in (self.checkpoints, self.reference):
            shutil.rmtree(folder, ignore_errors=True)


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read a log, but for a last line that a kill cut off; empty where there is none."""
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _read(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None where there is none that can be read."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _differences(before: Any, now: Any, name: str = "") -> set[str]:
    """Return in words where two plain values differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        found: set[str] = set()
        for key in before.keys() | now.keys():
            found |= _differences(before.get(key), now.get(key), f"{name}.{key}" if name else key)
        return found
    return set() if before == now else {f"{name} was {before!r}, is {now!r}"}
