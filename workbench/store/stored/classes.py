"""Which classes a stored value may be of: data classes of the workbench, and those that a step's own module names.

A file says a module and a name. That only selects among data classes, named tuples and enumerations; nothing else of
a module can be reached, and no module is imported before its source has been seen to define such a class.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import workbench

__all__ = ["Known", "class_tag", "classes_around", "fields_of", "find_class", "name_of"]

Name = tuple[str, str]
"""Module and qualified name."""
Known = Mapping[Name, type]
_ROOT = Path(workbench.__file__).parent


def classes_around(function: Callable[..., Any]) -> Known:
    """Return the classes of data that a function's module names: a user's own, defined there or imported."""
    module = sys.modules.get(getattr(inspect.unwrap(function), "__module__", None) or "")
    named = list(vars(module).values()) if module is not None else []
    return {name_of(one): one for one in named if isinstance(one, type) and _is_data(one)}


def class_tag(value: Any) -> str | None:
    """Return the tag of an instance of a class of data; None for anything else."""
    kind = type(value)
    if isinstance(value, enum.Enum):
        return "enum"
    if not _is_data(kind):
        return None
    return "named" if issubclass(kind, tuple) else "object"


def name_of(kind: type) -> Name:
    """Return what a file calls a class; a worker process knows the main module by another name."""
    return "__main__" if kind.__module__ == "__mp_main__" else kind.__module__, kind.__qualname__


def find_class(name: Name, known: Known) -> type:
    """Return the class that a file names.

    Raises:
        LookupError: It is no class of data of the workbench, nor one of those known besides.
    """
    if name in known:
        return known[name]
    module, qualname = name
    if _defines(module, qualname):
        found = getattr(sys.modules.get(module) or import_module(module), qualname, None)
        if isinstance(found, type) and name_of(found) == name and _is_data(found):
            return found
    raise LookupError(f"{module}.{qualname} is no class of data that is known here")


def fields_of(kind: type) -> list[str]:
    """Return the names of a data class's fields.

    Raises:
        TypeError: Its constructor does not take all of them.
    """
    found = dataclasses.fields(kind)
    if apart := [field.name for field in found if not field.init]:
        raise TypeError(f"its constructor does not take {', '.join(apart)}")
    return [field.name for field in found]


def _is_data(kind: type) -> bool:
    if issubclass(kind, enum.Enum):
        return True
    if issubclass(kind, tuple):
        return hasattr(kind, "_fields") and kind.__bases__ == (tuple,)
    return "__dataclass_fields__" in vars(kind)


@functools.cache
def _defines(module: str, name: str) -> bool:
    """Tell whether a module's source, which is not run for that, defines a class of data at its top."""
    first, *others = module.split(".")
    if first != workbench.__name__ or not all(part.isidentifier() for part in others):
        return False
    place = _ROOT.joinpath(*others)
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    if not others or not file.is_file():
        return False
    defined = {one.name: one for one in ast.parse(file.read_bytes()).body if isinstance(one, ast.ClassDef)}
    if name not in defined:
        return False
    marks = [*defined[name].decorator_list, *defined[name].bases]
    words = {part.id for mark in marks for part in ast.walk(mark) if isinstance(part, ast.Name)}
    words |= {part.attr for mark in marks for part in ast.walk(mark) if isinstance(part, ast.Attribute)}
    return bool(words & {"dataclass", "NamedTuple", "Enum", "IntEnum", "StrEnum"})
