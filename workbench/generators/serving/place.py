"""The folder by which processes of this machine share an engine: who uses it, who keeps it, where it answers."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

from workbench.core.errors import RunError
from workbench.store import atomic

__all__ = ["Place"]


class Place:
    """An engine's folder, of this user and this machine alone.

    Args:
        name: What tells the engine from others.
    """

    _held: dict[tuple[int, Path], tuple[IO[bytes], int]] = {}  # noqa: RUF012 - of the process, by its id
    _holding = threading.Lock()

    def __init__(self, name: str) -> None:
        self.folder = _root() / name
        self.log = self.folder / "log.txt"
        """What the engine writes."""
        self.starting = self.folder / "starting.lock"
        """Held while a process looks whether the engine runs, and starts it if not."""
        self.keeper = self.folder / "keeper.lock"
        """Held by the engine's keeper as long as it lives."""
        self.asked = self.folder / "asked.lock"
        """Held, with others, by who waits for answers."""
        self.users = self.folder / "users.lock"
        """Held, with others, by who uses the engine."""
        self.folder.mkdir(mode=0o700, exist_ok=True)

    @property
    def is_kept(self) -> bool:
        """Whether the engine's keeper lives."""
        return atomic.is_locked(self.keeper)

    def read(self, name: str) -> dict[str, Any] | None:
        """Return one of the folder's records; None where there is none."""
        try:
            return dict(json.loads((self.folder / f"{name}.json").read_text()))
        except (OSError, ValueError):
            return None

    def write(self, name: str, value: dict[str, Any]) -> None:
        """Write a record in one stroke."""
        atomic.write_json(self.folder / f"{name}.json", value)

    def remove(self, *names: str) -> None:
        """Remove records."""
        for name in names:
            (self.folder / f"{name}.json").unlink(missing_ok=True)

    def hold(self, lock: Path) -> None:
        """Hold `users` or `asked`, until `release` or the end of this process, however it ends.

        Waits for an engine that is being ended.
        """
        import fcntl

        key = os.getpid(), lock  # a fork holds nothing
        with self._holding:
            file, count = self._held.get(key, (None, 0))
            if file is None:
                file = lock.open("ab+")
                fcntl.lockf(file, fcntl.LOCK_SH)
            self._held[key] = file, count + 1

    def release(self, lock: Path) -> None:
        """Undo one `hold`."""
        key = os.getpid(), lock
        with self._holding:
            file, count = self._held.pop(key, (None, 0))
            if file is not None and count > 1:
                self._held[key] = file, count - 1
            elif file is not None:
                file.close()

    def claim(self, lock: Path) -> IO[bytes] | None:
        """Return the file that keeps others out, where no process holds it; closed, it lets them in again."""
        import fcntl

        file = lock.open("ab+")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return file


def _root() -> Path:
    """Return the folder of all engines: on this machine's own disk, and open to its user alone.

    Raises:
        RunError: Somebody else made it.
    """
    folder = Path(tempfile.gettempdir()) / f"workbench-served-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if about.st_uid != os.getuid() or about.st_mode & 0o077 or folder.is_symlink():
        raise RunError(
            got=f"{folder}, which others than this user may write or read",
            needed="a folder of this user alone: it holds the keys of engines that run",
            fix=f"remove it, or set TMPDIR to another folder: rm -r {folder}",
        )
    return folder
