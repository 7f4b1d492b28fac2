"""What a runtime of its own is made of: pinned versions, a Python that they suit, data that programs load."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import SettingsError
from workbench.store.location import cache_folder

__all__ = ["RECIPES", "DataFile", "Recipe", "cache_folder", "recipe_called"]

_PINS = Path(__file__).parent / "pins"
_TORCH_WITHOUT_CUDA = "https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True)
class DataFile:
    """A file that a library downloads when a program asks for it: too late inside a sandbox."""

    library: str
    """The library that downloads it."""
    file: str
    """Its name in the library's data folder."""
    variable: str
    """The environment variable by which the library is told of that folder."""
    call: str
    """The Python expression that loads it, and downloads it first where it is missing."""

    @property
    def folder(self) -> Path:
        """The folder in which programs look for it: as the variable says, else one in the cache."""
        named = os.environ.get(self.variable)
        cached = cache_folder() / "data" / self.library.replace("-", "_")
        return Path(named).expanduser().absolute() if named else cached

    @property
    def present(self) -> bool:
        """Whether programs will find it."""
        return (self.folder / self.file).is_file()


@dataclass(frozen=True)
class Recipe:
    """How to build a runtime."""

    name: str
    """Its name, safe in a file name."""
    pins: Path
    """Requirements file: one exact version a line."""
    versions: tuple[str, ...]
    """The versions of Python that the pins suit, as `major.minor`, the best first."""
    data: tuple[DataFile, ...] = ()
    """What its programs load beyond the libraries."""
    disk_bytes: int = 0
    """Free disk space in bytes that a build asks for."""
    extra_index: str = ""
    """Address of an index that is asked too, on Linux, where it can be reached."""

    def requirements(self) -> list[str]:
        """Return the pins, without comments."""
        lines = (line.partition("#")[0].strip() for line in self.pins.read_text().splitlines())
        return [line for line in lines if line]

    def packages(self, version: str) -> int:
        """Return how many of the pins apply to this `major.minor` Python on this machine."""
        from packaging.requirements import Requirement

        markers = [Requirement(line).marker for line in self.requirements()]
        return sum(marker is None or marker.evaluate({"python_version": version}) for marker in markers)

    def folder(self, version: str) -> Path:
        """Return where it lies when built with this `major.minor` Python: other pins, another folder."""
        made_of = [*self.requirements(), f"python {version}", sys.platform, platform.machine()]
        key = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]
        return cache_folder() / "runtimes" / f"{self.name}-{key}"


_DS1000_DATA = (
    *(
        DataFile("seaborn", f"{name}.csv", "SEABORN_DATA", f"seaborn.load_dataset({name!r})")
        for name in ("penguins", "tips", "exercise", "planets")
    ),
    # scikit-learn looks for its own repacking of the archive, named after the major version of Python
    DataFile(
        "scikit-learn",
        "cal_housing_py3.pkz",
        "SCIKIT_LEARN_DATA",
        "sklearn.datasets.fetch_california_housing()",
    ),
)

RECIPES = (
    Recipe(
        "ds1000",
        _PINS / "ds1000.txt",
        ("3.11", "3.10"),
        _DS1000_DATA,
        disk_bytes=4 * 2**30,
        extra_index=_TORCH_WITHOUT_CUDA,
    ),
    Recipe("ds1000-exact", _PINS / "ds1000-exact.txt", ("3.10",), _DS1000_DATA, disk_bytes=8 * 2**30),
)


def recipe_called(name: str) -> Recipe:
    """Return the recipe of this name.

    Raises:
        SettingsError: There is none; the message lists the names.
    """
    for recipe in RECIPES:
        if recipe.name == name:
            return recipe
    from workbench.core.suggestion import suggestion

    known = [recipe.name for recipe in RECIPES]
    if name == "main":
        raise SettingsError(
            got="main, which is the environment that the workbench itself runs in",
            needed=f"a runtime that is built apart from it: {', '.join(known)}",
            fix="install the workbench again to renew main (in a checkout, `make clean setup`)",
        )
    raise SettingsError(
        got=f"no runtime {name!r}{suggestion(name, ['main', *known])}",
        needed=f"main (this environment), or one that can be built: {', '.join(known)}",
        fix="`workbench runtime list` shows them",
    )
