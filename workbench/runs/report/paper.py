"""One paper's part of a run, read from its folder and ready to be shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.core.errors import InternalError, RunError
from workbench.runs.report.claims import ClaimRow, ClaimVerdict, claim_rows, tally
from workbench.runs.report.figures import description, points_table
from workbench.runs.report.values import Cell, columns_of
from workbench.store.reading import MALFORMED, below, check_closed, read_json

__all__ = ["Figure", "Paper", "Table", "read_papers"]


@dataclass(frozen=True)
class Table:
    """A table whose cells know what they are sorted by."""

    id: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    kept: str = ""
    """Where it was not measured by this run: the command that measured it."""


@dataclass(frozen=True)
class Figure:
    """A figure: drawn from its JSON, told in a sentence, and set out as a table."""

    id: str
    caption: str
    description: str
    content: Mapping[str, Any]
    """The figure as plotly's JSON."""
    height: int
    """In pixels."""
    data: Table | None
    fault: str = ""
    """Why it is not shown; empty where it is."""
    kept: str = ""
    """As of a table."""

    @property
    def json(self) -> str:
        """The figure for a script element of type application/json."""
        return script_json(self.content)


@dataclass(frozen=True)
class Paper:
    """What a paper's notebook asked, measured and drew."""

    name: str
    title: str
    asks: str
    profile: str
    parameters: Mapping[str, Any]
    seed: Any
    claims: tuple[ClaimRow, ...]
    common_note: str
    """What the notes of all its claims say alike."""
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    numbers: tuple[tuple[str, Any], ...]
    state: Mapping[str, Any]
    timings: tuple[tuple[str, float, bool], ...]
    """Steps: name, seconds, whether the last run read it from cache."""
    notebook: Path | None
    """The executed notebook."""
    results: Mapping[str, Any]
    """Its results.json."""

    @property
    def tally(self) -> list[tuple[ClaimVerdict, int]]:
        """Claims counted by verdict."""
        return tally(self.claims)

    @property
    def lacking(self) -> str:
        """What keeps the paper from being whole: `failed`, `not finished`, `not begun`; empty where nothing does."""
        words = {"failed": "failed", "running": "not finished", "planned": "not begun"}
        return words.get(str(self.state.get("status")), "")

    @property
    def failure(self) -> str:
        """Where and how it failed, in a sentence, and whose fault that is; empty where it did not."""
        if self.state.get("status") != "failed":
            return ""
        said = f"Cell {self.state.get('cell')} failed: {str(self.state.get('error')).rstrip('.')}."
        if not self.state.get("own"):
            return said
        more = InternalError.report(f"{self.state.get('command', 'workbench run')} --debug")
        return f"{said} {InternalError.WORDS.capitalize()}: {more}."

    @property
    def ended(self) -> str:
        """When the notebook ended, to the minute in UTC; empty where it did not, or is not there."""
        noted = read_json(self.notebook).get("metadata", {}).get("papermill", {}) if self.notebook else {}
        return str(noted.get("end_time") or "")[:16].replace("T", " ")


def read_papers(run_folder: Path) -> list[Paper]:
    """Read all papers of a run.

    Args:
        run_folder: The run's folder, with a folder for each paper inside.

    Raises:
        RunError: It holds no results, or a link leads out of it.
    """
    check_closed(run_folder)
    results = {file.parent: _results(file) for file in run_folder.glob("*/results.json")}
    found = {file.parent for file in run_folder.glob("*/state.json")}
    # other commands write a results.json of their own, without a profile
    found |= {folder for folder, one in results.items() if "profile" in one}
    if not found:
        raise RunError(
            got=f"no results in {run_folder}",
            needed="a run's folder, with PAPER/results.json inside",
            fix="make one with `workbench run`",
        )
    return [_read(folder, results.get(folder, {})) for folder in sorted(found)]


_FORM = {"claims": list, "figures": dict, "tables": dict, "numbers": dict, "parameters": dict}


def _results(file: Path) -> dict[str, Any]:
    """Return a paper's results.

    Raises:
        RunError: The file cannot be read, or is not what a run writes.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        wrong = "no JSON object" if not isinstance(found, dict) else _fault(found)
    except (OSError, ValueError) as error:
        wrong = str(error)
    if wrong:
        raise _not_a_runs(file, wrong)
    return dict(found)


def _not_a_runs(file: Path, wrong: str) -> RunError:
    return RunError(
        got=f"{file}: {wrong}",
        needed="the results that a run left there",
        fix="restore the file, or run the paper again: `workbench run PAPER --out RUN`",
    )


def _fault(results: Mapping[str, Any]) -> str:
    """Say what in a paper's results has another form than a run gives it; nothing where all is right."""
    faults = [
        f"{name!r} is {type(results[name]).__name__}, not {kind.__name__}"
        for name, kind in _FORM.items()
        if not isinstance(results.get(name, kind()), kind)
    ]
    return "; ".join(faults)


def _read(folder: Path, results: Mapping[str, Any]) -> Paper:
    """Return a paper's part; what is inside of its results is looked at as it is read."""
    try:
        return _paper(folder, results)
    except MALFORMED as error:
        # of a part that is not what a run writes, such as a claim without a statement
        raise _not_a_runs(folder / "results.json", f"{type(error).__name__}: {error}") from error


def _paper(folder: Path, results: Mapping[str, Any]) -> Paper:
    timings = read_json(folder / "timings.json")
    claims, common = claim_rows(results.get("claims", []))
    notebook = folder / "notebook.ipynb"
    return Paper(
        name=folder.name,
        title=results.get("title", folder.name),
        asks=results.get("asks", ""),
        profile=results.get("profile", "unknown"),
        parameters=results.get("parameters", {}),
        seed=timings.get("seed"),
        claims=tuple(claims),
        common_note=common,
        figures=tuple(_figure(folder, name, about) for name, about in results.get("figures", {}).items()),
        tables=tuple(_table(folder, name, about) for name, about in results.get("tables", {}).items()),
        numbers=tuple(_flat(results.get("numbers", {}))),
        state=read_json(folder / "state.json"),
        timings=tuple(
            # the last word of a step's place is the start of its key, which says nothing to a reader
            (place.rpartition("-")[0], timing.get("seconds", 0.0), bool(timing.get("from_cache")))
            for place, timing in timings.get("steps", {}).items()
        ),
        notebook=notebook if notebook.is_file() else None,
        results=results,
    )


def _figure(folder: Path, name: str, about: Mapping[str, str]) -> Figure:
    """Read a figure, which has to lie in the paper's own folder; one that cannot be shown says why."""
    caption, key, kept = about["caption"], f"{folder.name}-{name}", about.get("kept", "")
    file = below(folder, about["file"])
    content = read_json(file) if file is not None else {}
    if file is None:
        fault = f"its file, {about['file']!r}, is not in the paper's folder"
    elif "data" not in content:
        fault = f"its file, {about['file']!r}, is missing or damaged"
    else:
        try:
            return replace(_drawn(key, caption, content), kept=kept)
        except MALFORMED as error:
            fault = f"its file, {about['file']!r}, is no figure: {error}"
    return Figure(key, caption, "", {}, 0, None, fault, kept)


def _drawn(key: str, caption: str, content: Mapping[str, Any]) -> Figure:
    layout = content.get("layout", {})
    columns, rows = points_table(content)
    data = None
    if rows:
        data = Table(f"{key}-data", f"Data of the figure: {caption}", tuple(columns), tuple(map(tuple, rows)))
    return Figure(
        id=key,
        caption=caption,
        description=description(content),
        content=content,
        height=int(layout.get("height") or 420),
        data=data,
    )


def script_json(content: Any) -> str:
    """Write JSON for a script element: `<` only occurs inside its strings, and escaped it can end no element."""
    return json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")


def _table(folder: Path, name: str, about: Mapping[str, Any]) -> Table:
    if any(len(row) != len(about["columns"]) for row in about["rows"]):
        raise ValueError(f"table {name!r} has rows that are not as wide as its head")
    rows = tuple(map(tuple, columns_of(about["rows"])))
    return Table(
        f"{folder.name}-table-{name.replace(' ', '-')}",
        about["caption"],
        tuple(about["columns"]),
        rows,
        about.get("kept", ""),
    )


def _flat(numbers: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield nested numbers with the names on the way joined."""
    for name, value in numbers.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name} / ")
        else:
            yield before + name, value
