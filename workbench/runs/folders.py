"""Where things are: the project's root, its notebooks, and the folder that a run's settings name."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import RunError, SettingsError
from workbench.profiles import suggestion
from workbench.runs import atomic
from workbench.runs.reading import check_closed

__all__ = [
    "find_run",
    "make_folder",
    "printable",
    "project_root",
    "refuse_overwriting",
    "run_id",
    "runs_root",
    "shown",
    "sole_user",
]


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


def runs_root(start: Path | None = None) -> Path:
    """Return the folder that holds all runs: runs/ in the project's root, or else in the current folder."""
    return (project_root(start) or (start or Path.cwd())) / "runs"


def run_id(papers: Sequence[str], profile: str, overrides: Mapping[str, Any]) -> str:
    """Name a run after what was asked, so that asking the same again finds it.

    Args:
        papers: The papers that were named; empty for all of them.
        profile: Name of the profile.
        overrides: The parameters that were set besides the profile, by name; None counts as not set.

    Returns:
        For example `pocket`, `ds1000-laptop` or `ds1000-pocket-3f2a91c4`.

    >>> run_id([], "pocket", {}), run_id(["ds1000"], "laptop", {"samples": None})
    ('pocket', 'ds1000-laptop')
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    words = [*sorted(papers), profile]
    if given:
        text = json.dumps(given, sort_keys=True, default=str)
        words.append(hashlib.sha256(text.encode()).hexdigest()[:8])
    return "-".join(words)


def find_run(name: str) -> Path:
    """Return the folder of a run that a user names, by its path or by its name below runs/.

    Raises:
        RunError: There is none; with what there is, and the likeliest name.
    """
    for folder in (Path(name).expanduser(), runs_root() / name):
        if name and folder.is_dir():
            return folder.resolve()
    names = sorted(folder.name for folder in runs_root().glob("*") if folder.is_dir())
    raise RunError(
        got=f"no run {name!r}{suggestion(name, names)}",
        needed=f"a run's folder, or the name of one in {shown(runs_root())} ({', '.join(names) or 'which has none'})",
        fix="make one with `workbench run`, or correct the name",
    )


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
