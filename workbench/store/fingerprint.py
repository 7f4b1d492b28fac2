"""Fingerprints of values: equal for equal inputs, on any day and in any process.

Plain values, dataclasses, numpy arrays, pandas objects, functions and paths have one. A path stands for the
content of the file it names; for a folder, for the names, sizes and times of its files. An object of another
class has one if it says so itself, by a method ``cache_key()`` that returns such a value.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import enum
import functools
import hashlib
import inspect
import json
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError
from workbench.store.code_version import module_version, source_digest

__all__ = ["Unkeyed", "fingerprint", "function_version", "path_fingerprint", "unkeyed"]


@dataclasses.dataclass(frozen=True)
class Unkeyed:
    """A value that a step is given but that does not change its result."""

    value: Any

    def cache_key(self) -> str:
        """Return the same key for every value."""
        return "unkeyed"


def unkeyed(value: Any) -> Any:
    """Mark an argument of a step as one that cannot change its result, such as the number of workers."""
    return Unkeyed(value)


def fingerprint(value: Any) -> str:
    """Return the fingerprint of a value, as 64 hex digits.

    Raises:
        SettingsError: The value, or something inside it, is of a class that has no fingerprint.
    """
    digest = hashlib.sha256()
    for piece in _pieces(value, _Walk()):
        digest.update(len(piece).to_bytes(8, "big"))  # so that ("ab", "c") differs from ("a", "bc")
        digest.update(piece)
    return digest.hexdigest()


def function_version(function: Callable[..., Any]) -> str:
    """Return the fingerprint of a function's code, wherever it was defined."""
    return fingerprint(function)


def path_fingerprint(path: Path) -> str:
    """Return the fingerprint of what a path names: a file's content, or a folder's listing, bytecode aside."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    if path.is_dir():
        found = sorted(
            file for file in path.rglob("*") if file.is_file() and file.parent.name != "__pycache__"
        )
        rows = [(str(f.relative_to(path)), f.stat().st_size, f.stat().st_mtime_ns) for f in found]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    return f"nothing at {path}"


@dataclasses.dataclass(frozen=True)
class _Walk:
    """Where a fingerprint is being taken: the objects around a value, and the code versions seen so far."""

    above: tuple[int, ...] = ()
    versions: dict[str, str] = dataclasses.field(default_factory=dict)

    def version(self, module: str) -> bytes:
        if module not in self.versions:
            self.versions[module] = module_version(module)
        return self.versions[module].encode()


def _pieces(value: Any, walk: _Walk) -> Iterable[bytes]:
    """Yield the bytes that make up a value: the name of its kind, then its content."""
    scalar = value is None or isinstance(value, bool | int | float | complex | str | bytes | bytearray)
    if scalar and not isinstance(value, enum.Enum):
        content = bytes(value) if isinstance(value, bytes | bytearray) else repr(value).encode()
        return (type(value).__name__.encode(), content)
    if id(value) in walk.above:
        raise _unknown(value, "it contains itself")
    return _compound(value, _Walk((*walk.above, id(value)), walk.versions))


def _compound(value: Any, walk: _Walk) -> Iterable[bytes]:
    """Yield the pieces of everything that is not a plain scalar."""
    name = f"{type(value).__module__}.{type(value).__qualname__}".encode()
    yield name
    yield from _behaviour_pieces(type(value), walk)
    if callable(key := getattr(value, "cache_key", None)) and not isinstance(value, type):
        yield from _pieces(key(), walk)
    elif isinstance(value, Path):
        yield path_fingerprint(value).encode()
    elif isinstance(value, Mapping):
        yield from _unordered((_joined((k, v), walk) for k, v in value.items()), len(value))
    elif isinstance(value, set | frozenset):
        yield from _unordered((_joined((item,), walk) for item in value), len(value))
    elif isinstance(value, list | tuple):
        yield str(len(value)).encode()
        for item in value:
            yield from _pieces(item, walk)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield field.name.encode()
            yield from _pieces(getattr(value, field.name), walk)
    elif isinstance(value, enum.Enum | range | slice | datetime.date | datetime.time | datetime.timedelta):
        yield repr(value).encode()
    elif _is_callable_code(value):
        yield from _code_pieces(value, walk)
    else:
        yield from _array_pieces(value, walk)


def _joined(items: tuple[Any, ...], walk: _Walk) -> bytes:
    digest = hashlib.sha256()
    for item in items:
        for piece in _pieces(item, walk):
            digest.update(len(piece).to_bytes(8, "big"))
            digest.update(piece)
    return digest.digest()


def _unordered(digests: Iterable[bytes], size: int) -> Iterable[bytes]:
    yield str(size).encode()
    yield from sorted(digests)


def _is_callable_code(value: Any) -> bool:
    kinds = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType, type)
    return isinstance(value, (*kinds, functools.partial))


def _code_pieces(value: Any, walk: _Walk) -> Iterable[bytes]:
    """Yield the pieces of a function, method, class, module or partial: its code and what that code reads."""
    if isinstance(value, functools.partial):
        yield from _pieces((value.func, value.args, value.keywords), walk)
    elif isinstance(value, types.MethodType):
        yield from _pieces((value.__func__, value.__self__), walk)
    elif isinstance(value, types.ModuleType):
        yield walk.version(value.__name__)
    elif isinstance(value, type) and value.__module__ == "__main__":
        yield f"{value.__module__}.{value.__qualname__}".encode()
        yield from _class_pieces(value, walk)
    else:
        function = inspect.unwrap(value)
        module = sys.modules.get(function.__module__)
        yield f"{function.__module__}.{function.__qualname__}".encode()
        if module is not None and module.__name__ != "__main__":
            yield walk.version(module.__name__)
        else:
            yield source_digest(_source(function)).encode()
        if isinstance(function, types.FunctionType):
            yield from _surroundings(function, walk)


def _behaviour_pieces(kind: type, walk: _Walk) -> Iterable[bytes]:
    """Yield what objects of a class do, which is part of what they are, where the class is ours or a notebook's."""
    if kind.__module__.startswith("workbench."):
        yield walk.version(kind.__module__)
    elif kind.__module__ == "__main__":
        yield from _class_pieces(kind, walk)


def _class_pieces(defined: type, walk: _Walk) -> Iterable[bytes]:
    """Yield what a notebook's class does: its methods' code. The source of the class itself cannot be found there."""
    for base in defined.__mro__:
        if base.__module__ != "__main__":
            continue
        yield base.__qualname__.encode()
        for name, member in sorted(vars(base).items()):
            method = member
            if isinstance(member, property):
                method = member.fget
            elif isinstance(member, classmethod | staticmethod):
                method = member.__func__
            if isinstance(method, types.FunctionType):
                yield name.encode()
                if name.startswith("__") and not _has_source(method):
                    continue  # written by dataclasses, from the fields
                if id(method) not in walk.above:
                    yield from _pieces(method, walk)
            elif isinstance(member, bool | int | float | str | tuple) and not name.startswith("__"):
                yield from _pieces((name, member), walk)


def _has_source(function: Any) -> bool:
    with contextlib.suppress(OSError, TypeError):
        return bool(inspect.getsource(inspect.unwrap(function)))
    return False


def _source(function: Any) -> str:
    try:
        return inspect.cleandoc("\n" + inspect.getsource(function))
    except (OSError, TypeError):
        raise _unknown(function, "its source cannot be read") from None


def _surroundings(function: types.FunctionType, walk: _Walk) -> Iterable[bytes]:
    """Yield what a function reads besides its arguments: defaults, closure and, in a notebook, globals.

    A module's globals are covered by the module's own version; those of a notebook change from cell to cell.
    """
    yield from _pieces((function.__defaults__, function.__kwdefaults__), walk)
    closure = inspect.getclosurevars(function)
    for name, value in sorted(closure.nonlocals.items()):
        yield name.encode()
        if id(value) not in walk.above:
            yield from _pieces(value, walk)
    if function.__module__ == "__main__":
        for name, value in sorted(closure.globals.items()):
            yield name.encode()
            if id(value) not in walk.above:  # a function may name itself
                yield from _pieces(value, walk)


def _array_pieces(value: Any, walk: _Walk) -> Iterable[bytes]:
    """Yield the pieces of numpy, pandas and torch values, and refuse the rest."""
    root = type(value).__module__.partition(".")[0]
    if root == "numpy" and hasattr(value, "dtype") and hasattr(value, "tobytes"):
        yield f"{value.dtype} {value.shape}".encode()
        if value.dtype.hasobject:
            yield from _pieces(value.tolist(), walk)
        else:
            yield value.tobytes()
    elif root == "pandas" and hasattr(value, "to_frame"):  # Series, Index
        yield repr(value.name).encode()
        yield from _array_pieces(value.to_frame(), walk)
    elif root == "pandas" and hasattr(value, "columns"):
        yield from _pieces([value.columns.tolist(), [str(dtype) for dtype in value.dtypes]], walk)
        yield from _pieces(
            [value.index.tolist(), *(value.iloc[:, i].tolist() for i in range(value.shape[1]))], walk
        )
    elif root == "pandas" and hasattr(value, "isoformat"):
        yield value.isoformat().encode()
    elif root == "torch" and hasattr(value, "detach"):
        yield str(value.dtype).encode()
        tensor = value.detach().cpu()
        # numpy has no bfloat16; every bfloat16 is a float32 too
        yield from _array_pieces((tensor.float() if "bfloat16" in str(value.dtype) else tensor).numpy(), walk)
    elif (root == "torch" and type(value).__name__ in ("dtype", "device")) or type(
        value
    ).__name__ == "NAType":
        yield str(value).encode()
    else:
        raise _unknown(value, "its class has no fingerprint")


def _unknown(value: Any, why: str) -> SettingsError:
    return SettingsError(
        got=f"an object of class {type(value).__qualname__} as input of a step ({why})",
        needed="inputs that can be compared between runs: plain values, dataclasses, arrays, frames, paths",
        fix="pass the values it was made from, give its class a method cache_key(), "
        "or wrap it in workbench.store.fingerprint.unkeyed(...) if it cannot change the result",
    )
