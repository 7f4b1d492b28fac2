"""Names of files that come out of a program: one spelling each, none of them the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.sandbox.inside.files import ForbiddenFile, check_files, named_in, read_files, write_files

OWN = ("ans.png", "data/given.csv")


@pytest.mark.parametrize("name", ["output.png", "a/b/c.txt", "..x", "Ans.png", "ans.png.bak", "naïve ü.txt"])
def test_plain_names_are_taken(name: str):
    assert check_files({name: b"1"}, OWN) == {name: b"1"}


SPELLINGS = """
./ans.png .//ans.png ans.png/ ans.png/. x/../ans.png ../grader/report.json /ans.png //ans.png a//b a/./b a/ . ..
ans.png/x data .\\ans.png a\\b
"""


@pytest.mark.parametrize(
    "name", [*SPELLINGS.split(), "", "a\nb", "a\0b", "x" * 2_000, "ans.png", "data/given.csv"]
)
def test_other_spellings_are_refused(name: str):
    with pytest.raises(ForbiddenFile):
        check_files({name: b"1"}, OWN)


def test_a_file_below_a_file_is_refused():
    with pytest.raises(ForbiddenFile, match="below a file"):
        check_files({"a": b"1", "a/b": b"2"}, ())


@pytest.mark.parametrize("files", [None, [], {"a": "text"}, {7: b"1"}, {"a": bytearray(b"1")}])
def test_other_forms_are_refused(files: object):
    with pytest.raises(ForbiddenFile):
        check_files(files, ())


def test_files_are_new_and_never_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("ans.png").write_bytes(b"expected")
    Path("output.png").symlink_to("ans.png")
    write_files({"output.png": b"drawn", "deep/er.txt": b"x"})
    assert Path("ans.png").read_bytes() == b"expected"
    assert read_files({"ans.png": b"expected"}) == {"output.png": b"drawn", "deep/er.txt": b"x"}


TAKEN = {
    "output.png": b"1",
    "a/x_1.csv": b"2",
    "cache/output.pkl": b"3",
    "m.py": b"4",
    "model": b"\x80\x04K\x01.",
}


@pytest.mark.parametrize(
    ("tests", "read"),
    [
        ("", []),
        ("open('output.png')", ["output.png"]),
        ("glob.glob('**/*.csv')", ["a/x_1.csv"]),
        ("open('a/x_1.csv')", ["a/x_1.csv"]),
        ("import m  # m.py; joblib.load('cache/output.pkl'), open('model')", []),
    ],
)
def test_files_reach_the_tests_that_name_them(tests: str, read: list[str]):
    """Never a module or a pickle, whatever it is called."""
    assert list(named_in(TAKEN, tests)) == read
