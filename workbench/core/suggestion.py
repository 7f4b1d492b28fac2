"""The likeliest name where a given one is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

__all__ = ["suggestion"]


def suggestion(name: str, known: Mapping[str, Any] | tuple[str, ...] | list[str]) -> str:
    """Return ' (did you mean ...?)' where a known name is close to the given one, else nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
