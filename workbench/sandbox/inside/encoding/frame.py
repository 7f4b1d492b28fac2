"""The bytes of an encoded value: a tree as JSON, and the raw buffers that it refers to by number.

Layout: magic, length of the tree, number of buffers, their lengths, then the tree and each buffer, all padded
to 16 bytes. The tree is a table of nodes ``[tag, meta, children]``; a child is a plain JSON scalar or
``[index]``, so values share parts and refer to themselves, and no reader needs recursion.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

from .checked import ForbiddenResult

__all__ = ["MAX_NODES", "MAX_TREE_BYTES", "pack", "unpack"]

MAX_NODES = 3_000_000
MAX_TREE_BYTES = 64 << 20
MAX_BUFFERS = 1_000_000
_MAGIC = b"WBV1"
_HEADER = struct.Struct("<4sIQ")
_ALIGNED = 16


def _padding(size: int) -> int:
    return -size % _ALIGNED


def pack(root: Any, nodes: list, buffers: Sequence[Any]) -> bytes:
    """Put a tree and its buffers (anything that `memoryview` takes) into one message."""
    tree = json.dumps([root, nodes], separators=(",", ":")).encode()
    views = [memoryview(buffer).cast("B") if len(buffer) else memoryview(b"") for buffer in buffers]
    head = _HEADER.pack(_MAGIC, len(views), len(tree)) + struct.pack(
        f"<{len(views)}Q", *(view.nbytes for view in views)
    )
    parts: list[Any] = [head, b"\0" * _padding(len(head))]
    for part in (tree, *views):
        parts += [part, b"\0" * _padding(len(part))]
    return b"".join(parts)


def unpack(message: bytes | bytearray | memoryview) -> tuple[Any, list, list[memoryview]]:
    """Take a message apart into the root, the table of nodes and the buffers.

    Raises:
        ForbiddenResult: where sizes do not add up, a bound is passed, or the tree is no JSON of this form.
    """
    view = memoryview(message)
    if len(view) < _HEADER.size:
        raise ForbiddenResult("a message that is cut off")
    magic, count, tree_bytes = _HEADER.unpack_from(view)
    if magic != _MAGIC or count > MAX_BUFFERS or len(view) < _HEADER.size + 8 * count:
        raise ForbiddenResult("a message that is not of the protocol")
    if tree_bytes > MAX_TREE_BYTES:
        raise ForbiddenResult(f"a result of {tree_bytes} bytes of parts, more than {MAX_TREE_BYTES}")
    sizes = [tree_bytes, *struct.unpack_from(f"<{count}Q", view, _HEADER.size)]
    start = _HEADER.size + 8 * count
    start += _padding(start)
    if start + sum(size + _padding(size) for size in sizes) != len(view):
        raise ForbiddenResult("a message whose sizes do not add up")
    parts = []
    for size in sizes:
        parts.append(view[start : start + size])
        start += size + _padding(size)
    try:
        root, nodes = json.loads(bytes(parts[0]))
    except RecursionError as error:
        raise ForbiddenResult("a result that is nested too deeply") from error
    except (ValueError, TypeError) as error:
        raise ForbiddenResult(f"a result that cannot be read: {type(error).__name__}") from error
    if type(nodes) is not list or len(nodes) > MAX_NODES:
        raise ForbiddenResult(f"a result of no parts, or of more than {MAX_NODES} objects")
    return root, nodes, parts[1:]
