"""A module called with what it takes: families differ in the options that they know."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

__all__ = ["called"]


def called(module: nn.Module, *given: Any, **options: Any) -> Any:
    """Call a module with those of the options that it takes."""
    taken = inspect.signature(module.forward).parameters.values()
    if not any(one.kind is one.VAR_KEYWORD for one in taken):
        names = {one.name for one in taken}
        options = {name: value for name, value in options.items() if name in names}
    return module(*given, **options)
