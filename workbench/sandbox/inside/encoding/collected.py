"""Garbage is collected later: while many parts are made that all stay, each look for garbage is in vain."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["later"]


@contextmanager
def later() -> Iterator[None]:
    """Hold the collector back; afterwards it is as it was."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
