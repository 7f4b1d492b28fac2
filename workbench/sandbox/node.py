"""What runs on a node of a cluster: a sandbox of its own, with the same in it as on the driver's machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from workbench.core.errors import FileError, RuntimeMissingError, SettingsError, WorkbenchError
from workbench.sandbox.pool import Sandbox
from workbench.sandbox.program import Program
from workbench.sandbox.runtime_recipe import Recipe, recipe_called
from workbench.sandbox.runtimes import Runtime
from workbench.sandbox.verdict import Verdict
from workbench.store.code_version import module_version

__all__ = ["Grader", "data_folders", "holdings"]

_SHOWN = 5


class Grader:
    """A node's sandbox, opened with the first batch: then its runtime is built where it is not there yet.

    Args:
        how: Arguments of `Sandbox`.
        folder: The driver's working folder, where this node has it too.
        variables: `data_folders` of the driver.
        expected: `holdings` of the driver.
    """

    def __init__(
        self, how: dict[str, Any], folder: str, variables: Mapping[str, str], expected: Mapping[str, str]
    ) -> None:
        self._how, self._expected, self._lock = how, expected, threading.Lock()
        self._box: Sandbox | None = None
        os.environ.update(variables)
        if Path(folder).is_dir():
            os.chdir(folder)

    def judge(self, programs: list[str | Program]) -> tuple[list[Verdict] | None, WorkbenchError | None]:
        """Return the verdicts, or what keeps this node from giving any."""
        try:
            return list(self._open().map(programs)), None
        except WorkbenchError as fault:
            return None, fault
        except OSError as fault:
            return None, FileError.of(fault)

    def warm(self, group: str, imports: list[str]) -> None:
        """Start the zygote of a group; nothing where there is no sandbox yet, or none can be had."""
        if self._box is not None:
            self._box.warm(group, imports)

    def close(self) -> None:
        """End all programs."""
        if self._box is not None:
            self._box.close()

    def _open(self) -> Sandbox:
        with self._lock:
            if self._box is None:
                box = Sandbox(**self._how)
                try:
                    _require_same(self._expected, holdings(box.runtime))
                except RuntimeMissingError:
                    box.close()
                    raise
                self._box = box
            return self._box


def data_folders(runtime: Runtime) -> dict[str, str]:
    """Return the variables by which the user of this process has named folders with a runtime's data."""
    recipe = _recipe(runtime)
    return (
        {one.variable: str(one.folder) for one in recipe.data if one.variable in os.environ} if recipe else {}
    )


def holdings(runtime: Runtime) -> dict[str, str]:
    """Return what verdicts depend on: our code, versions by package, folders that the user adds, sizes of data files.

    Of `main` the packages that the workbench requires count: machines may have other tools beside them. A version's
    local part (`+cpu`) is left out: they may have other accelerators.
    """
    found = {"the workbench's code": module_version("workbench.sandbox.pool")[:12]}
    required = _required() if runtime.name == "main" else None
    for place in runtime.readable:
        for folder in Path(place).glob("lib/python*/site-packages/*.dist-info"):
            name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
            if required is None or canonicalize_name(name) in required:
                found[canonicalize_name(name)] = version.partition("+")[0]
    for added in (*map(Path, runtime.packages), *(place for _, place in runtime.modules)):
        if added.exists():
            found[str(added)] = "present"
    recipe = _recipe(runtime)
    for file in recipe.data if recipe else ():
        if file.present:
            found[file.file] = f"{(file.folder / file.file).stat().st_size} bytes"
    return found


def _required() -> set[str]:
    """Return the names of the packages that the workbench requires, but for those of its extras."""
    asked = map(Requirement, metadata.requires("alignment-workbench") or ())
    return {
        canonicalize_name(one.name) for one in asked if not one.marker or one.marker.evaluate({"extra": ""})
    }


def _recipe(runtime: Runtime) -> Recipe | None:
    with suppress(SettingsError):  # `main`, and those of one's own
        return recipe_called(runtime.name)
    return None


def _require_same(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Refuse a node that lacks what the driver's machine has, or has another version of it.

    Raises:
        RuntimeMissingError: It does.
    """
    other = [
        f"{name} {found.get(name, 'missing')} (there: {version})"
        for name, version in sorted(expected.items())
        if found.get(name) != version
    ]
    if other:
        more = f", and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        raise RuntimeMissingError(
            got=f"not what the driver's machine has: {', '.join(other[:_SHOWN])}{more}",
            needed="the same packages, data files and workbench on every node: verdicts depend on them",
            fix="install or copy the same there; the same command then continues",
        )
