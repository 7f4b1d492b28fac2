"""Copies of values that are trusted, for tests to look at once more."""

from __future__ import annotations

import copy
import sys
from typing import Any

from .cells import cells, is_opaque

__all__ = ["copied"]


def _is_drawn(value: Any) -> bool:
    try:
        kinds = {type(each) for each in cells(value) if is_opaque(each)}
    except Exception:  # too large, or of no known form: no figure
        return False
    return any(
        base.__module__.startswith(("matplotlib.", "seaborn.")) for kind in kinds for base in kind.__mro__
    )


def copied(value: Any) -> Any:
    """Return a deep copy of a value that is trusted; itself where it cannot be copied, or is drawn.

    A copied figure becomes pyplot's current one, and tests would look at it.
    """
    if "matplotlib" in sys.modules and _is_drawn(value):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:  # locks, modules: what cannot be copied is not changed by a comparison either
        return value
