"""Coding problems from a JSON-lines file that a user writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.datasets.jsonl import Faults, read_objects
from workbench.errors import DataError
from workbench.retrieval.problem import CodingProblem, HiddenTest, VisibleRun

__all__ = ["load_coding_problems"]

_TEXTS = ("problem_id", "question", "code_context", "language", "library", "reference_code")
_NEEDED = (
    'lines like {"problem_id": "1", "question": "...", "visible_runs": [{"context": "x = 2\\n[insert]"}], '
    '"hidden_tests": [{"context": "x = 3\\n[insert]\\nprint(y)", "expected_stdout": "6"}]}'
)


def load_coding_problems(path: str | Path) -> list[CodingProblem]:
    """Read problems, a JSON object a line with the fields of `CodingProblem`.

    Args:
        path: A `.jsonl` or `.jsonl.gz` file.

    Raises:
        DataError: The file is missing or empty, or lines are no problems or share an id; all are listed.
    """
    file = Path(path).expanduser()
    faults, problems = Faults(str(file)), dict[str, CodingProblem]()
    for number, row in read_objects(file, faults):
        try:
            problem = _problem(row)
        except DataError as error:
            faults.add(f"line {number}", error.got)
        except (TypeError, ValueError) as error:
            faults.add(f"line {number}", str(error))
        else:
            if problem.problem_id in problems:
                faults.add(f"line {number}", f"problem_id {problem.problem_id!r} was there before")
            problems[problem.problem_id] = problem
    faults.raise_if_any(_NEEDED, "correct these lines")
    if not problems:
        raise DataError(f"{file}: no problems", _NEEDED, "name a file that holds problems")
    return list(problems.values())


def _problem(row: Mapping[str, Any]) -> CodingProblem:
    known = {*_TEXTS, "visible_runs", "hidden_tests", "gold_documents"}
    unknown = sorted(set(row) - known)
    if unknown:
        raise ValueError(f"unknown fields {', '.join(unknown)}")
    fields: dict[str, Any] = {name: str(row[name]) for name in _TEXTS if name in row}
    fields["hidden_tests"] = tuple(HiddenTest(**one) for one in row.get("hidden_tests", ()))
    if "visible_runs" in row:
        fields["visible_runs"] = tuple(VisibleRun(**one) for one in row["visible_runs"])
    fields["gold_documents"] = tuple(map(str, row.get("gold_documents", ())))
    return CodingProblem(**{"problem_id": "", "question": "", **fields})
