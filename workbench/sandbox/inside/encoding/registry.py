"""The classes and functions that a result may name: found by walking the libraries that this process has loaded.

No list by hand: a class counts if it stands where it says that it was defined, in an installed library; it is
public if a public module of that library shows it under a public name.
"""

from __future__ import annotations

import dis
import functools
import importlib
import inspect
import pkgutil
import sys
import types
from typing import Any

from .checked import ForbiddenResult

__all__ = ["find_class", "find_function", "is_public", "library_of"]

_NOT_RESULTS = frozenset({"test", "tests", "testing", "conftest", "_testing"})
_COMPUTING = {  # modules all of whose public functions compute, and touch neither files nor interpreters
    "numpy": ("numpy", "numpy.linalg", "numpy.fft"),
    "torch": ("torch.nn.functional", "torch.utils.data._utils.collate"),
    "sklearn": ("sklearn.metrics", "sklearn.metrics.pairwise", "sklearn.feature_selection"),
    "scipy": ("scipy.spatial.distance", "scipy.stats", "scipy.linalg", "scipy._lib.array_api_compat.numpy"),
}
_RUN = frozenset({"eval", "exec", "compile", "__import__"})
_FILES = frozenset({"file", "fname", "filename", "mmap_mode"})


def library_of(module: str, name: str = "") -> str:
    """Return the name of the library that a module belongs to; `name` is what is looked for in it.

    Raises:
        ForbiddenResult: where it is none that is installed and loaded: Python's own modules are no libraries.
    """
    root = module.partition(".")[0]
    package = sys.modules.get(root)
    places = [getattr(package, "__file__", None) or "", *getattr(package, "__path__", [])]
    installed = any("site-packages" in place or "dist-packages" in place for place in places)
    if not installed or root in sys.stdlib_module_names or root.startswith("_"):
        raise ForbiddenResult(
            f"a result that holds {f'{module}.{name}'.strip('.')[:200]}, which may not leave the program"
        )
    return root


def _module(name: str) -> types.ModuleType | None:
    """Return a loaded module, or load the public part of its library that it lies in."""
    if name in sys.modules:
        return sys.modules[name]
    root, _, rest = name.partition(".")
    part = rest.partition(".")[0]
    if part in _public_parts(root):
        try:
            importlib.import_module(f"{root}.{part}")
        except Exception:  # a part that this machine lacks something for
            return None
    return sys.modules.get(name)


@functools.cache
def _public_parts(root: str) -> frozenset[str]:
    found = pkgutil.iter_modules(getattr(sys.modules.get(root), "__path__", []))
    names = {each.name for each in found if each.ispkg}
    return frozenset(name for name in names - _NOT_RESULTS if not name.startswith("_"))


def _found(module: str, name: str) -> Any:
    """Follow a dotted name below a module, by what is written there: nothing is computed on the way."""
    library_of(module, name)
    if _NOT_RESULTS.intersection(module.split(".")):
        return None
    place: Any = _module(module)
    for part in name.split("."):
        if not isinstance(place, (types.ModuleType, type)):
            return None
        place = vars(place).get(part)
    return place


def find_class(module: str, name: str) -> type:
    """Return the class that a library defines under this name.

    Raises:
        ForbiddenResult: where there is none.
    """
    found = _found(module, name)
    if (
        not issubclass(type(found), type)
        or type.__getattribute__(found, "__module__") != module
        or found.__qualname__ != name
    ):
        raise ForbiddenResult(f"a result that holds {module}.{name}, which may not leave the program")
    if _runs_code(found):
        raise ForbiddenResult(f"a result that holds {module}.{name}, which runs code that it holds as text")
    return found


@functools.lru_cache(maxsize=10_000)
def _runs_code(kind: type) -> bool:
    """Whether a class has a method that evaluates text: patsy's environments have, and so have its formulas."""
    for owner in kind.__mro__:
        for written in list(vars(owner).values()):
            function = getattr(written, "__func__", None) or getattr(written, "fget", None) or written
            code = getattr(function, "__code__", None)
            if isinstance(code, types.CodeType) and _RUN.intersection(code.co_names) and _calls_one(code):
                return True
    return False


def _calls_one(code: types.CodeType) -> bool:
    """Whether a code looks one of those names up as a global, rather than as somebody's attribute."""
    return any(
        step.argval in _RUN and step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
        for step in dis.get_instructions(code)
    )


def find_function(module: str, name: str) -> types.FunctionType:
    """Return a function of a class, or one that computes, by where it is defined.

    Raises:
        ForbiddenResult: where there is none.
    """
    found = _found(module, name)
    if isinstance(found, staticmethod):
        found = found.__func__
    of_a_class = (
        "." in name
        and isinstance(found, types.FunctionType)
        and not name.rsplit(".", maxsplit=1)[-1].startswith("__")
    )
    if not of_a_class and id(found) not in _computing(library_of(module)):
        raise ForbiddenResult(f"a result that holds {module}.{name}, which may not leave the program")
    return found


@functools.cache
def _computing(root: str) -> frozenset[int]:
    found = set()
    for name in _COMPUTING.get(root, ()):
        for public, value in vars(sys.modules.get(name, types.ModuleType(""))).items():
            if not public.startswith("_") and callable(value) and not isinstance(value, type):
                try:
                    parameters = inspect.signature(value).parameters
                except (TypeError, ValueError):
                    continue
                if not _FILES.intersection(parameters):
                    found.add(id(value))
    return frozenset(found)


def is_public(kind: type) -> bool:
    """Whether a public module of its library shows a class, or one that it derives from, under a public name."""
    root = kind.__module__.partition(".")[0]
    shown = _public(root, len(sys.modules))  # more are shown as parts of libraries are loaded
    return any(id(owner) in shown for owner in kind.__mro__)


@functools.lru_cache(maxsize=8)
def _public(root: str, count: int) -> frozenset[int]:
    found = set()
    for name, module in list(sys.modules.items()):
        parts = name.split(".")
        if (
            parts[0] != root
            or _NOT_RESULTS.intersection(parts)
            or any(part[0] == "_" for part in parts if part)
        ):
            continue
        for public, value in list(getattr(module, "__dict__", {}).items()):
            if not public.startswith("_") and issubclass(type(value), type):
                found.add(id(value))
    return frozenset(found)
