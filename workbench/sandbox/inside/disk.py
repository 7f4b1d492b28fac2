"""What a program's files take on the disk: named or not, linked once or many times, in folders however deep."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from .processes import Held

__all__ = ["fault_of"]

_MAX_FILES, _MAX_DEPTH = 10_000, 100
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE)  # removed or replaced while it was looked at


class _Uncountable(Exception):
    """Files that cannot be counted, or too many to count; the text says which."""


@dataclass
class _Tally:
    names: int = 0
    sizes: dict[tuple[int, int], int] = field(default_factory=dict)
    """Bytes on the disk by device and inode, so that a file with several names counts once."""

    def add_folder(self, fd: int, depth: int) -> None:
        """Add all that an open folder holds. By descriptors: names may be longer than a path can be."""
        if depth > _MAX_DEPTH:
            raise _Uncountable(f"folders more than {_MAX_DEPTH} deep")
        with os.scandir(fd) as entries:
            for entry in entries:
                self.names += 1
                if self.names > _MAX_FILES:
                    raise _Uncountable(f"more than {_MAX_FILES:,} files and folders")
                try:
                    self._add(entry.name, fd, depth)
                except PermissionError:
                    raise _Uncountable("a folder that nobody may look into") from None
                except OSError as error:
                    if error.errno not in _GONE:
                        raise

    def _add(self, name: str, folder_fd: int, depth: int) -> None:
        seen = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
        self.sizes[seen.st_dev, seen.st_ino] = seen.st_blocks * 512
        if stat.S_ISDIR(seen.st_mode):
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder_fd)
            try:
                self.add_folder(fd, depth + 1)
            finally:
                os.close(fd)


def fault_of(folder: Path, limit_bytes: int, held: Held | None = None) -> str:
    """Say how a program's files are beyond what it may have; an empty string where they are not.

    Args:
        folder: The program's scratch folder.
        limit_bytes: Room on the disk for all its files.
        held: What its processes have open and mapped, if that counts too. What cannot be counted is a fault: a
            process or a folder that is closed to the one who counts, a file of which only a map is left.
    """
    tally = _Tally()
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        tally.add_folder(fd, 0)
    except _Uncountable as fault:
        return str(fault)
    finally:
        os.close(fd)
    total = sum(tally.sizes.values())
    if held is not None:
        if held.closed:
            return "a process that nobody may look at"
        if held.mapped - set(held.removed) - {inode for _, inode in tally.sizes}:
            return "a file that is removed and closed, and still mapped"
        total += sum(held.removed.values())
    return f"more than {limit_bytes:,} bytes of files" if total > limit_bytes else ""
