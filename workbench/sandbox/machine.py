"""The machine's own troubles, which are nobody's verdict: no room on the disk, no memory, no process to be had."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.core.errors import FileError, SandboxUnavailableError, WorkbenchError

__all__ = [
    "error_of",
    "has_room",
    "is_full",
    "named",
    "no_memory",
    "no_room",
    "oom_kills",
    "speaks_of_room",
]

_FULL_BELOW_BYTES, _FULL_BELOW_FILES = 1 << 20, 16
_ROOM = (errno.ENOSPC, errno.EDQUOT)
_AGAIN = "the same command then goes on where it stopped"


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder has no room left, for bytes or for files."""
    seen = os.statvfs(folder)
    no_bytes = seen.f_bavail * seen.f_frsize < _FULL_BELOW_BYTES
    return no_bytes or (seen.f_files > 0 and seen.f_favail < _FULL_BELOW_FILES)


def speaks_of_room(*texts: str) -> bool:
    """Whether a program's last words are those of the system where there is no room, be they true or not."""
    return any(os.strerror(number) in text for number in _ROOM for text in texts)


def has_room(folder: Path, size_bytes: int) -> bool:
    """Whether a file of this size can be had in a folder, quotas and all; tried, and removed."""
    probe = folder / "room"
    try:
        fd = os.open(probe, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(fd, 0, size_bytes)
        finally:
            os.close(fd)
    except OSError as fault:
        return fault.errno not in _ROOM
    finally:
        with suppress(OSError):
            probe.unlink()
    return True


def no_room(folder: Path, disk_bytes: int) -> FileError:
    """Make the error of a scratch disk that is full."""
    return FileError(
        f"{folder}: no room left on the disk for the files of programs",
        f"as much as a program may write there ({disk_bytes:,} bytes) for each that runs at a time",
        f"free some, or set TMPDIR to a folder on another disk; {_AGAIN}",
    )


def no_memory(memory_bytes: int, workers: int) -> SandboxUnavailableError:
    """Make the error of a machine that ends processes for lack of memory."""
    return SandboxUnavailableError(
        "the system is out of memory, and killed a process of the sandbox",
        f"{memory_bytes:,} bytes of free memory for each of {workers} programs at a time",
        f"end other programs, or give these less (memory_bytes) or fewer at a time (workers); {_AGAIN}",
    )


def oom_kills() -> int:
    """Count the processes that this machine has killed for lack of memory; 0 where it does not tell."""
    with suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def error_of(number: int, words: str, folder: Path, disk_bytes: int) -> WorkbenchError:
    """Put what the system refused into the words of the family.

    Args:
        number: The system's number of the error, 0 for none.
        words: What it said.
        folder: Where the files of programs are.
        disk_bytes: What one program may write.
    """
    if number in _ROOM:
        return no_room(folder, disk_bytes)
    needed, fix = {
        errno.EAGAIN: (
            "one more process for a program",
            "end other processes, or raise the limit: ulimit -u",
        ),
        errno.ENOMEM: ("memory for one more program", "end other programs, or use fewer workers"),
        errno.EMFILE: ("descriptors for one more program", "close files, or raise the limit: ulimit -n 4096"),
        errno.ENFILE: (
            "descriptors for one more program",
            "end other programs: the whole system has none left",
        ),
    }.get(number, ("a machine on which programs can be started", "run `workbench doctor`"))
    return SandboxUnavailableError(
        f"the system refuses to start a program: {words}", needed, f"{fix}; {_AGAIN}"
    )


@contextmanager
def named(folder: Path, disk_bytes: int) -> Iterator[None]:
    """Turn what the system refuses inside the block into one clear error.

    Raises:
        WorkbenchError: in place of an OSError.
    """
    try:
        yield
    except OSError as fault:
        words = f"{type(fault).__name__}: {fault}"
        raise error_of(fault.errno or 0, words, folder, disk_bytes) from fault
