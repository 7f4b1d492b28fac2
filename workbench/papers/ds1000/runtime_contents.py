"""What a runtime has to run answers with: its Python, its libraries, and which of them are missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.core.errors import RuntimeMissingError, SettingsError
from workbench.datasets.ds1000 import MODULES
from workbench.sandbox import AnySandbox

__all__ = ["RuntimeContents", "look_into"]

_PROGRAM = """
import json, os, pathlib, platform
from importlib import metadata, util
names = ["matplotlib", "numpy", "pandas", "scikit-learn", "scipy", "seaborn", "statsmodels", "tensorflow",
         "tensorflow-cpu", "torch", "xgboost", "pyarrow"]
versions = {"python": platform.python_version()}
for name in names:
    try:
        versions[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
files = []
for name in ("SEABORN_DATA", "SCIKIT_LEARN_DATA"):
    for file in sorted(pathlib.Path(os.environ[name]).rglob("*")) if name in os.environ else []:
        if file.is_file():
            files.append([file.name, file.stat().st_size])
missing = [module for module in MODULES if util.find_spec(module) is None]
print(json.dumps({"versions": versions, "missing": missing, "data": files}))
"""


@dataclass(frozen=True)
class RuntimeContents:
    """A runtime as seen from inside the sandbox."""

    name: str
    """Name of the runtime."""
    versions: Mapping[str, str]
    """Versions by package; `python` is among them."""
    missing: frozenset[str]
    """Those of DS-1000's libraries that it lacks, by DS-1000's names."""
    data: tuple[tuple[str, int], ...] = ()
    """Name and size of the data files that its libraries load instead of downloading them."""


def look_into(sandbox: AnySandbox) -> RuntimeContents:
    """Run a small program that says what a sandbox's runtime holds.

    Raises:
        RuntimeMissingError: The program does not run.
        SettingsError: The sandbox's limits leave it no room.
    """
    verdict = sandbox.run(f"MODULES = {list(MODULES.values())!r}\n{_PROGRAM}")
    if verdict.status in ("memory", "timeout") or "MemoryError" in verdict.message:
        limits = sandbox.limits
        raise SettingsError(
            got=f"{limits.memory_bytes / 2**30:g} GiB and {limits.timeout_s:g} s a program ({verdict.message})",
            needed="enough for a program that only lists the runtime's packages",
            fix="allow more memory or time",
        )
    if not verdict.passed:
        raise RuntimeMissingError(
            got=f"runtime {sandbox.runtime.name} cannot list its packages: {verdict.message}",
            needed="a runtime whose interpreter works",
            fix=f"build it again: `workbench runtime build {sandbox.runtime.name}`",
        )
    found = json.loads(verdict.stdout)
    missing = frozenset(library for library, module in MODULES.items() if module in found["missing"])
    data = tuple((name, size) for name, size in found["data"])
    return RuntimeContents(sandbox.runtime.name, found["versions"], missing, data)
