"""Results on disk as soon as they are known, a line each, so that no kill loses them and none is made twice."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Hashable, Iterable
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from workbench.core.errors import DataError
from workbench.store import atomic

__all__ = ["Journal", "Row", "content_key"]

Row = dict[str, Any]
"""A plain object: a line of the file."""
_SYNC_S = 2.0  # a kill loses nothing that was flushed; a power cut loses at most this long


def content_key(*parts: Any) -> str:
    """Return 32 hex digits that depend on the parts (plain values) and on nothing else."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


class Journal:
    """A JSON-lines file of rows, read when opened and appended to from then on; a kill may cut it off anywhere.

    Several processes may add to the same file at a time, and `refresh` shows each what the others have added. Only
    `counts`, `foreign="drop"` and `finish` need a file that no other process uses: they write it anew.

    Args:
        path: The file; it and its folder are made when needed. None keeps rows in memory.
        identity: Tells what a row is the result of; of two rows on the same, the later one counts.
        counts: Whether a row that is there still counts; others are dropped from the file. None: all do, as where
            keys say all that a result depends on.
        foreign: What becomes of a line that no journal wrote: `refuse` to open the file, or `drop` the line.

    Raises:
        DataError: The file cannot be read or written, or a line in it is refused.
    """

    def __init__(
        self,
        path: str | Path | None,
        identity: Callable[[Row], Hashable] = itemgetter("key"),
        *,
        counts: Callable[[Row], bool] | None = None,
        foreign: str = "refuse",
    ) -> None:
        self.path = Path(path) if path is not None else None
        self.known: dict[Any, Row] = {}
        """The rows, by identity, in the order of the file."""
        self._identity, self._counts, self._foreign = identity, counts, foreign
        self._read_to = self._lines = 0
        self._file: IO[bytes] | None = None
        self._synced = time.monotonic()
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab+")
            with atomic.lock(self.path):
                dropped = self._take_in(self._file)
            if dropped:
                self._rewrite(_lines(self.known.values()))
                self._file = self.path.open("ab+")
                self._read_to = self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise DataError(
                got=f"{self.path}: {error.strerror}",
                needed="a file that can be read and written",
                fix="see its permissions, or choose another folder",
            ) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, *rows: Row) -> None:
        """Append rows (plain values); they are in the file when this returns."""
        self.known |= {self._identity(row): row for row in rows}
        if self._file is None or self.path is None:
            return
        with atomic.lock(self.path):
            self._take_in(self._file)
            self._read_to += self._file.write(_lines(rows))
            self._file.flush()
        if time.monotonic() - self._synced > _SYNC_S:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()

    def refresh(self) -> None:
        """Take in what other processes have added since."""
        if self._file is not None and self.path is not None:
            with atomic.lock(self.path):
                self._take_in(self._file)

    def finish(self, rows: Iterable[Row]) -> None:
        """Leave exactly these rows in the file, in this order, and close it.

        The file of a run that was killed and continued then equals that of one that was not.
        """
        if self.path is not None:
            self._rewrite(_lines(rows))

    def close(self) -> None:
        """Bring the file to the disk and close it."""
        if self._file is not None and not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def _rewrite(self, content: bytes) -> None:
        self.close()
        if self.path is not None and self.path.read_bytes() != content:
            atomic.write_bytes(self.path, content)

    def _take_in(self, file: IO[bytes]) -> int:
        """Read on to the last whole line, under the lock; return how many lines are to be dropped.

        What comes after it was cut off by a kill, of a process that shares the file too, and is taken away: nobody
        else writes now, and a line appended to it would be spoilt.
        """
        file.seek(self._read_to)
        dropped = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            self._read_to += len(line)
            self._lines += 1
            row = self._parsed(line)
            if row is not None and (self._counts is None or self._counts(row)):
                self.known[self._identity(row)] = row
            else:
                dropped += 1
        if self._read_to < os.fstat(file.fileno()).st_size:
            file.truncate(self._read_to)
        return dropped

    def _parsed(self, line: bytes) -> Row | None:
        """Return the row of a line; None for a foreign one that is to be dropped."""
        try:
            row: Row = json.loads(line)
            hash(self._identity(row))
            return row
        except (ValueError, KeyError, TypeError):
            if self._foreign == "drop":
                return None
            raise DataError(
                got=f"{self.path}, line {self._lines}: nothing that was kept here",
                needed="lines that an earlier run wrote",
                fix="delete the line, or choose another folder",
            ) from None


def _lines(rows: Iterable[Row]) -> bytes:
    """Write rows as lines of UTF-8; the half surrogates that models write as JSON's escapes of them."""
    text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    return text.encode(errors="backslashreplace")
