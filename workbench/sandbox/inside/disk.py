"""What a program's files take on the disk: named or not, linked once or many times, in folders however deep."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from .processes import Held

__all__ = ["fault_of"]

_MAX_FILES = 10_000
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)


def fault_of(folder: Path, limit_bytes: int, held: Held | None = None) -> str:
    """Say how a program's files are beyond what it may have; an empty string where they are not.

    Args:
        folder: The program's scratch folder.
        limit_bytes: Room on the disk for all its files; a file with several names counts once.
        held: What its processes have open and mapped, if that counts too. What cannot be counted is a fault: a
            process or a folder that is closed to the one who counts, a file of which only a map is left.
    """
    if held is None and not _holds_anything(folder):
        return ""  # nearly all programs, at their end
    sizes: dict[tuple[int, int], int] = {}
    names = 0
    try:
        # By descriptors: names may be longer than a path can be.
        for _, folders, files, fd in os.fwalk(folder, onerror=_unless_gone):
            names += len(folders) + len(files)
            if names > _MAX_FILES:
                return f"more than {_MAX_FILES:,} files and folders"
            for name in ("", *files):
                _add_size(sizes, name, fd)
    except PermissionError:
        return "a folder that nobody may look into"
    except (RecursionError, OSError):
        return "folders too deep to follow"
    total = sum(sizes.values())
    if held is not None:
        fault = _unseen(held, {inode for _, inode in sizes})
        if fault:
            return fault
        total += sum(held.removed.values())
    return f"more than {limit_bytes:,} bytes of files" if total > limit_bytes else ""


def _unseen(held: Held, named: set[int]) -> str:
    """Say what of that which processes have open cannot be counted."""
    if held.closed:
        return "a process that nobody may look at"
    if held.mapped - set(held.removed) - named:
        return "a file that is removed and closed, and still mapped"
    return ""


def _holds_anything(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return next(entries, None) is not None


def _unless_gone(error: OSError) -> None:
    if error.errno not in _GONE:
        raise error


def _add_size(sizes: dict[tuple[int, int], int], name: str, folder_fd: int) -> None:
    """Note what a file of a folder takes, or the folder itself for an empty name."""
    try:
        seen = os.stat(name, dir_fd=folder_fd, follow_symlinks=False) if name else os.fstat(folder_fd)
    except OSError as error:
        _unless_gone(error)
        return
    sizes[seen.st_dev, seen.st_ino] = seen.st_blocks * 512
