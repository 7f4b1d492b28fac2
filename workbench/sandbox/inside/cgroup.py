"""The control group of one program: the kernel keeps its processes, all together, to their memory and their number.

Source: Linux, Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["Group"]


class Group:
    """One group, with one below it for each role.

    Args:
        folder: Where it is, or is to be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, roles: Iterable[str], *, memory_bytes: int, processes: int) -> None:
        """Make the group.

        Args:
            roles: Of the processes to come; each has its own number of them.
            memory_bytes: Memory of all of them together, beyond the pages of the zygotes.
            processes: Processes and threads at a time, of each role.

        Raises:
            OSError: The system refuses it.
        """
        self.folder.mkdir()
        self._write("memory.max", memory_bytes)
        self._write("memory.oom.group", 1)  # with one process all go: nothing is left half done
        with suppress(OSError):  # absent where the kernel counts no swap
            self._write("memory.swap.max", 0)
        self._write("cgroup.subtree_control", "+pids")
        for role in roles:
            (self.folder / role).mkdir()
            self._write(f"{role}/pids.max", processes)

    def join(self, role: str) -> None:
        """Put this process into the group of its role.

        Raises:
            OSError: The system refuses it.
        """
        self._write(f"{role}/cgroup.procs", 0)

    @property
    def ran_out(self) -> bool:
        """Whether the kernel ended its processes for want of memory."""
        try:
            events = dict(line.split() for line in (self.folder / "memory.events").read_text().splitlines())
        except OSError:
            return False
        return int(events.get("oom_kill", 0)) > 0

    def kill(self) -> None:
        """End all its processes at once, whatever they have become."""
        with suppress(OSError):  # gone already
            self._write("cgroup.kill", 1)

    def remove(self) -> None:
        """Remove the group, where no process is left in it."""
        for folder, _, _ in os.walk(self.folder, topdown=False):
            with suppress(OSError):  # the pool removes what is left
                Path(folder).rmdir()

    def _write(self, name: str, value: int | str) -> None:
        # never made: where the kernel has no such file, there is no such limit
        fd = os.open(self.folder / name, os.O_WRONLY)
        try:
            os.write(fd, str(value).encode())
        finally:
            os.close(fd)
