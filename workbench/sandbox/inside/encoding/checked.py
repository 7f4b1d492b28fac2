"""Checks of what stands in a tree: each returns the value as the kind that it must be, or refuses."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

__all__ = ["ForbiddenResult", "a_list", "an_array", "one_of", "shape", "text", "truth", "whole"]

MAX_DIMENSIONS = 32
_FAR = 1 << 62
_SHOWN = frozenset((str, int, float, bool, type(None)))


class ForbiddenResult(Exception):
    """A value that may not leave the program, or bytes that no honest program would send."""


def _shown(value: Any) -> str:
    """Return how a value is told of in a refusal: never by what an object says of itself, which is code that runs."""
    return f"{value!r:.40}" if type(value) in _SHOWN else f"a {type(value).__name__}"


def whole(value: Any, low: int = -_FAR, high: int = _FAR) -> int:
    """Return an integer in [low, high]."""
    if type(value) is not int or not low <= value <= high:
        raise ForbiddenResult(f"no whole number from {low} to {high}: {_shown(value)}")
    return value


def text(value: Any) -> str:
    """Return a text."""
    if type(value) is not str:
        raise ForbiddenResult(f"no text: {_shown(value)}")
    return value


def truth(value: Any) -> bool:
    """Return True or False."""
    if type(value) is not bool:
        raise ForbiddenResult(f"neither true nor false: {_shown(value)}")
    return value


def one_of(value: Any, allowed: Collection[str]) -> str:
    """Return a text that is one of those allowed."""
    if type(value) is not str or value not in allowed:
        raise ForbiddenResult(f"none of those that may be: {_shown(value)}")
    return value


def a_list(value: Any, size: int | None = None) -> list:
    """Return a list, of `size` items where that is given."""
    if type(value) is not list or (size is not None and len(value) != size):
        raise ForbiddenResult(f"no list of the size that is due: {_shown(value)}")
    return value


def shape(value: Any) -> tuple[int, ...]:
    """Return an array's shape."""
    if len(a_list(value)) > MAX_DIMENSIONS:
        raise ForbiddenResult(f"an array of {len(value)} dimensions")
    return tuple(whole(size, 0) for size in value)


def an_array(value: Any, *, kinds: str = "", dimensions: int | None = None) -> Any:
    """Return a part that must be a plain numpy array, of one of these kinds and so many dimensions."""
    import numpy

    if type(value) is not numpy.ndarray or (kinds and value.dtype.kind not in kinds):
        raise ForbiddenResult(f"no array of the kind that is due: {type(value).__name__}")
    if dimensions is not None and value.ndim != dimensions:
        raise ForbiddenResult(f"an array of {value.ndim} dimensions in place of {dimensions}")
    return value
