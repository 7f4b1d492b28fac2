"""Checkpoints that a kill -9 cannot spoil: one counts only when a mark, written last, lists all its files."""

from __future__ import annotations

import json
from pathlib import Path

from workbench.store import atomic

__all__ = ["last_checkpoint", "mark_complete"]

MARK = "complete.json"


def mark_complete(checkpoint: Path) -> None:
    """Say that a checkpoint is whole: write down its files and their sizes."""
    files = sorted(file for file in checkpoint.rglob("*") if file.is_file() and file.name != MARK)
    atomic.write_json(
        checkpoint / MARK, {str(file.relative_to(checkpoint)): file.stat().st_size for file in files}
    )


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint of a folder; None where there is none.

    Args:
        folder: Holds folders named `checkpoint-STEP`, as transformers' Trainer writes them.
    """
    found = [path for path in folder.glob("checkpoint-*") if path.name.rpartition("-")[2].isdigit()]
    newest_first = sorted(found, key=lambda path: -int(path.name.rpartition("-")[2]))
    return next((path for path in newest_first if _is_complete(path)), None)


def _is_complete(checkpoint: Path) -> bool:
    """Tell whether a checkpoint has all the files that its mark lists, of the sizes that it had."""
    try:
        listed = json.loads((checkpoint / MARK).read_text())
        return all((checkpoint / name).stat().st_size == size for name, size in listed.items())
    except (AttributeError, OSError, TypeError, ValueError):  # not there, or not a mark of ours
        return False
