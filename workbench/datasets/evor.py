"""Load EVOR-bench: problems on two renamed libraries and two long-tail languages, with their documentation.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation" (later named EVOR). Two layouts
are read: JSON lines, and the folders of the authors' archive, which their evaluation runs on. (Not exported by
`workbench.datasets`, which is imported without the retrieval that these problems are for.)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.coding_problem import INSERT, CodingProblem, HiddenTest, VisibleRun
from workbench.datasets.evor_python import Case, python_run, python_tests
from workbench.datasets.jsonl import Faults, name_of, not_text, read_objects
from workbench.store.folders import printable

__all__ = ["INSTALLATION", "PACKAGES", "TASKS", "EvorDocument", "EvorTask", "gold_pages", "load_evor"]

TASKS: Mapping[str, str] = MappingProxyType(
    {"ScipyM": "python", "TensorflowM": "python", "Ring": "ring", "Pony": "pony"}
)
"""The benchmark's four tasks, and the language that each is written in."""

PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ScipyM": ("newScience",), "TensorflowM": ("jumptensor", "tensorflow")}
)
"""What programs of the renamed libraries import: the authors' packages, and what those import themselves."""
# their setup.py names the top package alone, so that only an editable installation is whole
_OWN = "git clone https://github.com/xlang-ai/arks, then {{pip}} --no-deps -e arks/updated_libraries/{task}"
INSTALLATION: Mapping[str, str] = MappingProxyType(
    {"newScience": _OWN.format(task="ScipyM"), "jumptensor": _OWN.format(task="TensorflowM")}
    | {"tensorflow": "{pip} tensorflow-cpu"}
)
"""How each of them is installed; `{pip}` stands for the command of the environment."""

HUB_NAME = "xlangai/EVOR_data"
NEEDED = "problem_description, code_context with [insert] once, and test_cases: objects with input and output"
_TEXTS = ("content", "text", "document", "doc")
_REFERENCES = ("reference_code", "canonical_solution")
_TITLES = ("id", "title", "file", "name")
TOLERANCE: Mapping[str, tuple[int, float]] = MappingProxyType({"Ring": (6, 1e-6), "Pony": (2, 0.0)})
"""Decimals and relative difference within which the authors' evaluation takes two numbers for the same. (Theirs lets
a Ring answer pass that is too small by any amount. Here it does not.)"""
_GOLD_SHARE = 0.7  # of the lines of a gold document that a page must have: the authors' own share
_RING_TRUTH = MappingProxyType({"true": "1", "false": "0"})  # as Ring prints what the answers spell out


@dataclass(frozen=True)
class EvorDocument:
    """A page of a task's documentation."""

    id: str
    """Its name; unique in the task."""
    text: str
    """Markdown."""


@dataclass(frozen=True)
class EvorTask:
    """One of the four tasks."""

    name: str
    """One of `TASKS`."""
    problems: tuple[CodingProblem, ...]
    """Its problems, in order."""
    documents: tuple[EvorDocument, ...]
    """Its documentation, in order."""


def load_evor(task: str, source: str | Path = "hub") -> EvorTask:
    """Load a task.

    A problem's first test is also its visible run where it has several, and is then none of the hidden ones: what
    feedback may tell is never what decides.

    Args:
        task: One of `TASKS`.
        source: "hub", or a folder that holds TASK/TASK.jsonl and TASK/TASK_docs.jsonl, or TASK/examples and
            TASK/docs as in the authors' archive.

    Raises:
        SettingsError: No such task.
        DataError: The data are missing or malformed (all faults are listed), or the Hub cannot be reached.
    """
    if task not in TASKS:
        raise SettingsError(f"task {task!r}", f"one of {', '.join(TASKS)}", "correct the name")
    if str(source) == "hub":
        from workbench.datasets.hub import fetch_file

        asked, pages = (fetch_file(HUB_NAME, f"{task}/{task}{end}.jsonl") for end in ("", "_docs"))
        documents = _documents_of_rows(pages)
        return EvorTask(task, _problems_of_rows(task, asked, documents), documents)
    folder = Path(source).expanduser() / task
    if (folder / "examples").is_dir():
        documents = _documents_of_pages(folder / "docs")
        return EvorTask(task, _problems_of_folders(task, folder / "examples", documents), documents)
    documents = (
        _documents_of_rows(folder / f"{task}_docs.jsonl") if (folder / f"{task}.jsonl").exists() else ()
    )
    return EvorTask(task, _problems_of_rows(task, folder / f"{task}.jsonl", documents), documents)


def gold_pages(documentation: str, documents: Sequence[EvorDocument]) -> tuple[str, ...]:
    """Return the ids of the pages that a problem's gold documentation was taken from.

    The authors keep it as text, each document under a line that says `Document`; a page is gold where it has more
    than 0.7 of the lines of one of them, the share by which they measure recall.

    Args:
        documentation: The problem's text.
        documents: All pages.
    """
    pages = [
        (page.id, {line.strip() for line in page.text.splitlines() if line.strip()}) for page in documents
    ]
    found: list[str] = []
    part: list[str] = []
    for line in [*documentation.splitlines(), "Document"]:
        if "Document" not in line:
            part += [line.strip()] if line.strip() else []
            continue
        shares = [(sum(text in lines for text in part) / len(part), name) for name, lines in pages if part]
        share, name = max(shares, key=lambda one: one[0], default=(0.0, ""))
        found += [name] if share > _GOLD_SHARE else []
        part = []
    return tuple(dict.fromkeys(found))


def _problem(
    task: str,
    key: str,
    row: Mapping[str, Any],
    cases: Sequence[Case],
    *,
    test_code: str,
    documents: Sequence[EvorDocument],
) -> CodingProblem:
    context, language = row["code_context"], TASKS[task]
    visible, hidden = (cases[0], cases[1:]) if len(cases) > 1 else (None, cases)
    runs: tuple[VisibleRun, ...]
    tests: tuple[HiddenTest, ...]
    if language == "python":
        runs = (VisibleRun(python_run(context, visible)),) if visible else (VisibleRun(),)
        tests = (HiddenTest(tests=python_tests(context, test_code, hidden)),)
    else:
        runs = (VisibleRun(context, visible.given.decode() if visible else ""),)
        decimals, relative = TOLERANCE[task]
        tests = tuple(
            HiddenTest(context, one.given.decode(), _printed(one.expected, task), decimals, relative)
            for one in hidden
        )
    return CodingProblem(
        problem_id=key,
        question=row["problem_description"],
        hidden_tests=tests,
        visible_runs=runs,
        code_context=context,
        language=language,
        library=task,
        modules=PACKAGES.get(task, ()),
        gold_documents=gold_pages(row.get("documentation") or "", documents),
        reference_code=next((row[name] for name in _REFERENCES if row.get(name)), ""),
    )


def _printed(expected: bytes, task: str) -> str:
    text = expected.decode().strip()
    return _RING_TRUTH.get(text, text) if task == "Ring" else text


def _faults_of(row: Mapping[str, Any]) -> list[str]:
    """Return what keeps a row from being a problem, tests aside."""
    faults = [
        f"no text {name}" for name in ("problem_description", "code_context") if not _is_text(row.get(name))
    ]
    optional = (*_REFERENCES, "documentation")
    faults += [not_text(name, row[name]) for name in optional if not isinstance(row.get(name), str | None)]
    if not faults and row["code_context"].count(INSERT) != 1:
        faults.append(f"code_context has {INSERT} {row['code_context'].count(INSERT)} times, not once")
    return faults


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _problems_of_rows(task: str, path: Path, documents: Sequence[EvorDocument]) -> tuple[CodingProblem, ...]:
    faults = Faults(str(path))
    problems: dict[str, CodingProblem] = {}
    for line, row in read_objects(path, faults):
        wrong = _faults_of(row)
        cases = _cases_of_row(row, wrong, pickled=TASKS[task] == "python")
        if TASKS[task] == "python" and not _is_text(row.get("test_code")):
            wrong.append("no text test_code")
        try:
            key = name_of(row, "problem_id", "id", default=f"{task}-{line}")
        except ValueError as error:
            wrong, key = [*wrong, str(error)], f"{task}-{line}"
        if key in problems:
            wrong.append(f"problem_id {key} for the second time")
        if wrong:
            faults.add(f"line {line}", "; ".join(wrong))
        else:
            problems[key] = _problem(
                task, key, row, cases, test_code=row.get("test_code", ""), documents=documents
            )
    faults.raise_if_any(NEEDED, "correct these rows, or download the file again")
    if not problems:
        raise DataError(f"{path}: no rows", NEEDED, "name a folder that holds problems")
    return tuple(problems.values())


def _cases_of_row(row: Mapping[str, Any], wrong: list[str], *, pickled: bool) -> list[Case]:
    """Return a row's tests; in JSON, pickled values are written in base64."""
    listed = row.get("test_cases", row.get("tests"))
    if isinstance(listed, str):  # a list that was written as text once more
        try:
            listed = json.loads(listed)
        except ValueError:
            listed = None
    if not isinstance(listed, list) or not listed:
        wrong.append("no list test_cases")
        return []
    cases = []
    for number, one in enumerate(listed, start=1):
        pair = [one.get("input"), one.get("output", one.get("ans"))] if isinstance(one, dict) else [None]
        try:
            cases.append(Case(*(_bytes(value, pickled) for value in pair)))
        except (TypeError, ValueError):
            wrong.append(f"test case {number} is no object with {'base64 ' * pickled}input and output")
    return cases


def _bytes(value: object, pickled: bool) -> bytes:
    if pickled:
        if not isinstance(value, str):
            raise TypeError(value)
        return base64.b64decode(value, validate=True)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError(value)
    return str(value).encode("utf-8", "surrogatepass")


def _problems_of_folders(
    task: str, folder: Path, documents: Sequence[EvorDocument]
) -> tuple[CodingProblem, ...]:
    faults, problems = Faults(str(folder)), []
    for place in sorted(path for path in folder.iterdir() if path.is_dir() and path.name.startswith("q")):
        try:
            row = json.loads((place / "example.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            faults.add(place.name, f"example.json: {error}")
            continue
        row = dict(row) if isinstance(row, dict) else {}
        written, test_code, gold = (
            place / name for name in ("code_context.txt", "test_code.py", "documentation.txt")
        )
        try:
            if written.is_file():
                row["code_context"] = written.read_text(encoding="utf-8")
            if gold.is_file():
                row["documentation"] = gold.read_text(encoding="utf-8")
            code = test_code.read_text(encoding="utf-8") if test_code.is_file() else ""
        except UnicodeDecodeError as error:
            faults.add(place.name, f"its texts: not UTF-8 at byte {error.start}")
            continue
        wrong, cases = _faults_of(row), list(_cases_of_folder(place))
        wrong += [] if TASKS[task] == "python" else _not_utf_8(cases)
        if TASKS[task] == "python" and not test_code.is_file():
            wrong.append("no test_code.py")
        if not cases:
            wrong.append("no tests: input1 and ans1 in the folders of inputs and answers")
        if wrong:
            faults.add(place.name, "; ".join(wrong))
        else:
            problems.append(_problem(task, place.name, row, cases, test_code=code, documents=documents))
    faults.raise_if_any("example.json, code_context.txt and tests in each folder", "unpack the archive again")
    if not problems:
        raise DataError(f"{folder}: no folders q*", "a folder for each problem", "unpack the archive again")
    return tuple(problems)


def _not_utf_8(cases: Sequence[Case]) -> list[str]:
    """Return which tests a program of another language than Python could not be given as text."""
    wrong = []
    for number, case in enumerate(cases, start=1):
        try:
            case.given.decode(), case.expected.decode()
        except UnicodeDecodeError as error:
            wrong.append(f"test {number}: not UTF-8 at byte {error.start}")
    return wrong


def _cases_of_folder(place: Path) -> Iterator[Case]:
    """Yield the tests numbered from 1 as long as there are both files, as the authors' evaluation counts them."""
    number = 1
    while True:
        pairs = (
            (place / folder / f"input{number}{suffix}", place / "ans" / f"ans{number}{suffix}")
            for folder in ("inputs", "input")
            for suffix in (".txt", ".pkl")
        )
        found = next((pair for pair in pairs if pair[0].is_file() and pair[1].is_file()), None)
        if found is None:
            return
        yield Case(found[0].read_bytes(), found[1].read_bytes())
        number += 1


def _documents_of_rows(path: Path) -> tuple[EvorDocument, ...]:
    faults, documents = Faults(str(path)), []
    for line, row in read_objects(path, faults):
        text = next((row[name] for name in _TEXTS if _is_text(row.get(name))), None)
        if text is None:
            faults.add(f"line {line}", f"no text under {', '.join(_TEXTS)}")
            continue
        try:
            title = name_of(row, *(name for name in _TITLES if row.get(name) != ""), default=f"line {line}")
        except ValueError as error:
            faults.add(f"line {line}", str(error))
            continue
        documents.append(EvorDocument(title, text))
    faults.raise_if_any("documents: an id and a text", "correct these rows, or download the file again")
    return tuple(documents)


def _documents_of_pages(folder: Path) -> tuple[EvorDocument, ...]:
    if not folder.is_dir():
        raise DataError(f"no folder {folder}", "the documentation as .md files", "unpack the archive again")
    faults, documents = Faults(str(folder)), []
    for path in sorted(folder.glob("*.md")):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            faults.add(path.name, f"not UTF-8 at byte {error.start}")
            continue
        if text.strip():
            documents.append(EvorDocument(printable(path.name), text))
    faults.raise_if_any("the documentation as .md files in UTF-8", "unpack the archive again")
    return tuple(documents)
