"""Writes a renamed package: real modules on disk, each handing out what lies underneath by its new name."""

from __future__ import annotations

import pprint
from collections.abc import Mapping
from pathlib import Path

from workbench.libraries.names import NameMap
from workbench.libraries.survey import Member, Survey

__all__ = ["Convention", "convention", "write_package"]

_REEXPORT = Path(__file__).with_name("reexport.py")

_MODULE = '''"""{path}: {count} names. See the documentation that came with this package."""

from {package}._reexport import {imported}

_NAMES = {names}
_SUBMODULES = {submodules}
_CONVENTIONS = {conventions}
__all__ = [*_NAMES, *_SUBMODULES]
__getattr__, __dir__ = lazily(__name__, {original!r}, _NAMES, _SUBMODULES, _CONVENTIONS)
'''

_HIDE = '''

def _hide_original(namespace: dict) -> None:
    """Keep the program of this namespace from importing the package underneath."""
    hide({original!r}, namespace)
'''

Convention = tuple[int, Mapping[str, str]]
"""How many arguments come by position, and the new names of all parameters with the old ones."""


def convention(member: Member, names: NameMap) -> Convention | None:
    """Return how a function is called in the new package; None where it is called as it always was.

    What has a default is given by keyword only, under a new name. Functions whose signature cannot be read, or
    that take any number of arguments, stay as they are, and so do classes.
    """
    if not names.keywords or not member.plain or not member.parameters:
        return None
    if any(
        parameter.kind.startswith("VAR_") or parameter.kind == "POSITIONAL_ONLY"
        for parameter in member.parameters
    ):
        return None
    by_position = [
        parameter
        for parameter in member.parameters
        if parameter.default is None and parameter.kind == "POSITIONAL_OR_KEYWORD"
    ]
    return len(by_position), {
        names.keywords[parameter.name]: parameter.name for parameter in member.parameters
    }


def write_package(survey: Survey, names: NameMap, folder: Path) -> None:
    """Write the package into a folder, which is then one for `sys.path`.

    Args:
        survey: What the package underneath offers.
        names: The new names.
        folder: Where to; the package is a folder in it.
    """
    for path, module in survey.modules.items():
        target = folder.joinpath(*names.path(path).split("."))
        target.mkdir(parents=True, exist_ok=True)
        depth = path.count(".") + 1
        below = [
            module
            for module in survey.modules
            if module.startswith(path + ".") and module.count(".") == depth
        ]
        conventions = {
            names.words[name]: found
            for name, member in module.members.items()
            if (found := convention(member, names)) is not None
        }
        is_root = path == survey.package
        text = _MODULE.format(
            path=names.path(path),
            count=len(module.members),
            package=names.fresh,
            imported="hide, lazily" if is_root else "lazily",
            names=pprint.pformat({names.words[name]: name for name in sorted(module.members)}),
            submodules=pprint.pformat([names.words[one.rpartition(".")[2]] for one in sorted(below)]),
            conventions=pprint.pformat(conventions),
            original=path,
        )
        text += _HIDE.format(original=survey.package) if is_root else ""
        (target / "__init__.py").write_text(text, encoding="utf-8")
    (folder / names.fresh / "_reexport.py").write_text(
        _REEXPORT.read_text(encoding="utf-8"), encoding="utf-8"
    )
