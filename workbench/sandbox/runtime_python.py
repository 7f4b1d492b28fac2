"""Finds a Python of the version that a runtime's pins suit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import RuntimeMissingError
from workbench.sandbox.runtime_recipe import Recipe

__all__ = ["Interpreter", "find_interpreter"]

_CHECK = "import ensurepip, venv, sys; print('%d.%d' % sys.version_info[:2])"
_CHECK_S = 30


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs and can make virtual environments."""

    path: Path
    version: str
    """As `major.minor`."""


def find_interpreter(recipe: Recipe, python: str = "") -> Interpreter:
    """Find a Python for a runtime: this one, else on PATH, else where pyenv and uv keep theirs.

    Each is run before it is believed: a name on PATH may be a shim that leads nowhere, or lack `venv`.

    Args:
        recipe: Whose versions of Python to look for.
        python: The interpreter to take, whatever else there is.

    Raises:
        RuntimeMissingError: None was found; the message says which did not run, and how to get one.
    """
    refused: list[str] = []
    for path in [Path(python)] if python else _candidates(recipe):
        version = _version(path)
        if version in recipe.versions:
            return Interpreter(path.absolute(), version)
        refused.append(f"{path} ({'does not run, or lacks venv' if not version else f'Python {version}'})")
    best = recipe.versions[0]
    raise RuntimeMissingError(
        got=f"no Python for the runtime {recipe.name}; looked at: {', '.join(refused) or 'nothing on PATH'}",
        needed=f"Python {' or '.join(recipe.versions)} with its venv module",
        fix=f"install one (Debian, Ubuntu: apt install python{best} python{best}-venv; pyenv install {best}; "
        f"uv python install {best}), or name one: "
        f"workbench runtime build {recipe.name} --python /path/to/python{best}",
    )


def _candidates(recipe: Recipe) -> Iterator[Path]:
    seen: set[Path] = set()
    for version in recipe.versions:
        if version == "{}.{}".format(*sys.version_info):
            yield Path(sys.executable)
        places = [Path(folder) for folder in os.get_exec_path() if folder]
        for kept in (".pyenv/versions", ".local/share/uv/python"):
            places += sorted((Path.home() / kept).glob(f"*{version}.*/bin"), reverse=True)
        for place in places:
            path = place / f"python{version}"
            if path.is_file() and os.access(path, os.X_OK) and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _version(path: Path) -> str:
    """Return `major.minor` of a Python that runs and can make environments, else nothing."""
    try:
        done = subprocess.run(
            [str(path), "-I", "-c", _CHECK],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_CHECK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
