"""What is left in the program and read from afar: the node holds its number and its class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult

__all__ = ["DECODERS", "SHELLS"]


def _decode(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    number, module, name = checked.a_list(meta, 3)
    if reader.drawn is None:
        raise ForbiddenResult("an object that was left in the program")
    kind: Any = object
    if module is None:
        reader.find_class("matplotlib.artist", "Artist")  # where nothing is drawn, nothing is left either
    else:
        kind = reader.find_class(module, name)
    return reader.drawn(checked.whole(number, 0), kind)


SHELLS: dict[str, Callable] = {}
DECODERS: dict[str, Callable] = {"drawn": _decode}
