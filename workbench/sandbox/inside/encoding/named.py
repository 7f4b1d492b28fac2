"""What a result refers to by name: classes, functions, members of enumerations, namespaces; and weak references."""

from __future__ import annotations

import enum
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

from . import checked, plain, registry
from .checked import ForbiddenResult

__all__ = ["DECODERS", "encode", "kin", "label"]

_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)
_WEAK = (weakref.ref, weakref.KeyedRef)
_NAMESPACES = ("numpy", "scipy._lib.array_api_compat.numpy", "sklearn.externals.array_api_compat.numpy")


# --- writing ---------------------------------------------------------------------------------------------


def encode(value: Any, out: Any) -> list | None:
    """Return the node of what has a name in a library, None for anything else.

    Raises:
        ForbiddenResult: where it has one that no result may hold.
    """
    for attempt in (_a_class, _a_function, _a_namespace, _a_member, _a_reference):
        node = attempt(value, out)
        if node is not None:
            return node
    return None


def _a_class(value: Any, out: Any) -> list | None:
    if not issubclass(type(value), type):
        return None
    builtin = plain.encode_builtin(value)
    if builtin is not None:
        return builtin
    registry.find_class(value.__module__, value.__qualname__)
    return ["class", [value.__module__, value.__qualname__], []]


def _a_function(value: Any, out: Any) -> list | None:
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(value) is numpy.ufunc:
        return ["ufunc", value.__name__, []]
    if not isinstance(value, _FUNCTIONS) and not hasattr(value, "_implementation"):
        return None
    module, name = value.__module__, value.__qualname__
    if type(module) is not str:
        raise ForbiddenResult(f"a result that holds the function {name}, which may not leave the program")
    registry.find_function(module, name)
    return ["function", [module, name], []]


def _a_namespace(value: Any, out: Any) -> list | None:
    """Return the node of the namespace that an object takes its array functions from."""
    named = type(value) is types.ModuleType and value.__name__ in _NAMESPACES
    return ["namespace", value.__name__, []] if named else None


def _a_reference(value: Any, out: Any) -> list | None:
    return ["weak", None, [out.child(value())]] if type(value) in _WEAK else None


def _a_member(value: Any, out: Any) -> list | None:
    kind = type(value)
    if not issubclass(kind, enum.Enum):
        return None
    registry.find_class(kind.__module__, kind.__qualname__)
    return ["member", [kind.__module__, kind.__qualname__, value.name], []]


# --- what both ends hold to ------------------------------------------------------------------------------


def label(kind: type) -> str:
    """Return the dotted name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def kin(kind: type) -> str:
    """Return the dotted name of the class from which a class and its kin descend."""
    return label(kind.__mro__[max(len(kind.__mro__) - 2, 0)])


# --- reading ---------------------------------------------------------------------------------------------


def _decode_class(reader: Any, meta: Any, parts: list, shell: Any) -> type:
    module, name = checked.a_list(meta, 2)
    kind = reader.find_class(module, name)
    if type(kind).__eq__ is not type.__eq__ or not registry.is_public(kind):
        raise ForbiddenResult(f"a result that holds the class {module}.{name}")
    numpy = sys.modules.get("numpy")
    if numpy is None or not issubclass(kind, numpy.generic):
        reader.belongs = f"data {kin(kind)}"
    return kind


def _decode_function(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    module, name = checked.a_list(meta, 2)
    found = reader.find_function(module, name)
    library = registry.library_of(module)
    owner = name.rpartition(".")[0]
    reader.belongs = f"{module}.{owner}" if owner else library if library != "numpy" else ""
    return found


def _decode_ufunc(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    found = vars(numpy).get(checked.text(meta))
    if type(found) is not numpy.ufunc:
        found = vars(sys.modules.get("scipy.special", types.ModuleType(""))).get(meta)
    if type(found) is not numpy.ufunc:
        raise ForbiddenResult(f"no universal function {meta!r:.40}")
    return found


def _decode_member(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    module, name, member = checked.a_list(meta, 3)
    kind = reader.find_class(module, name)
    if not issubclass(kind, enum.Enum) or checked.text(member) not in kind.__members__:
        raise ForbiddenResult(f"no member {member!r:.40} of {name}")
    return kind.__members__[member]


def _decode_namespace(reader: Any, meta: Any, parts: list, shell: Any) -> types.ModuleType:
    name = checked.one_of(meta, _NAMESPACES)
    if name not in sys.modules:
        raise ForbiddenResult(f"no namespace {name}")
    reader.belongs = "scipy" if name == "numpy" else registry.library_of(name)
    return sys.modules[name]


def _decode_weak(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    reader.kept.append(parts[0])  # until the whole value holds it
    return weakref.ref(parts[0])


DECODERS: dict[str, Callable] = {
    "class": _decode_class,
    "function": _decode_function,
    "ufunc": _decode_ufunc,
    "member": _decode_member,
    "namespace": _decode_namespace,
    "weak": _decode_weak,
}
