"""Build our own DS-1000-format problems from the YAML sources in `data/ds1000/suite/`.

Run `python -m workbench.datasets.suite` after an edit of a source: it rewrites `data/ds1000/suite.jsonl`
(the problems, in the 'simplified' DS-1000 row format) and `data/ds1000/wrong.jsonl` (plausible answers that
must fail).
`data/ds1000/README.md` describes the fields of a source.
"""

from __future__ import annotations

import ast
import itertools
import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from workbench.core.errors import DataError
from workbench.datasets.jsonl import not_text
from workbench.datasets.suite_row import COMPARISONS, SuiteProblem, row
from workbench.store.location import data_folder

__all__ = [
    "LIBRARIES",
    "PERTURBATIONS",
    "SuiteProblem",
    "build",
    "read_source",
    "row",
    "suite_folder",
    "write",
]

LIBRARIES = ("Pandas", "Numpy", "Matplotlib", "Sklearn", "Scipy", "Pytorch", "Tensorflow")
PERTURBATIONS = ("Origin", "Surface", "Semantic", "Difficult-Rewrite")

FIELDS: Mapping[str, type] = MappingProxyType(
    {"id": int, "type": str, "origin": int, "question": str, "given": str, "reference": str, "wrong": list}
)
OPTIONAL: Mapping[str, type] = MappingProxyType(
    {
        "imports": str,
        "setup": str,
        "inputs": str,
        "output": str,
        "value": str,
        "function": str,
        "tests": list,
        "compare": str,
        "surface": dict,
    }
)


def suite_folder() -> Path:
    """Return the folder of the suite and its sources."""
    return data_folder() / "ds1000"


def read_source(path: Path) -> list[SuiteProblem]:
    """Read and check one library's YAML source.

    Args:
        path: A file with `library`, `imports` and `problems`.

    Returns:
        The problems, in the file's order.

    Raises:
        DataError: The file is missing or no YAML, or a problem is malformed (all its faults at once).
    """
    try:
        source = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"no file {path}", "one YAML source for each library", "restore it from version control"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: {' '.join(str(error).split())}", "valid YAML", "correct the named line"
        ) from error
    library = source.get("library") if isinstance(source, dict) else None
    if library not in LIBRARIES or not isinstance(source.get("problems"), list):
        raise DataError(
            f"{path}: library {library!r}",
            f"a mapping with `library` (one of {', '.join(LIBRARIES)}) and a list of `problems`",
            "add the missing key at the top of the file",
        )
    common = {"imports": source.get("imports", "")}
    problems: list[SuiteProblem] = []
    for position, written in enumerate(source["problems"]):
        entry = common | written if isinstance(written, dict) else written
        faults = _faults(entry, library, position, problems)
        if faults:
            raise DataError(
                f"{path}, problem {position}: {'; '.join(faults)}",
                "the fields described in data/ds1000/README.md",
                f"edit that problem in {path.name}",
            )
        problems.append(_problem(entry, library))
    return problems


def _problem(entry: dict[str, Any], library: str) -> SuiteProblem:
    """Turn a checked entry into a problem; blank lines at a block's end are the YAML's, not the code's."""
    surface = entry.get("surface", {})
    fields = {key: value for key, value in entry.items() if key != "surface"}
    fields = {key: value.rstrip() if isinstance(value, str) else value for key, value in fields.items()}
    fields["wrong"] = tuple(
        {"why": one["why"].strip(), "code": one["code"].rstrip()} for one in entry["wrong"]
    )
    fields["tests"] = tuple(case.rstrip() for case in entry.get("tests", []))
    return SuiteProblem(
        library=library,
        uses=tuple(surface.get("uses", ())),
        avoids=tuple(surface.get("avoids", ())),
        **fields,
    )


def _faults(entry: object, library: str, position: int, earlier: list[SuiteProblem]) -> list[str]:
    """Return what is wrong with one problem of a source; empty where nothing is."""
    if not isinstance(entry, dict):
        return [f"a {type(entry).__name__} where a mapping is needed"]
    faults = [f"unknown field {key!r}" for key in entry if key not in FIELDS and key not in OPTIONAL]
    needed = dict(FIELDS) if library == "Matplotlib" else {**FIELDS, "inputs": str, "tests": list}
    faults += [f"no {key!r}" for key in {**needed, "compare": str} if key not in entry]
    for key, kind in {**FIELDS, **OPTIONAL}.items():
        if key in entry and not isinstance(entry[key], kind):
            faults.append(f"{key!r} is a {type(entry[key]).__name__}, not a {kind.__name__}")
    if faults:
        return faults
    origins = {problem.id for problem in earlier if problem.type == "Origin"}
    if entry["id"] != position:
        faults.append(f"id {entry['id']} at position {position}")
    if entry["type"] not in PERTURBATIONS:
        faults.append(f"type {entry['type']!r} is none of {', '.join(PERTURBATIONS)}")
    elif entry["type"] == "Origin" and entry["origin"] != entry["id"]:
        faults.append("an Origin's `origin` is its own id")
    elif entry["type"] != "Origin" and entry["origin"] not in origins:
        faults.append(f"origin {entry['origin']} is no earlier Origin")
    if "\n" not in entry["compare"] and library != "Matplotlib" and entry["compare"] not in COMPARISONS:
        faults.append(f"compare {entry['compare']!r} is neither code nor one of {', '.join(COMPARISONS)}")
    if set(entry.get("surface", {})) - {"uses", "avoids"}:
        faults.append("`surface` has `uses` and `avoids`, nothing else")
    return faults + _code_faults(entry)


def _code_faults(entry: dict[str, Any]) -> list[str]:
    """Return the faults of a problem's pieces of code and of its wrong answers."""
    wrong = entry["wrong"]
    if not wrong or not all(isinstance(one, dict) and set(one) == {"why", "code"} for one in wrong):
        return ["`wrong` needs at least one item, each with `why` and `code`"]
    surface = entry.get("surface", {})
    texts = {f"{key} of wrong[{i}]": one[key] for i, one in enumerate(wrong) for key in ("why", "code")}
    texts |= {f"tests[{i}]": case for i, case in enumerate(entry.get("tests", []))}
    texts |= {f"an item of surface.{key}": one for key in surface for one in surface[key] or ()}
    no_texts = [fault for fault in itertools.starmap(not_text, texts.items()) if fault]
    if no_texts:
        return no_texts
    pieces = {key: entry.get(key, "") for key in ("imports", "given", "setup", "reference")}
    pieces |= {f"wrong[{i}]": one["code"] for i, one in enumerate(wrong)}
    pieces |= {f"tests[{i}]": case for i, case in enumerate(entry.get("tests", []))}
    faults = []
    for name, code in pieces.items():
        try:
            ast.parse("def body():\n" + textwrap.indent(f"{code}\npass", "    "))
        except SyntaxError as error:
            faults.append(f"{name} is not Python: {error.msg}")
    lines = entry["imports"].split("\n")
    if not all(line.startswith(("import ", "from ")) or not line for line in lines):
        faults.append("imports has other lines than imports (code that is no data belongs into `setup`)")
    return faults


def build(sources: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Render all sources of a folder.

    Args:
        sources: Folder with `pandas.yaml`, `numpy.yaml` and so on, one for each of `LIBRARIES`.

    Returns:
        The problems' rows (`problem_id` 0, 1, ... in the order of `LIBRARIES`), and the wrong answers
        (`problem_id`, `code`, `why`) in the same order.

    Raises:
        DataError: A source is missing or malformed.
    """
    rows: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    for library in LIBRARIES:
        for problem in read_source(sources / f"{library.lower()}.yaml"):
            problem_id = len(rows)
            rows.append(row(problem, problem_id))
            wrong += [
                {"problem_id": problem_id, "code": problem.answer(one["code"]), "why": one["why"]}
                for one in problem.wrong
            ]
    return rows, wrong


def write(folder: Path) -> tuple[int, int]:
    """Regenerate `suite.jsonl` and `wrong.jsonl` from `folder/suite/*.yaml`.

    Args:
        folder: The suite's folder, such as `data/ds1000`.

    Returns:
        How many problems and how many wrong answers were written.
    """
    rows, wrong = build(folder / "suite")
    for name, records in (("suite.jsonl", rows), ("wrong.jsonl", wrong)):
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / name).write_text(text, encoding="utf-8")
    return len(rows), len(wrong)


if __name__ == "__main__":
    try:
        problems, answers = write(suite_folder())
    except DataError as fault:
        sys.exit(str(fault))
    sys.stdout.write(f"{problems} problems, {answers} wrong answers\n")
