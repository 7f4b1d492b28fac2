"""Writing files so that a reader, or a kill -9, never meets half of one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

__all__ = ["is_locked", "lock", "write_bytes", "write_json"]

_TAKEN = {errno.EACCES, errno.EAGAIN}
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOTTY}
_warned: set[Path] = set()  # folders on disks without locks that were told of


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file in one stroke: temporary file beside it, flushed to disk, renamed over it.

    Args:
        path: File to write; its folder is made where it is missing.
        content: The new content, whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes files that only their owner reads
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write plain JSON, indented, non-ASCII kept, in one stroke."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    # halves of surrogate pairs, from models and from file names that are no UTF-8, become JSON's escapes of them
    write_bytes(path, (text + "\n").encode(errors="backslashreplace"))


class _Hold:
    """What this process does with a lock file: its threads take turns, and one may take it again inside."""

    def __init__(self) -> None:
        self.turn, self.held = threading.RLock(), False


_holds: WeakValueDictionary[tuple[int, str], _Hold] = WeakValueDictionary()
_looking_up = threading.Lock()


def _hold(path: Path) -> _Hold:
    key = (os.getpid(), str(path.resolve()))  # a fork holds nothing
    with _looking_up:
        found = _holds.get(key) or _Hold()
        _holds[key] = found
    return found


@contextlib.contextmanager
def lock(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a file's lock for the length of a `with` block.

    The lock belongs to the process: it ends with it however it ends, and children made by fork do not
    inherit it. Threads of a process exclude each other too.

    Where the file's system knows no locks, as some network disks do, a file of this machine stands for it, and a
    warning says that processes of other machines are not kept out. On Windows no other process is.

    Args:
        path: Lock file; made where it is missing, left behind empty.
        wait: Wait for who holds it; otherwise go on without.

    Yields:
        Whether the lock is held.
    """
    hold = _hold(path)
    if not hold.turn.acquire(blocking=wait):
        yield False
        return
    try:
        if hold.held:
            yield True
            return
        with _locked(path, wait) as held:
            hold.held = held
            try:
                yield held
            finally:
                hold.held = False
    finally:
        hold.turn.release()


@contextlib.contextmanager
def _locked(path: Path, wait: bool) -> Iterator[bool]:
    """Hold the kernel's lock, which a process loses as soon as it closes *any* descriptor of the file."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield True
        return
    how = fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            fcntl.lockf(stack.enter_context(path.open("a")), how)
        except OSError as error:
            if error.errno in _TAKEN:
                yield False
                return
            if error.errno not in _NO_LOCKS:
                raise
            _warn_of(path.parent, error)
            try:
                fcntl.lockf(stack.enter_context(_substitute(path).open("a")), how)
            except OSError as other:
                if other.errno in _TAKEN:
                    yield False
                    return
        yield True


def _substitute(path: Path) -> Path:
    """Return the file of this machine that stands for a lock file on a disk without locks."""
    folder = Path(tempfile.gettempdir()) / f"workbench-locks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]


def _warn_of(folder: Path, error: OSError) -> None:
    if folder not in _warned:
        _warned.add(folder)
        warnings.warn(
            f"{folder} is on a disk without locks ({error.strerror}): processes of this machine wait for each "
            "other there, those of other machines do not. Let one machine at a time use the folder",
            stacklevel=6,
        )


def is_locked(path: Path) -> bool:
    """Tell whether any process holds this lock now, this one included."""
    if _hold(path).held:
        return True
    if not path.exists():
        return False
    with lock(path, wait=False) as held:
        return not held
