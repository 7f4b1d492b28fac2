"""Runtimes: the environments that programs run in, and the state each is in."""

from __future__ import annotations

import json
import re
import shutil
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from workbench.core.errors import RuntimeMissingError, SettingsError
from workbench.sandbox.runtime_folder import COMPLETE, built_folder, interpreter, is_complete, lock_file
from workbench.sandbox.runtime_recipe import RECIPES, Recipe, cache_folder, recipe_called
from workbench.store import atomic

__all__ = ["Runtime", "RuntimeState", "find_runtime", "remove_runtime", "runtime_states"]


# All that a program sees of an environment: nothing of the user's is inherited.
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Arrow's own pool reserves more address space at a time than a program's limit may leave, and then aborts.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # A fork copies the page table of its zygote, hundreds of MB of libraries: huge pages for what libraries take
    # from malloc make TensorFlow's a tenth cheaper. With `PYTHONMALLOC=malloc` besides, Matplotlib's programs were
    # measured to be 3 to 15 % slower.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
_INSTALLED = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class Runtime:
    """An interpreter with its libraries."""

    name: str
    """What it is called in settings and results."""
    python: Path
    """The interpreter."""
    readable: tuple[str, ...]
    """Folders that programs may read: the interpreter's, the libraries', data."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """All of the environment variables, beyond those that name a program's scratch folder."""
    packages: tuple[str, ...] = ()
    """Folders of further packages: readable, and searched by `import` after the runtime's own."""
    modules: tuple[tuple[str, Path], ...] = ()
    """Names and places of single packages that are given beside those; see `workbench.sandbox.installed`."""

    def with_packages(self, *folders: str | Path) -> Runtime:
        """Return the runtime with the packages of these folders added.

        Raises:
            SettingsError: One of them is no folder.
        """
        missing = [str(folder) for folder in folders if not Path(folder).is_dir()]
        if missing:
            raise SettingsError(
                got=f"packages in {', '.join(missing)}",
                needed="folders that are there, each holding importable packages",
                fix="correct the path",
            )
        return replace(self, packages=(*self.packages, *(str(Path(folder).resolve()) for folder in folders)))


@dataclass(frozen=True)
class RuntimeState:
    """Whether a runtime can be used, as found on disk."""

    name: str
    state: Literal["ready", "not built", "incomplete", "building", "outdated"]
    """``incomplete``: a build was interrupted, or its Python is gone. ``outdated``: of other pins."""
    python: Path | None = None
    """Its interpreter, where it can be run."""
    folder: Path | None = None
    """Where it lies; none for `main`, which is not ours to remove."""
    size_bytes: int | None = None
    """Size on disk in bytes when built."""
    missing_data: tuple[str, ...] = ()
    """Files that programs of it load and that are not there."""


def find_runtime(name: str | Recipe, *, build: bool = True) -> Runtime:
    """Find a runtime; build it first, with visible progress, where it is not there yet.

    Warns of data files that its programs would look for in vain.

    Args:
        name: "main" (this environment), "ds1000", "ds1000-exact", or a recipe of one's own.
        build: Whether to build it where it is missing, which downloads gigabytes and takes minutes.

    Raises:
        SettingsError: for an unknown name.
        RuntimeMissingError: where it is not built and may not, or cannot, be.
    """
    if name == "main":
        prefixes = _prefixes(sys.prefix, sys.base_prefix)
        return Runtime(
            "main", Path(sys.executable), prefixes, dict(_ENVIRONMENT), _installed_outside(prefixes)
        )
    recipe = name if isinstance(name, Recipe) else recipe_called(name)
    folder = built_folder(recipe)
    if folder is None:
        if not build:
            raise RuntimeMissingError(
                got=f"the runtime {recipe.name} is not built in {cache_folder() / 'runtimes'}",
                needed="an environment with the pinned versions that its programs were written for",
                fix=f"workbench runtime build {recipe.name}",
            )
        from workbench.sandbox.runtime_build import build_runtime

        folder = build_runtime(recipe)
    return _runtime(recipe, folder)


def _runtime(recipe: Recipe, folder: Path) -> Runtime:
    environment, data = dict(_ENVIRONMENT), []
    for file in recipe.data:
        environment[file.variable] = str(file.folder)
        data.append(str(file.folder))
    missing = [file for file in recipe.data if not file.present]
    if missing:
        variables = " and ".join(dict.fromkeys(file.variable for file in missing))
        warnings.warn(
            f"the runtime {recipe.name} lacks {', '.join(file.file for file in missing)}; programs that "
            f"load them will fail. With a network: `workbench runtime build {recipe.name}`, with no "
            f"{variables} set. "
            f"Without: put them in a folder and set {variables} to it",
            stacklevel=3,
        )
    base = json.loads((folder / COMPLETE).read_text())["base_prefix"]
    return Runtime(
        recipe.name, interpreter(folder), (*_prefixes(folder, base), *dict.fromkeys(data)), environment
    )


def _prefixes(*prefixes: str | Path) -> tuple[str, ...]:
    """Return each folder once, and where its links lead."""
    both = [path for prefix in prefixes for path in (str(prefix), str(Path(prefix).resolve()))]
    return tuple(dict.fromkeys(both))


def _installed_outside(prefixes: Sequence[str]) -> tuple[str, ...]:
    """Return the folders of installed packages that this interpreter searches beyond its own prefixes.

    They are the user's (`pip install --user`), and those that a .pth file of the environment names.
    """
    found = [Path(folder).resolve() for folder in sys.path if Path(folder).name in _INSTALLED]
    return tuple(
        str(folder)
        for folder in dict.fromkeys(found)
        if not any(folder.is_relative_to(prefix) for prefix in prefixes)
    )


def runtime_states() -> list[RuntimeState]:
    """List `main`, every runtime that can be built, and what older pins have left behind."""
    states = [RuntimeState("main", "ready", Path(sys.executable))]
    for recipe in RECIPES:
        states.extend(states_of(recipe))
    return states


def states_of(recipe: Recipe) -> list[RuntimeState]:
    """List what there is of one runtime; a single `not built` where there is nothing."""
    missing = tuple(file.file for file in recipe.data if not file.present)
    current = [recipe.folder(version) for version in recipe.versions]
    folders = [folder for folder in current if folder.is_dir()]
    states = [_state(recipe.name, folder, missing) for folder in folders]
    if not states:
        states = [RuntimeState(recipe.name, "not built", missing_data=missing)]
    old = [folder for folder in _folders(recipe.name) if folder not in current]
    return states + [RuntimeState(recipe.name, "outdated", None, folder, _size(folder)) for folder in old]


def _state(name: str, folder: Path, missing: tuple[str, ...]) -> RuntimeState:
    if is_complete(folder):
        return RuntimeState(name, "ready", interpreter(folder), folder, _size(folder), missing)
    building = atomic.is_locked(lock_file(folder))
    return RuntimeState(name, "building" if building else "incomplete", None, folder, None, missing)


def _folders(name: str) -> list[Path]:
    parent = cache_folder() / "runtimes"
    every = sorted(parent.iterdir()) if parent.is_dir() else []
    return [folder for folder in every if re.fullmatch(re.escape(name) + "-[0-9a-f]{12}", folder.name)]


def _size(folder: Path) -> int | None:
    marker = folder / COMPLETE
    return json.loads(marker.read_text())["size_bytes"] if marker.is_file() else None


def remove_runtime(name: str) -> list[Path]:
    """Remove all that was built of a runtime, whatever its pins were; data files stay.

    Returns:
        The folders removed.

    Raises:
        SettingsError: for `main`, which is the environment that runs this, and for unknown names.
        RuntimeMissingError: while another process builds it.
    """
    if name == "main":
        raise SettingsError(
            got="main, the environment that this command runs in",
            needed=f"one of {', '.join(recipe.name for recipe in RECIPES)}",
            fix="in a source tree, `make clean` removes it",
        )
    folders = _folders(recipe_called(name).name)
    for folder in folders:
        with atomic.lock(lock_file(folder), wait=False) as held:
            if not held:
                raise RuntimeMissingError(
                    got=f"{folder} is being built by another process",
                    needed="a runtime that nobody is building",
                    fix="wait for that process, or end it, and say it again",
                )
            (folder / COMPLETE).unlink(missing_ok=True)  # first: half a runtime must not look like one
            shutil.rmtree(folder)
    return folders
