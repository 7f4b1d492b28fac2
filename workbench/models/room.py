"""A disk that is full while weights are written: each library says it in its own way; here it is one error."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from workbench.core.errors import FileError

__all__ = ["room_to_write"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAYS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "inline_container",
    "iostream error",
)
"""Words of the system in the errors of safetensors, and torch's own where its file takes no more."""


@contextmanager
def room_to_write(folder: Path) -> Iterator[None]:
    """Within this context a full disk is the family's error, whichever library meets it.

    Args:
        folder: Where is written.

    Raises:
        FileError: The disk, or the user's share of it, is full.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        said = str(error)
        number = getattr(error, "errno", None)
        if number not in _FULL and not any(words in said for words in _SAYS):
            raise
        full = OSError(errno.ENOSPC, "No space left on device", str(folder))
        raise FileError.of(full) from error
