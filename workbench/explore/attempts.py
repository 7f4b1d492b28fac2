"""Answers with their problems and verdicts, from whatever a run has left: what the problem browser shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError
from workbench.explore.browsers import browsers
from workbench.store.reading import MALFORMED, check_closed

if TYPE_CHECKING:
    from workbench.datasets.coding_problem import BenchmarkProblem

__all__ = ["Attempt", "load_attempts", "paper_folder", "read_rows"]


@dataclass(frozen=True)
class Attempt:
    """One answer to one problem, and what came of it."""

    problem_id: str
    generator: str
    """Who answered; in ARKS the setting and the model."""
    sample: int
    """Which of its answers to this problem, from 0."""
    library: str
    kind: str
    """How the problem was perturbed; empty where that is no question."""
    prompt: str
    """What was asked."""
    answer: str
    """The code that was written."""
    reference: str
    """A right answer; empty where none is known."""
    status: str
    """As `Verdict.status`; `silent` for a program that ran and is wrong, where the loop could not know."""
    stage: str = ""
    """Where it failed, such as `execution` or `surface`."""
    message: str = ""
    line: int | None = None
    """1-based line of the answer at which it went wrong."""
    problem: BenchmarkProblem | None = None
    """What is needed to run an answer again; None where only the trace is there."""

    @property
    def passed(self) -> bool:
        """Whether all tests were met."""
        return self.status == "passed"


def load_attempts(source: Any, *, problems: Sequence[BenchmarkProblem] | None = None) -> list[Attempt]:
    """Find the answers of a run.

    Args:
        source: The folder of a run, or of one paper's part of it; what `workbench ds1000 score` or `workbench arks
            run` wrote; an open `Run`; a result in memory; or attempts. Of a folder, which may be another's, no file
            outside is read.
        problems: The problems, where the folder does not tell how to load them again.

    Raises:
        DataError: There are no judged answers, or they are not what a run writes, or the problems are missing.
        RunError: A link leads out of the folder.
    """
    if isinstance(source, list | tuple):
        return list(source)
    for browser in browsers("attempts_of_result"):
        found: list[Attempt] | None = browser.attempts_of_result(source)
        if found is not None:
            return found
    place = Path(getattr(source, "folder", source)).expanduser()
    check_closed(place)
    own = hasattr(source, "settings")  # an open run: its parameters are the user's
    readers = list(browsers("attempts_in"))
    found = [
        attempt
        for reader in readers
        for folder in (place, place / reader.PAPER)
        for attempt in _read(reader, folder, problems, own)
    ]
    if not found:
        names = " or ".join(reader.PAPER for reader in readers)
        raise DataError(
            got=f"no judged answers in {place}",
            needed=f"the folder of a run of {names}, or of `workbench ds1000 score` or `workbench arks run`",
            fix="name such a folder; a run that has just begun has none yet",
        )
    return found


def _read(reader: Any, folder: Path, problems: Any, own: bool) -> list[Attempt]:
    try:
        return list(reader.attempts_in(folder, problems, own=own))
    except MALFORMED as error:
        raise DataError(
            got=f"{folder}: {type(error).__name__}: {error}",
            needed="answers, verdicts and results as a run left them",
            fix="restore the files, or make the run again",
        ) from error


def paper_folder(source: Any, paper: str) -> Path:
    """Return the folder of a paper's part of a run: given itself, or the run, or an open `Run`."""
    place = Path(getattr(source, "folder", source)).expanduser()
    return place / paper if (place / paper / "results.json").is_file() else place


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON-lines file, but for lines that a kill cut off; none where there is no file."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row
