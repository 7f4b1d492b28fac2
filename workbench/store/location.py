"""Where the workbench's own files lie: in a checkout beside the package, in an installed one inside it."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.core.errors import DataError

__all__ = ["PACKAGE", "cache_folder", "checkout", "data_folder", "home", "own_path"]

PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of the package `workbench`."""


def home() -> Path:
    """Return the folder that holds the workbench's own `data/` and `notebooks/`.

    A wheel carries both inside the package; a checkout, and an editable install of it, has them beside it.
    """
    return PACKAGE if (PACKAGE / "data").is_dir() else PACKAGE.parent


def checkout() -> Path | None:
    """Return the root of the source tree that the package lies in; None where it was installed without one."""
    return None if home() == PACKAGE else PACKAGE.parent


def data_folder() -> Path:
    """Return the workbench's `data/` folder: `WORKBENCH_DATA` where set, else its own.

    Raises:
        DataError: The folder is not there.
    """
    named = os.environ.get("WORKBENCH_DATA")
    folder = Path(named).expanduser() if named else home() / "data"
    if not folder.is_dir():
        raise DataError(
            got=f"no folder {folder}",
            needed="the workbench's `data` folder",
            fix="correct WORKBENCH_DATA" if named else "install the workbench again, or set WORKBENCH_DATA",
        )
    return folder


def cache_folder() -> Path:
    """Return the folder of all that can be made again: `WORKBENCH_CACHE`, else the user's cache folder."""
    named = os.environ.get("WORKBENCH_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("workbench", appauthor=False)


def own_path(name: str) -> Path:
    """Return the path that a user names: where it leads to nothing and begins with `data/`, the workbench's own.

    So profiles name files of ours by the same words in a checkout and away from it.
    """
    path = Path(name).expanduser()
    if path.is_absolute() or path.parts[:1] != ("data",) or path.exists():
        return path
    own = data_folder().joinpath(*path.parts[1:])
    return own if own.exists() else path
