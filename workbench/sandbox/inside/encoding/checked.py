"""Checks of what stands in a tree: each returns the value as the kind that it must be, or refuses."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

__all__ = ["ForbiddenResult", "a_list", "one_of", "shape", "text", "truth", "whole"]

MAX_DIMENSIONS = 32
_FAR = 1 << 62


class ForbiddenResult(Exception):
    """A value that may not leave the program, or bytes that no honest program would send."""


def whole(value: Any, low: int = -_FAR, high: int = _FAR) -> int:
    """Return an integer in [low, high]."""
    if type(value) is not int or not low <= value <= high:
        raise ForbiddenResult(f"no whole number from {low} to {high}: {value!r:.40}")
    return value


def text(value: Any) -> str:
    """Return a text."""
    if type(value) is not str:
        raise ForbiddenResult(f"no text: {value!r:.40}")
    return value


def truth(value: Any) -> bool:
    """Return True or False."""
    if type(value) is not bool:
        raise ForbiddenResult(f"neither true nor false: {value!r:.40}")
    return value


def one_of(value: Any, allowed: Collection[str]) -> str:
    """Return a text that is one of those allowed."""
    if type(value) is not str or value not in allowed:
        raise ForbiddenResult(f"none of those that may be: {value!r:.40}")
    return value


def a_list(value: Any, size: int | None = None) -> list:
    """Return a list, of `size` items where that is given."""
    if type(value) is not list or (size is not None and len(value) != size):
        raise ForbiddenResult(f"no list of the size that is due: {value!r:.40}")
    return value


def shape(value: Any) -> tuple[int, ...]:
    """Return an array's shape."""
    if len(a_list(value)) > MAX_DIMENSIONS:
        raise ForbiddenResult(f"an array of {len(value)} dimensions")
    return tuple(whole(size, 0) for size in value)
