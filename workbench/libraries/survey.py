"""What an installed package offers: its public modules, functions and classes, as seen in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError, SettingsError
from workbench.sandbox import Program, Sandbox
from workbench.sandbox.installed import with_installed
from workbench.sandbox.runtimes import Runtime

__all__ = ["Member", "Module", "Parameter", "Survey", "survey"]

_PROGRAM = Path(__file__).parent / "survey_program.py"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function, as `inspect.signature` says it."""

    name: str
    """Its name."""
    kind: str
    """Name of `inspect.Parameter.kind`, such as `POSITIONAL_OR_KEYWORD`."""
    default: str | None = None
    """Its default as text; None where it has none."""


@dataclass(frozen=True)
class Member:
    """A public function, class or value of a module."""

    kind: str
    """`function`, `class` or `value`."""
    doc: str = ""
    """Its docstring."""
    identity: int = 0
    """Equal for names of one object."""
    parameters: tuple[Parameter, ...] | None = None
    """Its signature, where it has one that can be read."""
    plain: bool = False
    """Whether it is a Python function, which another calling convention can be put on."""


@dataclass(frozen=True)
class Module:
    """A public module."""

    doc: str
    """Its docstring."""
    members: Mapping[str, Member]
    """Its public names, submodules excepted."""


@dataclass(frozen=True)
class Survey:
    """A package as it is installed in a runtime."""

    package: str
    """Its name."""
    version: str
    """Its version; empty where it tells none."""
    modules: Mapping[str, Module]
    """Public modules by their full names; the package itself is the first."""

    def row(self) -> dict[str, Any]:
        """Return it as plain data; `read` is the way back."""
        return {
            "package": self.package,
            "version": self.version,
            "modules": {
                path: {
                    "doc": module.doc,
                    "members": {name: _member_row(member) for name, member in module.members.items()},
                }
                for path, module in self.modules.items()
            },
        }

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Survey:
        """Make one of plain data."""
        modules = {
            path: Module(module["doc"], {name: _member(member) for name, member in module["members"].items()})
            for path, module in row["modules"].items()
        }
        return cls(row["package"], row["version"], modules)


def _member_row(member: Member) -> dict[str, Any]:
    return vars(member) | {
        "parameters": None
        if member.parameters is None
        else [vars(parameter) for parameter in member.parameters]
    }


def _member(row: Mapping[str, Any]) -> Member:
    listed = row["parameters"]
    parameters = None if listed is None else tuple(Parameter(**one) for one in listed)
    return Member(row["kind"], row["doc"], row["identity"], parameters, row["plain"])


def survey(package: str, runtime: str | Runtime = "main") -> Survey:
    """Import a package in the sandbox and list what it offers.

    Args:
        package: The name that it is imported by; no submodule.
        runtime: Where it is installed.

    Raises:
        SettingsError: The name is none that could be imported.
        DataError: It cannot be imported there, or has nothing public.
    """
    if not package.isidentifier():
        raise SettingsError(
            got=f"package {package!r}",
            needed="the name of a top-level package, such as scipy",
            fix="give the name that `import` takes",
        )
    program = Program(_PROGRAM.read_text(encoding="utf-8"), stdin=package)
    with Sandbox(
        with_installed(runtime, [package]),
        workers=1,
        timeout_s=300,
        memory_bytes=8 * 2**30,
        output_bytes=2**28,
        processes=256,
    ) as box:
        verdict = box.run(program)
        if not verdict.passed:
            raise DataError(
                got=f"{package} cannot be surveyed in runtime {box.runtime.name}: {verdict.message}",
                needed="an installed package that can be imported",
                fix=f"see that `import {package}` works there",
            )
    found = Survey.read(json.loads(verdict.stdout))
    if not any(module.members for module in found.modules.values()):
        raise DataError(
            f"{package} has no public names", "functions or classes to rename", "take another package"
        )
    return found
