"""A Landlock layer for processes to come: its folders are opened once, and each process puts it on itself.

sandlock, which confines the zygotes, builds the same layer from paths; done for every child, that took 2 ms and a
quarter of all the pages that a small program copies from its zygote, twice for a graded one.

Source: Linux, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import resource
import stat
import struct
from collections.abc import Sequence

from . import syscalls

__all__ = ["Layer"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on all processors
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

# Rights of Landlock ABI 6, the oldest that the sandbox accepts: nothing that it knows stays unguarded.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL_DEV = 1, 2, 4, 8, 1 << 14, 1 << 15
_ALL_RIGHTS = (1 << 16) - 1
_READING = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV  # the others are refused for a file
_TCP = 0b11  # bind and connect
_SCOPES = 0b11  # abstract sockets of, and signals to, processes outside the layer


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


class Layer:
    """What processes may do with files once they have put it on, and to whom they may speak: to nobody outside.

    Args:
        readable: Paths to read and execute; opened here, so that the zygote does it for all its children.
        listed: Folders to list, with all folders below; their files stay closed.

    Raises:
        OSError: if a path cannot be opened.
    """

    def __init__(self, readable: Sequence[str], listed: Sequence[str] = ()) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a thousand packages are no rarity
        self._readable = [_opened(path, _READING) for path in readable]
        self._readable += [_opened(path, _READ_DIR) for path in listed]

    @property
    def descriptors(self) -> list[int]:
        """The open folders; `put_on` needs them, and closes them in the process that it confines."""
        return [fd for fd, _ in self._readable]

    def put_on(self, readable: Sequence[str], writable: Sequence[str]) -> None:
        """Confine this process for good, on top of what confines it already.

        Args:
            readable: Paths to read besides the layer's own, such as this process's entry of /proc.
            writable: Paths to do everything with.

        Raises:
            OSError: if a path cannot be opened or the kernel refuses; the caller must not go on.
        """
        attributes = struct.pack("=QQQ", _ALL_RIGHTS, _TCP, _SCOPES)
        ruleset = _checked(
            syscalls.libc().syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0),
            "landlock",
        )
        rules = [
            *self._readable,
            *(_opened(path, _READING) for path in readable),
            *(_opened(path, _ALL_RIGHTS) for path in writable),
        ]
        for fd, rights in rules:
            rule = struct.pack("=Qi", rights, fd)
            _checked(
                syscalls.libc().syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0), "landlock rule"
            )
        _checked(syscalls.libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
        _checked(syscalls.libc().syscall(_RESTRICT_SELF, ruleset, 0), "landlock")
        for fd in (ruleset, *(fd for fd, _ in rules)):
            os.close(fd)


def _opened(path: str, rights: int) -> tuple[int, int]:
    """Open a path as a place only; return the descriptor with those of the rights that there are for its kind."""
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    return fd, rights if stat.S_ISDIR(os.fstat(fd).st_mode) else rights & _OF_FILES
