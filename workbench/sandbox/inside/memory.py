"""What a program's processes hold in memory, all together, beyond the pages of the zygote they were forked from.

A page that several of them share counts once, and so do the zygote's own pages, however many children there are:
by the kernel's proportional set sizes. Shared memory without a file outlives the pages that a process shows (its
maps can be dropped, its owners can end), so each piece counts in full, and the filter of system calls keeps pieces
small: see `shared_piece_bytes`.

Source: Linux, Documentation/filesystems/proc.rst (smaps_rollup, Pss).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .processes import Held

__all__ = ["Forked", "held_bytes", "shared_piece_bytes"]

_PIECES = 128
_BUFFER_BYTES = 1 << 16  # of a pipe; a socket's is the system's default


def shared_piece_bytes(limit_bytes: int) -> int:
    """Return how large one piece of shared memory without a file may be under a limit on memory, in bytes."""
    return max(limit_bytes // _PIECES, 1 << 20)


@dataclass(frozen=True)
class Forked:
    """Processes of one program that were forked from the same zygote."""

    zygote: int
    """The zygote's process id."""
    mine: Sequence[int]
    """The program's processes."""
    others: Callable[[], list[int]]
    """Lists the processes of other programs that were forked from it."""


def held_bytes(processes: Sequence[Forked], held: Held, limit_bytes: int) -> int:
    """Add up what the processes of one program hold.

    Args:
        processes: The program's processes, by zygote.
        held: What the program's processes keep alive besides their own pages.
        limit_bytes: The limit. Below it the answer may be too high, because it is read off what is cheap to read.

    Returns:
        Bytes; 0 where the system does not tell.
    """
    kernel = len(held.shared) * shared_piece_bytes(limit_bytes) + len(held.sockets) * _buffer_bytes()
    upper = kernel
    for pid in (pid for forked in processes for pid in forked.mine):
        fields = _fields(f"/proc/{pid}/status")
        kernel += fields.get("VmPTE", 0)
        upper += fields.get("RssAnon", 0) + fields.get("VmSwap", 0) + fields.get("VmPTE", 0)
    if upper <= limit_bytes:
        return upper
    return kernel + sum(max(0, _own_bytes(forked)) for forked in processes)


def _own_bytes(forked: Forked) -> int:
    """Add up the anonymous pages that processes have beyond their zygote's."""
    pages = [_Pages.of(pid) for pid in (*forked.mine, *forked.others())]
    lent = _parts([page.saved for page in pages], _Pages.of(forked.zygote).saved)
    return sum(page.share - part for page, part in zip(pages[: len(forked.mine)], lent))  # noqa: B905 (the first)


@functools.cache
def _buffer_bytes() -> int:
    """Return how much the kernel queues for one socket, in bytes."""
    try:
        return max(_BUFFER_BYTES, int(Path("/proc/sys/net/core/wmem_default").read_text()))
    except (OSError, ValueError):
        return 4 * _BUFFER_BYTES


@dataclass(frozen=True)
class _Pages:
    """Anonymous pages of one process, swapped ones included."""

    share: int
    """Bytes, each page divided by the number of processes that have it."""
    saved: int
    """Bytes that sharing saves this process: its pages in full, less `share`."""

    @classmethod
    def of(cls, pid: int) -> _Pages:
        fields = _fields(f"/proc/{pid}/smaps_rollup")
        if not fields:  # gone, or closed to us: then all its pages count as its own
            fields = _fields(f"/proc/{pid}/status")
            return cls(fields.get("RssAnon", 0) + fields.get("VmSwap", 0), 0)
        share = fields.get("Pss_Anon", 0) + fields.get("SwapPss", 0)
        return cls(share, max(0, fields.get("Anonymous", 0) + fields.get("Swap", 0) - share))


def _parts(most: Sequence[int], total: int) -> list[int]:
    """Divide what the zygote's pages save it among those who share them: equally, to each at most what it saves."""
    parts = [0] * len(most)
    for done, place in enumerate(sorted(range(len(most)), key=most.__getitem__)):
        parts[place] = min(most[place], total // (len(most) - done))
        total -= parts[place]
    return parts


def _fields(path: str) -> dict[str, int]:
    """Read the lines of a file of /proc that are numbers of kibibytes, as bytes; nothing where it cannot be read."""
    try:
        text = Path(path).read_text()
    except OSError:
        return {}
    rows = (line.split() for line in text.splitlines() if line.endswith(" kB"))
    return {row[0].rstrip(":"): int(row[1]) << 10 for row in rows if len(row) == 3}
