"""Read JSON-lines files, plain or gzipped, and report all that is wrong with one together."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError

__all__ = ["Faults", "name_of", "not_text", "read_objects"]

SHOWN = 10


class Faults:
    """Collects what is wrong with a source, so that one error can list all of it.

    Args:
        source: The file or the dataset, as the user named it.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.count = 0
        self._shown: list[str] = []

    def add(self, where: str, what: str) -> None:
        """Note a fault: where it is (`line 3`) and what it is."""
        self.count += 1
        if len(self._shown) < SHOWN:
            self._shown.append(f"{where}: {what}")

    def raise_if_any(self, needed: str, fix: str) -> None:
        """Raise a `DataError` that lists the first ten faults and counts the rest, or do nothing."""
        if not self.count:
            return
        if self.count == 1:
            raise DataError(f"{self.source}, {self._shown[0]}", needed, fix)
        more = [f"... and {self.count - SHOWN} more"] if self.count > SHOWN else []
        lines = "".join(f"\n  {line}" for line in [*self._shown, *more])
        raise DataError(f"{self.source}: {self.count} faults{lines}", needed, fix)


def not_text(name: str, value: object) -> str:
    """Say that a field's value is no text; empty where it is one.

    >>> not_text("title", 6), not_text("title", None), not_text("title", "6")
    ('title is a number, not a text', 'title is null, not a text', '')
    """
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    said = "null" if value is None else kinds.get(type(value), f"a {type(value).__name__}")
    return "" if isinstance(value, str) else f"{name} is {said}, not a text"


def name_of(row: Mapping[str, Any], *fields: str, default: str) -> str:
    """Return what a row calls itself: the first of some fields that is there and not null, a whole number too.

    Args:
        row: The row.
        fields: Names of fields, the first that is there counts.
        default: For a row that has none of them.

    Raises:
        ValueError: That field is neither a text nor a whole number.
    """
    for field in fields:
        value = row.get(field)
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise ValueError(not_text(field, value))
            return str(value)
    return default


def read_objects(path: Path, faults: Faults) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line's number (from 1) and JSON object; blank lines are skipped.

    Args:
        path: A `.jsonl` or `.jsonl.gz` file, UTF-8.
        faults: Receives the lines that hold no JSON object; they are not yielded.

    Raises:
        DataError: The file is missing, a folder, unreadable, or no complete gzip file.
    """
    number = 0
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    value = _parse(line, f"line {number}", faults)
                    if value is not None:
                        yield number, value
    except FileNotFoundError:
        raise DataError(f"no file {path}", "a .jsonl or .jsonl.gz file", "correct the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder", "a .jsonl or .jsonl.gz file", "name the file in it") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}, after line {number}: {error}", "a complete gzip file", "download or compress it again"
        ) from error
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}", "a file that can be read", "see its permissions"
        ) from error


def _parse(line: bytes, where: str, faults: Faults) -> dict[str, Any] | None:
    """Return the object of one line, or None after noting why there is none."""
    try:
        value = json.loads(line.decode("utf-8-sig").rstrip("\r\n"))
    except UnicodeDecodeError as error:
        faults.add(where, f"not UTF-8 at byte {error.start}")
    except json.JSONDecodeError as error:
        faults.add(where, f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:  # an integer of too many digits, lists nested too deep
        faults.add(where, f"not JSON that can be read: {error}")
    else:
        if isinstance(value, dict):
            return value
        faults.add(where, f"a {type(value).__name__} where a JSON object is needed")
    return None
