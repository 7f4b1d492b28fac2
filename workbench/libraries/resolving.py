"""What a dotted name of a program or a text means in a package, and what it is called in the renamed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from workbench.libraries.names import NameMap
from workbench.libraries.survey import Member, Survey

__all__ = ["FAMILIAR", "Resolver"]

FAMILIAR: Mapping[str, str] = MappingProxyType(
    {
        "np": "numpy",
        "sp": "scipy",
        "pd": "pandas",
        "tf": "tensorflow",
        "plt": "matplotlib.pyplot",
        "nx": "networkx",
    }
)
"""Short names that texts use without saying what they stand for."""


@dataclass(frozen=True)
class Resolver:
    """Finds old names in a package, and their new ones."""

    survey: Survey
    """The old package."""
    names: NameMap
    """The new names."""

    @cached_property
    def aliases(self) -> dict[str, str]:
        """What names stand for where nothing is imported: the package, and its familiar short name."""
        package = self.survey.package
        short = {short: path for short, path in FAMILIAR.items() if self.is_module(path)}
        return {package: package, **short}

    @cached_property
    def _by_last_part(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.survey.modules:
            found.setdefault(path.rpartition(".")[2], []).append(path)
        return found

    def is_module(self, path: str) -> bool:
        """Whether a path is a public module."""
        return path in self.survey.modules

    def member(self, path: str) -> Member | None:
        """Return the member that a path names, or None."""
        module, _, name = path.rpartition(".")
        return self.survey.modules[module].members.get(name) if module in self.survey.modules else None

    def child(self, path: str, name: str) -> str | None:
        """Return the path of an attribute of a module; None where the module has none of that name."""
        full = f"{path}.{name}"
        return full if self.member(full) or self.is_module(full) else None

    def new(self, path: str) -> str:
        """Return the new name of a path."""
        return self.names.path(path)

    def follow(self, path: str, attributes: Sequence[str]) -> int:
        """Count how many attributes, one of the other, lead from a module to a module or to a member."""
        for number, name in enumerate(attributes):
            found = self.child(path, name) if self.is_module(path) else None
            if found is None:
                return number
            path = found
        return len(attributes)

    def module_called(self, name: str, attribute: str) -> str | None:
        """Return the module whose last name is `name` and that has an attribute, the shortest of several."""
        found = [path for path in self._by_last_part.get(name, ()) if self.child(path, attribute)]
        return min(found, key=len, default=None)
