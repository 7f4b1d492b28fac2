"""What multiprocessing takes from /dev/shm, made of what a program has: pipes, and files of its scratch folder.

/dev/shm is one folder for the whole system: programs could talk to each other in it, and what they leave stays. So
semaphores become pipes that hold a byte for each unit of their value, and shared memory becomes files. No other
module of the sandbox is imported here: interpreters that multiprocessing spawns are handed this text.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path
from typing import Any

__all__ = ["Semaphore", "adapt_torch", "install"]

_RECURSIVE_MUTEX = 0


class Semaphore:
    """Stands in for `_multiprocessing.SemLock`: the same calls, of processes that inherit or are sent its pipe."""

    SEM_VALUE_MAX = 32_767
    """The least that POSIX allows. A pipe holds twice as many bytes without being asked."""

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> None:
        if value > self.SEM_VALUE_MAX:
            raise ValueError(f"a semaphore's value of {value}, more than {self.SEM_VALUE_MAX}")
        ends = os.pipe()
        for end in ends:
            os.set_blocking(end, False)
        os.write(ends[1], bytes(value))
        self._adopt(ends, kind, maxvalue)

    def _adopt(self, ends: tuple[int, int], kind: int, maxvalue: int) -> None:
        self._ends, self.kind, self.maxvalue = ends, kind, maxvalue
        self.name = None  # nothing to remove in the end
        self._owned, self._owner = 0, 0

    @classmethod
    def _rebuild(cls, handle: int, kind: int, maxvalue: int, name: str | None) -> Semaphore:
        made = cls.__new__(cls)
        made._adopt((handle >> 32, handle & 0xFFFFFFFF), kind, maxvalue)
        return made

    @property
    def handle(self) -> int:
        """Both ends of the pipe, as the numbers that a process being spawned will know them by, in one."""
        from multiprocessing.context import get_spawning_popen

        popen: Any = get_spawning_popen()
        first, second = (popen.duplicate_for_child(end) if popen else end for end in self._ends)
        return first << 32 | second

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take one unit; wait for it as long as allowed. Tells whether it was had."""
        if self.kind == _RECURSIVE_MUTEX and self._is_mine():
            self._owned += 1
            return True
        patience = None if timeout is None else max(0.0, timeout)
        end = None if patience is None else time.monotonic() + patience
        poll = select.poll()
        poll.register(self._ends[0], select.POLLIN)
        while True:
            try:
                os.read(self._ends[0], 1)
            except BlockingIOError:
                left = None if end is None else end - time.monotonic()
                if not block or (left is not None and left <= 0):
                    return False
                poll.poll(None if left is None else left * 1_000 + 1)
            else:
                self._owned += 1
                self._owner = threading.get_ident()
                return True

    def release(self) -> None:
        """Give one unit back.

        Raises:
            AssertionError: for a recursive lock that another thread holds.
            ValueError: for more units than there may be.
        """
        if self.kind == _RECURSIVE_MUTEX:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._owned > 1:
                self._owned -= 1
                return
        elif self._get_value() >= self.maxvalue:
            raise ValueError("semaphore or lock released too many times")
        self._owned -= 1
        os.write(self._ends[1], b"\0")

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _count(self) -> int:
        return self._owned

    def _is_mine(self) -> bool:
        return self._owned > 0 and self._owner == threading.get_ident()

    def _get_value(self) -> int:
        return struct.unpack("i", fcntl.ioctl(self._ends[0], termios.FIONREAD, bytes(4)))[0]

    def _is_zero(self) -> bool:
        return self._get_value() == 0

    def _after_fork(self) -> None:
        self._owned = 0

    def __del__(self) -> None:
        for end in self._ends if hasattr(self, "_ends") else ():
            try:
                os.close(end)
            except OSError:  # the program has closed everything
                pass


def _shm_open(path: str, flags: int, mode: int = 0o777) -> int:
    return os.open(_file_of(path), flags | os.O_CLOEXEC, mode)


def _shm_unlink(path: str) -> None:
    os.unlink(_file_of(path))


def _file_of(path: str) -> str:
    name = os.fspath(path).lstrip("/")
    if not name or "/" in name:
        raise FileNotFoundError(2, "no such shared memory", path)
    return os.path.join(tempfile.gettempdir(), name)


def install(source: str | None = None) -> None:
    """Make multiprocessing in this process, its forks and what they spawn do without /dev/shm.

    Args:
        source: The text of this module, where it is not a file.
    """
    import _multiprocessing
    import _posixshmem
    from multiprocessing import heap, spawn

    text = source if source is not None else Path(__file__).read_text()
    modules: Any = (_multiprocessing, _posixshmem, heap, spawn)
    semaphores, memory, arenas, spawning = modules
    semaphores.SemLock, semaphores.sem_unlink = Semaphore, lambda name: None
    memory.shm_open, memory.shm_unlink = _shm_open, _shm_unlink
    arenas.Arena._dir_candidates = []
    command_line = spawning.get_command_line

    def with_this(**fields: object) -> list[str]:
        words = command_line(**fields)
        if "-c" in words:
            place = words.index("-c") + 1
            words[place] = f"{text}\ninstall({text!r})\n{words[place]}"
        return words

    spawning.get_command_line = with_this


def adapt_torch() -> None:
    """Where PyTorch is loaded: send tensors to other processes by value, which else go through /dev/shm."""
    torch: Any = sys.modules.get("torch")
    if torch is None or "torch.multiprocessing.reductions" not in sys.modules:
        return
    from multiprocessing.reduction import ForkingPickler

    ForkingPickler.register(torch.UntypedStorage, _by_value)
    # Its C functions open /dev/shm; a batch that a worker collates is sent by value in the end.
    torch.UntypedStorage._new_using_fd_cpu = classmethod(lambda cls, size: cls(size))


def _by_value(storage: Any) -> tuple:
    return _storage_of, (ctypes.string_at(storage.data_ptr(), storage.nbytes()),)


def _storage_of(data: bytes) -> Any:
    import torch

    storage = torch.UntypedStorage(len(data))
    ctypes.memmove(storage.data_ptr(), data, len(data))
    return storage
