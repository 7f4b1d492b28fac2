"""Folders that work is kept in: made, held by one process at a time, and named as a person would."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from workbench.core.errors import RunError, SettingsError
from workbench.store import atomic
from workbench.store.reading import check_closed

__all__ = ["make_folder", "printable", "project_root", "refuse_overwriting", "shown", "sole_user"]


def project_root(start: Path | None = None) -> Path | None:
    """Find the project around a folder: the nearest one upwards with notebooks/ and workbench/ in it.

    Args:
        start: Where to look from; the current folder if None.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "notebooks").is_dir() and (folder / "workbench").is_dir():
            return folder
    return None


def shown(path: Path) -> str:
    """Return a path as a person at the current folder would type it."""
    try:
        return printable(str(path.resolve().relative_to(Path.cwd().resolve())))
    except ValueError:
        return printable(str(path))


def printable(name: str) -> str:
    r"""Return a file's name as text that can be printed and stored: bytes that are no UTF-8 become `\xe9`.

    >>> print(printable(os.fsdecode(b"caf\xe9.md")))
    caf\xe9.md
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def make_folder(folder: Path, option: str) -> None:
    """Make a folder, with those above it, where it is missing.

    Args:
        folder: What to make.
        option: How the user names another one, for the error.

    Raises:
        RunError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise RunError(
            got=f"the folder {folder} cannot be made: {fault.strerror}",
            needed="a folder that can be written",
            fix=f"choose another one with {option}",
        ) from fault


def refuse_overwriting(folder: Path, written: Iterable[str], inputs: Iterable[Path], option: str) -> None:
    """Refuse a folder in which what is written would go into an input.

    Args:
        folder: Where results go.
        written: Names of the files that are written there.
        inputs: Files that are read, under whatever name.
        option: How the user names another folder, for the error.

    Raises:
        SettingsError: An input is one of these files.
    """
    named = [path for path in inputs if path.is_file()]
    for place in (folder / name for name in written):
        if place.exists() and any(path.samefile(place) for path in named):
            raise SettingsError(
                got=f"{place} as an input, into which results would be written",
                needed="a folder that holds none of the inputs under a name that is written there",
                fix=f"choose another folder with {option}, or copy the input elsewhere",
            )


@contextlib.contextmanager
def sole_user(folder: Path, doing: str, option: str) -> Iterator[None]:
    """Make a folder and hold it for this process alone: two that append to the same file would garble it.

    Args:
        folder: What to hold.
        doing: What its user does, for the error, such as `is scoring into`.
        option: How the user names another one, for the error.

    Raises:
        RunError: It cannot be made, another process holds it, or a link leads out of it.
    """
    make_folder(folder, option)
    check_closed(folder)
    with atomic.lock(folder / ".lock", wait=False) as held:
        if not held:
            raise RunError(
                got=f"another process {doing} {folder}",
                needed="one process at a time in a folder",
                fix=f"wait for it, or choose another folder with {option}",
            )
        yield
