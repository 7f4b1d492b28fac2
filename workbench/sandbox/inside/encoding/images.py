"""Pillow's images: mode, size, palette and pixels."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult

__all__ = ["DECODERS", "encode"]

_MODES = frozenset("1 L LA La P PA RGB RGBA RGBa RGBX CMYK YCbCr LAB HSV I F I;16".split())


def encode(value: Any, out: Any) -> list | None:
    """Return the node of an image of Pillow's, read from a file or not, None for anything else."""
    pillow = sys.modules.get("PIL.Image")
    if pillow is None or not hasattr(pillow, "Image") or not isinstance(value, pillow.Image):
        return None
    data = value.tobytes()  # loads what lies in a file yet
    palette = value.getpalette("RGBA") if value.mode in ("P", "PA") else None
    meta = [value.mode, list(value.size), out.buffer(data), palette, type(value) is pillow.Image]
    return ["image", meta, []]


def _decode_image(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    mode, size, buffer, palette, exact = checked.a_list(meta, 5)
    reader.find_class("PIL.Image", "Image")
    from PIL import Image

    width, height = checked.shape(checked.a_list(size, 2))
    data = reader.buffer(buffer)
    if width * height > 8 * max(len(data), 1):  # at least a bit a pixel
        raise ForbiddenResult("an image of fewer bytes than pixels")
    image = Image.frombytes(checked.one_of(mode, _MODES), (width, height), bytes(data))
    if palette is not None:
        if mode not in ("P", "PA"):
            raise ForbiddenResult("an image with a palette that it has no use for")
        image.putpalette([checked.whole(each, 0, 255) for each in checked.a_list(palette)], "RGBA")
    reader.changed |= not checked.truth(exact)
    return image


DECODERS: dict[str, Callable] = {"image": _decode_image}
