"""EVOR-bench: small sets in both layouts, made here; their programs really run."""

from __future__ import annotations

import base64
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.evor import EvorDocument, load_evor
from workbench.languages.hidden_tests import whole_verdict
from workbench.sandbox import Program, Sandbox
from workbench.sandbox.verdict import Verdict

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

PROGRAM = """
import argparse
import pickle

parser = argparse.ArgumentParser()
parser.add_argument("--test_case", type=int, default=1)
number = parser.parse_args().test_case
numbers = pickle.load(open(f"input/input{number}.pkl", "rb"))
[insert]
pickle.dump(result, open(f"result/result_{number}.pkl", "wb"))
"""
TEST_CODE = """
def test(result, expected):
    assert result == expected
    return 1

def stringTest(code):
    return "reversed" not in code
"""
PONY = {"problem_description": "Print the word in capitals.", "code_context": "actor Main\n[insert]\n"}


def in_base64(value: object) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()


def scipym_row(**changes: Any) -> dict[str, Any]:
    cases = [
        {"input": in_base64(given), "output": in_base64(given[::-1])} for given in ([1, 2], [3, 4, 5], [6])
    ]
    return {
        "problem_id": "q1",
        "problem_description": "Reverse the numbers.",
        "code_context": PROGRAM,
        "test_code": TEST_CODE,
        "test_cases": cases,
    } | changes


def write_rows(folder: Path, task: str, rows: list[Any], documents: list[Any] | None = None) -> Path:
    (folder / task).mkdir(parents=True, exist_ok=True)
    for name, listed in (
        (task, rows),
        (f"{task}_docs", documents or [{"title": "one", "content": "A page."}]),
    ):
        text = "".join(json.dumps(row) + "\n" for row in listed)
        (folder / task / f"{name}.jsonl").write_text(text)
    return folder


def write_folders(folder: Path) -> Path:
    place = folder / "Pony" / "examples" / "q7"
    for name in ("inputs", "ans"):
        (place / name).mkdir(parents=True)
    example = {"problem_description": PONY["problem_description"], "instructions": {"gpt": "..."}}
    (place / "example.json").write_text(json.dumps(example))
    (place / "code_context.txt").write_text(PONY["code_context"])
    for number, word in enumerate(["ring", "pony", "hy"], start=1):
        (place / "inputs" / f"input{number}.txt").write_text(word)
        (place / "ans" / f"ans{number}.txt").write_text(word.upper())
    (folder / "Pony" / "docs").mkdir()
    (folder / "Pony" / "docs" / "strings.md").write_text("# Strings\nupper() gives capitals.")
    (folder / "Pony" / "docs" / "empty.md").write_text("")
    return folder


def test_rows_of_a_language(tmp_path: Path) -> None:
    cases = [{"input": "a\n", "output": "A"}, {"input": "b\n", "output": "true"}, {"input": 3, "output": 4.5}]
    folder = write_rows(tmp_path, "Ring", [PONY | {"test_cases": cases}])
    task = load_evor("Ring", folder)
    (problem,) = task.problems
    assert (problem.problem_id, problem.language, problem.library) == ("Ring-1", "ring", "Ring")
    assert problem.question == "Print the word in capitals."
    assert [run.stdin for run in problem.visible_runs] == ["a\n"]
    hidden = [(test.stdin, test.expected_stdout) for test in problem.hidden_tests]
    assert hidden == [("b\n", "1"), ("3", "4.5")]  # Ring prints truth as a number
    assert task.documents == (EvorDocument("one", "A page."),)


def test_folders_of_the_archive(tmp_path: Path) -> None:
    task = load_evor("Pony", write_folders(tmp_path))
    (problem,) = task.problems
    assert (problem.problem_id, problem.language, problem.code_context) == (
        "q7",
        "pony",
        "actor Main\n[insert]\n",
    )
    assert problem.visible_runs[0].stdin == "ring"
    assert [test.stdin for test in problem.hidden_tests] == ["pony", "hy"]
    assert [test.expected_stdout for test in problem.hidden_tests] == ["PONY", "HY"]
    assert task.documents == (EvorDocument("strings.md", "# Strings\nupper() gives capitals."),)


def test_only_test_is_hidden_and_the_visible_run_has_no_input(tmp_path: Path) -> None:
    folder = write_rows(tmp_path, "Pony", [PONY | {"test_cases": [{"input": "x", "output": "X"}]}])
    (problem,) = load_evor("Pony", folder).problems
    assert problem.visible_runs[0].stdin == ""
    assert problem.hidden_tests[0].expected_stdout == "X"


@LINUX
def test_python_problem_really_runs(tmp_path: Path) -> None:
    (problem,) = load_evor("ScipyM", write_rows(tmp_path, "ScipyM", [scipym_row()])).problems
    (test,) = problem.hidden_tests
    assert test.tests is not None
    with Sandbox(workers=1) as box:
        right = box.run(Program("result = numbers[::-1]", test.tests))
        assert right.passed, right
        assert box.run(Program("result = numbers", test.tests)).message == "wrong in test 1"
        banned = box.run(Program("result = list(reversed(numbers))", test.tests))
        assert (banned.status, banned.stage) == ("failed", "surface")
        visible = problem.visible_runs[0]
        assert box.run(visible.source("print(numbers)\nresult = 1")).stdout == "[1, 2]\n"
        assert box.run(visible.source("result = nothing")).message.startswith("NameError")


@LINUX
def test_no_pickle_of_a_program_is_read_beside_the_expected_values(tmp_path: Path) -> None:
    """What a program pickles may run code where it is read: that is the program's own process."""
    evil = "class Evil:\n    def __reduce__(self):\n        return exec, ('import os; os._exit(0)',)\nresult = Evil()"
    (problem,) = load_evor("ScipyM", write_rows(tmp_path, "ScipyM", [scipym_row()])).problems
    with Sandbox(workers=1) as box:
        verdict = box.run(Program(evil, problem.hidden_tests[0].tests))
    assert verdict.status == "failed"
    assert "exit code 0" in verdict.message


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"problem_description": " "}, "no text problem_description"),
        ({"code_context": "no mark"}, r"\[insert\] 0 times"),
        ({"code_context": "[insert][insert]"}, r"\[insert\] 2 times"),
        ({"test_cases": []}, "no list test_cases"),
        ({"test_cases": "not json"}, "no list test_cases"),
        ({"test_cases": [{"input": "!"}]}, "test case 1 is no object with base64 input and output"),
        ({"test_cases": [7]}, "test case 1"),
        ({"test_code": ""}, "no text test_code"),
        ({"reference_code": 3}, "reference_code is a number, not a text"),
        ({"problem_id": [1]}, "problem_id is a list, not a text"),
    ],
)
def test_faulty_rows_are_named_by_line(row: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = write_rows(tmp_path, "ScipyM", [scipym_row(), scipym_row(problem_id="q2") | row])
    with pytest.raises(DataError, match=rf"ScipyM\.jsonl, line 2: .*{said}"):
        load_evor("ScipyM", folder)


def test_null_is_no_name(tmp_path: Path) -> None:
    folder = write_rows(
        tmp_path, "ScipyM", [scipym_row(problem_id=None, reference_code=None)], [{"id": None, "text": "t"}]
    )
    loaded = load_evor("ScipyM", folder)
    assert [problem.problem_id for problem in loaded.problems] == ["ScipyM-1"]
    assert [page.id for page in loaded.documents] == ["line 1"]


def test_id_twice(tmp_path: Path) -> None:
    folder = write_rows(tmp_path, "ScipyM", [scipym_row(), scipym_row()])
    with pytest.raises(DataError, match="line 2: problem_id q1 for the second time"):
        load_evor("ScipyM", folder)


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    folder = write_rows(tmp_path, "Pony", [[1], PONY, PONY | {"code_context": 3}])
    with pytest.raises(DataError, match=r"3 faults(?s:.*)line 1(?s:.*)line 2(?s:.*)line 3"):
        load_evor("Pony", folder)


@pytest.mark.parametrize(
    ("missing", "said"),
    [("example.json", "example.json"), ("code_context.txt", "code_context"), ("ans/ans1.txt", "no tests")],
)
def test_faulty_folder_is_named(missing: str, said: str, tmp_path: Path) -> None:
    write_folders(tmp_path)
    (tmp_path / "Pony" / "examples" / "q7" / missing).unlink()
    with pytest.raises(DataError, match=f"q7: .*{said}"):
        load_evor("Pony", tmp_path)


@pytest.mark.parametrize("name", ["code_context.txt", "ans/ans1.txt"])
def test_texts_of_a_folder_that_are_no_utf_8_are_named(name: str, tmp_path: Path) -> None:
    write_folders(tmp_path)
    (tmp_path / "Pony" / "examples" / "q7" / name).write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"q7: .*not UTF-8 at byte 3"):
        load_evor("Pony", tmp_path)


def test_missing_data(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Perl"):
        load_evor("Perl", tmp_path)
    with pytest.raises(DataError, match="no file"):
        load_evor("Ring", tmp_path)
    with pytest.raises(DataError, match="no rows"):
        load_evor("Ring", write_rows(tmp_path, "Ring", []))
    with pytest.raises(DataError, match="no text under"):
        load_evor(
            "Ring",
            write_rows(tmp_path, "Ring", [PONY | {"test_cases": [{"input": 1, "output": 1}]}], [{"id": 1}]),
        )


def test_hub_is_asked_for_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.datasets import hub

    folder = write_rows(tmp_path, "Ring", [PONY | {"test_cases": [{"input": "x", "output": "X"}]}])
    asked: list[tuple[str, str]] = []

    def fetch(name: str, filename: str) -> Path:
        asked.append((name, filename))
        return folder / filename

    monkeypatch.setattr(hub, "fetch_file", fetch)
    assert len(load_evor("Ring").problems) == 1
    assert asked == [("xlangai/EVOR_data", "Ring/Ring.jsonl"), ("xlangai/EVOR_data", "Ring/Ring_docs.jsonl")]


@pytest.mark.parametrize(
    ("task", "printed", "expected", "same"),
    [
        ("Pony", "2.50", "2.5", True),
        ("Pony", "2.504", "2.5", True),  # to two decimals
        ("Pony", "2.51", "2.5", False),
        ("Ring", "0.3333333", "0.333333", True),  # to six decimals
        ("Ring", "1000000.5", "1000000", True),  # 5e-7 of it
        ("Ring", "0.5", "1", False),  # the authors' difference has a sign, and lets it pass
        ("Ring", "yes", "no", False),
        ("Ring", "1 2", "1 2.0", False),  # texts, not one number
        ("Ring", "nan", "1", False),
        ("Pony", "inf", "1", False),
    ],
)
def test_numbers_are_compared_as_the_authors_round_them(
    task: str, printed: str, expected: str, same: bool, tmp_path: Path
) -> None:
    folder = write_rows(tmp_path, task, [PONY | {"test_cases": [{"input": "x", "output": expected}]}])
    (problem,) = load_evor(task, folder).problems
    verdict = Verdict("passed", stdout=f"{printed}\n")
    assert whole_verdict(problem, [verdict]).passed is same


def test_gold_documents_are_the_pages_that_the_archives_text_was_taken_from(tmp_path: Path) -> None:
    folder = write_folders(tmp_path)
    docs = folder / "Pony" / "docs"
    (docs / "maps.md").write_text("# Maps\nkeys\nvalues\nget\nput\nclear\n")
    (docs / "sets.md").write_text("# Sets\nkeys\nunion\nminus\nclear\n")
    gold = "Document 1:\n# Maps\nkeys\nvalues\n\nDocument 2:\n# Strings\nupper() gives capitals.\n"
    gold += "Document 3:\nof no page\n"
    (folder / "Pony" / "examples" / "q7" / "documentation.txt").write_text(gold)
    (problem,) = load_evor("Pony", folder).problems
    assert problem.gold_documents == (
        "maps.md",
        "strings.md",
    )  # three lines of Maps, of five: a part of the page
    row = PONY | {"test_cases": [{"input": 1, "output": 1}], "documentation": "Document:\nA page."}
    (of_row,) = load_evor("Ring", write_rows(tmp_path / "rows", "Ring", [row])).problems
    assert of_row.gold_documents == ("one",)
    (none,) = load_evor("Ring", write_rows(tmp_path / "no", "Ring", [row | {"documentation": None}])).problems
    assert none.gold_documents == ()
