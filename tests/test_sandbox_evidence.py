"""A graded program's verdict is its grader's word, and only that of a grader which came to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.sandbox.evidence import read_verdict
from workbench.sandbox.program import Limits, Program

PASSED = {"kind": "passed", "message": "", "line": None, "stage": None}


def answer(**changed: Any) -> dict[str, Any]:
    kept = {"overrun": "", "report": {}, "scribbled": False, "word": "drawn", "statuses": {}, "seconds": 0.5}
    return {**kept, "peak_memory_bytes": 1, **changed}


def judged(folder: Path, report: Any, **changed: Any) -> str:
    (folder / "grader").mkdir()
    (folder / "grader" / "report.json").write_text(json.dumps(report))
    return read_verdict(Program("x", tests="y"), folder, answer(**changed), Limits()).status


def test_the_graders_word_counts(tmp_path: Path):
    assert judged(tmp_path, {**PASSED, "token": "drawn"}) == "passed"


@pytest.mark.parametrize(
    ("report", "word"),
    [
        (PASSED, "drawn"),
        ({**PASSED, "token": "guessed"}, "drawn"),
        ({**PASSED, "token": ""}, ""),
        ([], "drawn"),
    ],
    ids=["without a token", "another token", "no word at all", "no report"],
)
def test_a_report_of_nobody_says_nothing(tmp_path: Path, report: Any, word: str):
    assert judged(tmp_path, report, word=word, statuses={"grader": 11}) == "crashed"
