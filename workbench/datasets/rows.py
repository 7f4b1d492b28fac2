"""Read the rows of a data file: JSON lines, a JSON list or Parquet, gzipped or not."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.datasets.jsonl import Faults, read_objects

__all__ = ["SUFFIXES", "is_data_file", "read_rows"]

SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".parquet")
"""What the names of data files end with."""


def is_data_file(name: str | Path) -> bool:
    """Whether a name ends as data files' names do; the file need not exist."""
    return str(name).endswith(SUFFIXES)


def read_rows(path: Path, faults: Faults) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each row is (`line 3` of JSON lines, else `row 3`, from 1) and the row.

    Args:
        path: A file of one of `SUFFIXES`, UTF-8 where it is text.
        faults: Receives what is no row; that is not yielded.

    Raises:
        DataError: The file is missing, a folder, of another kind, unreadable or incomplete.
    """
    needed = f"a file that ends in {', '.join(SUFFIXES)}"
    if not path.exists():
        raise DataError(f"no file {path}", needed, "correct the path")
    if path.is_dir():
        raise DataError(f"{path} is a folder", needed, "name the file in it")
    if not is_data_file(path):
        raise DataError(f"{path}: a name that does not tell its format", needed, "rename it")
    if path.suffix == ".parquet":
        yield from _parquet(path)
    elif ".json" in path.suffixes[-2:] and _holds_list(path):
        yield from _json_list(path, faults)
    else:  # also JSON lines in a file called .json, as the Hub has many
        yield from ((f"line {number}", row) for number, row in read_objects(path, faults))


def _holds_list(path: Path) -> bool:
    """Whether the first character that is no space opens a JSON list."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
    except (OSError, EOFError, zlib.error):
        return False  # read_objects says in full what is wrong with it


def _json_list(path: Path, faults: Faults) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a JSON list."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            rows = json.loads(file.read().decode("utf-8-sig"))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: {error}", "a complete file", "download or compress it again") from error
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise DataError(f"{path}: not JSON: {error}", "one JSON list of objects", "correct it") from error
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict):
            yield f"row {number}", row
        else:
            faults.add(f"row {number}", f"a {type(row).__name__} where a JSON object is needed")


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a Parquet file, one batch in memory at a time."""
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except (pyarrow.ArrowException, OSError) as error:
        why = str(error).splitlines()[0]
        raise DataError(
            f"{path}, after row {number}: {why}", "a complete Parquet file", "download it again"
        ) from error
