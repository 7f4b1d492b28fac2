"""Rows survive a kill anywhere, and only those of today's keys count."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import DataError
from workbench.evaluation.preference_journal import RowJournal


def test_rows_are_on_disk_at_once_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    with RowJournal(path, ["a", "b"]) as journal:
        journal.add({"b": {"x": 2}})
        assert path.read_text() == '{"key": "b", "x": 2}\n'
    with RowJournal(path, ["a", "b"]) as journal:
        assert journal.known == {"b": {"x": 2}}
        journal.add({"a": {"x": 1}})
        assert journal.finish(["a", "b"]) == [{"x": 1}, {"x": 2}]
    assert path.read_text() == '{"key": "a", "x": 1}\n{"key": "b", "x": 2}\n'


@pytest.mark.parametrize("cut", range(1, 22))
def test_a_line_that_a_kill_cut_off_is_made_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "rows.jsonl"
    whole = b'{"key": "a", "x": 1}\n'
    path.write_bytes(whole + b'{"key": "b", "x": 2}\n'[:cut])
    with RowJournal(path, ["a", "b"]) as journal:
        assert set(journal.known) == ({"a", "b"} if cut == 21 else {"a"})
        journal.add({"b": {"x": 2}})
        journal.finish(["a", "b"])
    assert path.read_bytes() == whole + b'{"key": "b", "x": 2}\n'


def test_rows_of_other_keys_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"key": "old", "x": 1}\n')
    with RowJournal(path, ["a"]) as journal:
        assert journal.known == {}
    assert path.read_text() == ""


def test_without_a_file_rows_are_kept_in_memory() -> None:
    with RowJournal(None, ["a"]) as journal:
        journal.add({"a": {"x": 1}})
        assert journal.finish(["a"]) == [{"x": 1}]


@pytest.mark.parametrize("line", ["something\n", "[]\n", "{}\n"])
def test_another_file_is_never_overwritten(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(line)
    with pytest.raises(DataError, match="line 1: no row of an earlier run"):
        RowJournal(path, ["a"])
    assert path.read_text() == line


def test_a_folder_in_the_files_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can be read and written"):
        RowJournal(tmp_path, ["a"])
