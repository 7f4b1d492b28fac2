"""Results that took long, kept on disk by key as they come, so that no kill loses them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from workbench.errors import DataError

__all__ = ["KeyedJournal", "content_key"]


def content_key(*parts: Any) -> str:
    """Return 32 hex digits that depend on the parts (plain values) and on nothing else."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


class KeyedJournal:
    """A JSON-lines file of `{"key", "value"}`, read when opened and appended to from then on.

    A last line that a kill cut off is removed. Keys say what a value depends on, so lines of other settings may
    be in the same file.

    Args:
        path: The file; it and its folder are made when needed. None keeps everything in memory.

    Raises:
        DataError: The file cannot be read or written, or a line in it is not of this form.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = Path(path) if path is not None else None
        self._known: dict[str, Any] = {}
        self._file: IO[bytes] | None = None
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab+")
            self._read(self._file)
        except OSError as error:
            raise DataError(
                got=f"{self.path}: {error.strerror}",
                needed="a file that can be read and written",
                fix="see its permissions, or choose another folder",
            ) from error

    def __enter__(self) -> KeyedJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> Any:
        return self._known[key]

    def add(self, key: str, value: Any) -> None:
        """Keep a plain value; it is in the file when this returns."""
        self._known[key] = value
        if self._file is not None:
            line = json.dumps({"key": key, "value": value}, ensure_ascii=False)
            self._file.write(line.encode(errors="replace") + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Bring the file to the disk and close it."""
        if self._file is not None and not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def _read(self, file: IO[bytes]) -> None:
        file.seek(0)
        end = 0
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                break
            end += len(line)
            try:
                row = json.loads(line)
                self._known[str(row["key"])] = row["value"]
            except (ValueError, KeyError, TypeError):
                raise DataError(
                    got=f"{self.path}, line {number}: nothing that was kept here",
                    needed='lines written by an earlier run: {"key", "value"}',
                    fix="delete the line, or choose another folder",
                ) from None
        if end < os.fstat(file.fileno()).st_size:
            file.truncate(end)
