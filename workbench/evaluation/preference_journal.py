"""Rows on disk as soon as they are known, each under the key of all it depends on, so that none is made twice."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from workbench.errors import DataError
from workbench.runs import atomic

__all__ = ["RowJournal"]

_SYNC_S = 2.0  # a kill loses nothing that was flushed; a power cut loses at most this long


class RowJournal:
    """Keeps plain objects in a JSON-lines file that a kill may cut off anywhere.

    Opened, it holds what an earlier run left there under today's keys; other lines are dropped. `finish` puts the
    lines in their final order, so that the file of a run that was killed and continued equals that of one that was
    not.

    Args:
        path: The file; its folder is made when needed. None: nothing is kept.
        keys: The keys that count today. None: all do, as in a file that serves several questions.

    Raises:
        DataError: The file cannot be read or written, or holds lines that no journal wrote.
    """

    def __init__(self, path: str | Path | None, keys: Collection[str] | None = None) -> None:
        self.path = None if path is None else Path(path)
        self.known: dict[str, dict[str, Any]] = {}
        """The rows that are there, by key."""
        self._file: IO[bytes] | None = None
        self._synced = time.monotonic()
        if self.path is None:
            return
        wanted = None if keys is None else frozenset(keys)
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
            for number, line in enumerate(content.splitlines(keepends=True), start=1):
                if line.endswith(b"\n"):  # else a kill cut it off
                    key, row = self._read(line, number)
                    if wanted is None or key in wanted:
                        self.known[key] = row
            kept = _lines(self.known)
            if kept != content or not self.path.exists():
                atomic.write_bytes(self.path, kept)
            self._file = self.path.open("ab")
        except OSError as error:
            raise DataError(
                f"{self.path}: {error.strerror}",
                "a file that can be read and written",
                "see its permissions, or choose another folder",
            ) from error

    def __enter__(self) -> RowJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, rows: Mapping[str, dict[str, Any]]) -> None:
        """Append rows by their keys; they are in the file when this returns."""
        self.known |= rows
        if self._file is None:
            return
        self._file.write(_lines(rows))
        self._file.flush()
        if time.monotonic() - self._synced > _SYNC_S:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()

    def finish(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Leave exactly the rows of these keys in the file, in this order; return them."""
        if self.path is not None and self._file is not None:
            os.fsync(self._file.fileno())
            content = _lines({key: self.known[key] for key in keys})
            if self.path.read_bytes() != content:
                self._file.close()
                atomic.write_bytes(self.path, content)
        return [self.known[key] for key in keys]

    def _read(self, line: bytes, number: int) -> tuple[str, dict[str, Any]]:
        try:
            row = json.loads(line)
            key = row.pop("key")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DataError(
                got=f"{self.path}, line {number}: no row of an earlier run",
                needed="lines that begin with their key",
                fix="delete the file, or name another folder",
            ) from None
        return str(key), row


def _lines(rows: Mapping[str, dict[str, Any]]) -> bytes:
    return b"".join(
        json.dumps({"key": key, **row}, ensure_ascii=False, allow_nan=False).encode(errors="replace") + b"\n"
        for key, row in rows.items()
    )
