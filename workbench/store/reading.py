"""Reading back what a run left, which may be missing or damaged, or another's, and made to lead elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.core.errors import RunError

__all__ = ["MALFORMED", "below", "check_closed", "read_json"]

MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading raises where JSON is not of the form that a run writes."""


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object from a file; empty where the file is missing or is no JSON object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def below(folder: Path, name: object) -> Path | None:
    """Return the place that a file of a folder names, relative to it.

    Args:
        folder: Where the file lies.
        name: What it says.

    Returns:
        The place; None where it is no name, or where, all links followed, it is not in the folder.
    """
    if not isinstance(name, str) or "\0" in name:
        return None
    place = (folder / name).resolve()
    return place if place.is_relative_to(folder.resolve()) else None


def check_closed(folder: Path) -> None:
    """Refuse a folder in which a link leads out of it, or something is neither a file nor a folder.

    Through such a link a received folder would have files of this machine copied into reports, or written to.

    Raises:
        RunError: There are such; the first is named.
    """
    root = folder.resolve()
    for entry in _entries(root):
        leads = Path(entry.path).resolve() if entry.is_symlink() else None
        if leads is not None and not leads.is_relative_to(root):
            got = f"{entry.path} is a link to {leads}, out of the folder"
        elif leads is None and not entry.is_file(follow_symlinks=False):
            got = f"{entry.path} is neither a file nor a folder"
        else:
            continue
        raise RunError(
            got=got,
            needed="a folder that holds all its files itself: what is read, shown and written stays in it",
            fix="remove it, or put what you want to have there in its place",
        )


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield all below a folder but folders; links to folders are not followed."""
    try:
        found = list(os.scandir(folder))
    except OSError:  # gone, or not ours to read
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path))
        else:
            yield entry
