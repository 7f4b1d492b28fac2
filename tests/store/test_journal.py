"""Rows survive a kill anywhere, and only those that count are found again."""

from __future__ import annotations

import multiprocessing
from operator import itemgetter
from pathlib import Path

import pytest

from workbench.core.errors import DataError
from workbench.store.journal import Journal, content_key

A, B = {"key": "a", "x": 1}, {"key": "b", "x": 2}
LINE_A, LINE_B = '{"key": "a", "x": 1}\n', '{"key": "b", "x": 2}\n'


def test_rows_are_on_disk_at_once_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    with Journal(path) as journal:
        journal.add(B)
        assert path.read_text() == LINE_B
    with Journal(path) as journal:
        assert journal.known == {"b": B}
        journal.add(A)
        journal.finish([A, B])
    assert path.read_text() == LINE_A + LINE_B


@pytest.mark.parametrize("cut", range(1, 22))
def test_a_line_that_a_kill_cut_off_is_made_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(LINE_A + LINE_B[:cut])
    with Journal(path) as journal:
        assert set(journal.known) == ({"a", "b"} if cut == 21 else {"a"})
        journal.add(B)
    assert path.read_text() == LINE_A + LINE_B + (LINE_B if cut == 21 else "")
    with Journal(path) as journal:
        assert journal.known == {"a": A, "b": B}


@pytest.mark.parametrize("cut", [1, 10, 20])
def test_a_line_that_a_neighbours_kill_cut_off_spoils_nothing(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "rows.jsonl"
    with Journal(path) as journal, Journal(path) as other:
        journal.add(A)
        with path.open("a") as neighbour:
            neighbour.write(LINE_B[:cut])
        journal.refresh()
        other.add(B)
        journal.refresh()
        assert journal.known == other.known == {"a": A, "b": B}
    assert path.read_text() == LINE_A + LINE_B


def test_rows_that_count_no_more_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(LINE_A + LINE_B)
    with Journal(path, counts=lambda row: row["x"] == 2) as journal:
        assert journal.known == {"b": B}
        assert path.read_text() == LINE_B
        with Journal(path) as other:
            other.add({"key": "c", "x": 2})
        journal.refresh()
        assert set(journal.known) == {"b", "c"}
        journal.add(A)
    assert path.read_text() == LINE_B + '{"key": "c", "x": 2}\n' + LINE_A


def test_what_a_row_is_the_result_of_may_be_several_fields(tmp_path: Path) -> None:
    with Journal(tmp_path / "rows.jsonl", itemgetter("key", "x")) as journal:
        journal.add(A, {"key": "a", "x": 2})
        assert set(journal.known) == {("a", 1), ("a", 2)}


def test_of_two_rows_on_the_same_the_later_one_counts(tmp_path: Path) -> None:
    later = {"key": "a", "x": 3}
    with Journal(tmp_path / "rows.jsonl") as journal:
        journal.add(A)
        journal.add(later)
    with Journal(tmp_path / "rows.jsonl") as journal:
        assert journal.known == {"a": later}


def test_without_a_file_rows_are_kept_in_memory() -> None:
    with Journal(None) as journal:
        journal.add(A)
        journal.refresh()
        journal.finish([A])
        assert journal.known == {"a": A}


def test_half_surrogates_come_back_as_they_are(tmp_path: Path) -> None:
    row = {"key": "a", "text": "\ud800 é"}
    with Journal(tmp_path / "rows.jsonl") as journal:
        journal.add(row)
    with Journal(tmp_path / "rows.jsonl") as journal:
        assert journal.known == {"a": row}


@pytest.mark.parametrize("line", ["something\n", "[]\n", "{}\n", '{"key": []}\n'])
def test_a_foreign_line_is_refused_or_dropped_as_asked(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(LINE_A + line)
    with pytest.raises(DataError, match="line 2: nothing that was kept here"):
        Journal(path)
    assert path.read_text() == LINE_A + line
    with Journal(path, foreign="drop") as journal:
        assert journal.known == {"a": A}
    assert path.read_text() == LINE_A


def test_a_folder_in_the_files_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can be read and written"):
        Journal(tmp_path)


def test_what_another_journal_added_is_seen_after_a_refresh(tmp_path: Path) -> None:
    with Journal(tmp_path / "rows.jsonl") as one, Journal(tmp_path / "rows.jsonl") as other:
        one.add(A)
        assert other.known == {}
        other.refresh()
        assert other.known == {"a": A}
        other.add(B)
        one.refresh()
        assert one.known == {"a": A, "b": B}


def _add_many(path: Path, name: str) -> None:
    with Journal(path) as journal:
        for number in range(200):
            journal.add({"key": f"{name}{number}", "text": "x" * 500})


def test_processes_that_add_at_a_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add_many, args=(path, name)) for name in "pqr"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with Journal(path) as journal:
        assert set(journal.known) == {f"{name}{number}" for name in "pqr" for number in range(200)}
    assert len(path.read_text().splitlines()) == 600


def test_a_content_key_depends_on_the_parts_alone() -> None:
    assert content_key("a", {"x": 1, "y": 2}) == content_key("a", {"y": 2, "x": 1})
    assert content_key("a", "b") != content_key("ab", "") != content_key("b", "a")
