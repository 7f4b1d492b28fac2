"""Coding problems from a JSON-lines file that a user writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any, TypeVar

from workbench.core.errors import DataError
from workbench.datasets.coding_problem import CodingProblem, HiddenTest, VisibleRun
from workbench.datasets.jsonl import Faults, name_of, read_objects

__all__ = ["load_coding_problems"]

_TEXTS = ("problem_id", "question", "code_context", "language", "library", "reference_code")
_NEEDED = (
    'lines like {"problem_id": "1", "question": "...", "visible_runs": [{"context": "x = 2\\n[insert]"}], '
    '"hidden_tests": [{"context": "x = 3\\n[insert]\\nprint(y)", "expected_stdout": "6"}]}'
)


Part = TypeVar("Part", VisibleRun, HiddenTest)


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
        except ValueError as error:
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
    given = {name: value for name, value in row.items() if value is not None}  # null: not given
    fields: dict[str, Any] = {name: given[name] for name in _TEXTS if name in given}
    fields["problem_id"] = name_of(given, "problem_id", default="")
    fields["hidden_tests"] = _parts(given, "hidden_tests", HiddenTest)
    if "visible_runs" in given:
        fields["visible_runs"] = _parts(given, "visible_runs", VisibleRun)
    fields["gold_documents"] = tuple(_listed(given, "gold_documents"))
    return CodingProblem(**{"question": "", **fields})


def _parts(given: Mapping[str, Any], name: str, kind: type[Part]) -> tuple[Part, ...]:
    """Return the runs or tests of a row; what they hold is checked where the problem is made."""
    known, parts = {field.name for field in fields_of(kind)}, []
    for number, one in enumerate(_listed(given, name), start=1):
        if not isinstance(one, Mapping):
            raise ValueError(f"item {number} of {name} is no object")
        unknown = sorted(set(one) - known)
        if unknown:
            raise ValueError(f"item {number} of {name} has unknown fields {', '.join(unknown)}")
        parts.append(kind(**{field: value for field, value in one.items() if value is not None}))
    return tuple(parts)


def _listed(given: Mapping[str, Any], name: str) -> list[Any]:
    listed = given.get(name, [])
    if not isinstance(listed, list):
        raise ValueError(f"{name} is no list")
    return listed
