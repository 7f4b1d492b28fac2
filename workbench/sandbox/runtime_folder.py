"""Where a built runtime lies, and whether it is complete."""

from __future__ import annotations

from pathlib import Path

from workbench.sandbox.runtime_recipe import Recipe

__all__ = ["COMPLETE", "built_folder", "interpreter", "is_complete", "lock_file"]


COMPLETE = "complete.json"
"""The file that a build writes last: without it, a runtime's folder is a heap of files."""


def interpreter(folder: Path) -> Path:
    """Return the interpreter of the environment in a folder."""
    return folder / "bin" / "python"


def is_complete(folder: Path) -> bool:
    """Tell whether a build came to its end and the Python that it was made from is still there."""
    return (folder / COMPLETE).is_file() and interpreter(folder).exists()


def built_folder(recipe: Recipe) -> Path | None:
    """Return the folder of a complete runtime of exactly these pins, for the best Python there is of it."""
    return next((folder for folder in map(recipe.folder, recipe.versions) if is_complete(folder)), None)


def lock_file(folder: Path) -> Path:
    """Return the file that whoever builds or removes this folder has locked."""
    return folder.parent / f".{folder.name}.lock"
