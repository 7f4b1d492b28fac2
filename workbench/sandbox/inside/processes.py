"""The processes of a program, as /proc shows them: who is whose child, and what each has open or mapped."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Held", "children", "family", "held_by"]

_ANONYMOUS = b"/dev/zero (deleted)"  # how the kernel names shared memory that has no file
_REMOVED = b" (deleted)"


def children(pid: int) -> list[int]:
    """List the children of all threads of a process; of one that has ended, none."""
    found: list[int] = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        try:
            found += [int(child) for child in Path(f"/proc/{pid}/task/{task}/children").read_bytes().split()]
        except OSError:
            pass
    return found


def family(pids: Iterable[int]) -> list[int]:
    """List processes and all that descend from them."""
    found: list[int] = []
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.append(pid)
            waiting += children(pid)
    return found


@dataclass
class Held:
    """What processes keep alive that no folder shows and no count of resident pages includes."""

    shared: set[int] = field(default_factory=set)
    """Shared memory without a file, by inode."""
    sockets: set[int] = field(default_factory=set)
    """Sockets and pipes, by inode: each has a buffer in the kernel."""
    removed: dict[int, int] = field(default_factory=dict)
    """Files that are open and have no name any more: inode to bytes."""
    mapped: set[int] = field(default_factory=set)
    """Files that have no name any more and are mapped, by inode."""
    closed: set[int] = field(default_factory=set)
    """Processes that do not let themselves be looked at; one that is about to execute another program is so too."""


def held_by(pids: Iterable[int], folder: Path) -> Held:
    """Look at the maps and descriptors of processes.

    Args:
        pids: The processes; those that are gone by now hold nothing.
        folder: Where a program's own files are.
    """
    held = Held()
    for pid in pids:
        try:
            _look_at_maps(pid, os.fsencode(folder), held)
            _look_at_descriptors(pid, held)
        except PermissionError:
            held.closed.add(pid)
        except OSError:
            pass  # ended meanwhile
    return held


def _look_at_maps(pid: int, folder: bytes, held: Held) -> None:
    for line in Path(f"/proc/{pid}/maps").read_bytes().splitlines():
        if not line.endswith(_REMOVED):
            continue
        _, mode, _, _, inode, name = line.split(None, 5)
        if name == _ANONYMOUS and mode.endswith(b"s"):
            held.shared.add(int(inode))
        elif name.startswith(folder):
            held.mapped.add(int(inode))


def _look_at_descriptors(pid: int, held: Held) -> None:
    with os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            try:
                seen = os.stat(entry.path)
            except FileNotFoundError:
                continue  # closed meanwhile
            if stat.S_ISSOCK(seen.st_mode) or stat.S_ISFIFO(seen.st_mode):
                held.sockets.add(seen.st_ino)
            elif stat.S_ISREG(seen.st_mode) and seen.st_nlink == 0:
                held.removed[seen.st_ino] = seen.st_blocks * 512
