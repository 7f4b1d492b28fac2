"""Answers that were made elsewhere, read from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.datasets.jsonl import Faults, read_objects
from workbench.generators.answer import Answer, wanted
from workbench.generators.answers import extract_answer, fits

__all__ = ["RecordedGenerator"]

NEEDED = (
    'one JSON object a line, with `code` and `problem_id` or `id`: {"problem_id": 12, "code": "result = df"}'
)


@dataclass(frozen=True)
class _Line:
    number: int
    problem_id: int | str | None
    code: str
    ended: str | None
    said: str
    sample: int | None
    """Where a run wrote the line: which of the problem's answers it is."""
    generator: str | None
    """Where a run wrote the line: whose answer it is."""


class RecordedGenerator:
    """Reads a JSON-lines file of answers: `problem_id` (or `id`) and `code`, or `code` alone, in order.

    Several lines of one id are its samples, in the order of the file. Code that is no valid Python where it
    belongs is cut like a model's answer (`extract_answer`); all other code is taken as it is. The answers.jsonl of a
    run is such a file, as long as one generator alone wrote into it.

    Args:
        path: A `.jsonl` or `.jsonl.gz` file.
        problems: All problems that it may answer, in order. An id that is none of theirs is refused; lines
            without ids answer them one by one. Where None, both go by the problems asked.

    Raises:
        DataError: The file is missing, or lines are malformed or name an unknown problem (all are listed).
    """

    def __init__(self, path: str | Path, problems: Sequence[BenchmarkProblem] | None = None) -> None:
        self.path = Path(path).expanduser()
        self.name = f"recorded:{path}"
        self._problems = problems
        named = any(isinstance(problem.problem_id, str) for problem in problems or ())
        self._lines = self._read((int, str) if named else (int,))
        if problems is not None:
            self._codes(problems, exact=True)

    @property
    def fingerprint(self) -> str:
        """The file's content, as a digest."""
        digest = hashlib.sha256(repr(self._content()).encode())
        return f"recorded:{digest.hexdigest()}"

    def _content(self) -> list[tuple[object, ...]]:
        """Return what the answers depend on; how they ended only where that is said."""
        return [
            (line.problem_id, line.code, *((line.ended, line.said) if line.ended else ()))
            for line in self._lines
        ]

    def counts(self, problems: Sequence[BenchmarkProblem]) -> dict[int | str, int]:
        """Return how many answers the file has to each problem, by problem_id."""
        codes = self._codes(problems if self._problems is None else self._problems, exact=False)
        return {problem.problem_id: len(codes.get(problem.problem_id, [])) for problem in problems}

    def generate(
        self,
        problems: Iterable[BenchmarkProblem],
        *,
        samples: int = 1,
        skip: Collection[tuple[int | str, int]] = (),
    ) -> Iterator[Answer]:
        """Yield the recorded answers. See `Generator.generate`.

        Raises:
            DataError: Problems have fewer answers than samples are wanted (all are listed).
        """
        asked = list(problems)
        codes = self._codes(asked if self._problems is None else self._problems, exact=False)
        faults = Faults(str(self.path))
        for problem in asked:
            there = len(codes.get(problem.problem_id, []))
            if there < samples:
                faults.add(f"problem_id {problem.problem_id}", f"{there} of {samples} answers")
        faults.raise_if_any(
            f"{samples} line(s) for every problem asked",
            "add the missing lines, or ask for fewer problems or samples",
        )
        for problem, sample in wanted(asked, samples, skip):
            line = codes[problem.problem_id][sample]
            yield Answer(problem.problem_id, sample, _cut(line.code, problem), line.ended, line.said)

    def _read(self, ids: tuple[type, ...]) -> list[_Line]:
        """Read all lines; raise one error for all that are malformed."""
        faults, lines = Faults(str(self.path)), list[_Line]()
        for number, row in read_objects(self.path, faults):
            wrong = _fault(row, ids)
            if wrong:
                faults.add(f"line {number}", wrong)
            else:
                lines.append(_line(number, row))
        with_id = [line for line in lines if line.problem_id is not None]
        if with_id and len(with_id) < len(lines):
            bare = next(line for line in lines if line.problem_id is None)
            faults.add(f"line {bare.number}", "no problem_id, while other lines have one")
        faults.raise_if_any(NEEDED, "correct these lines")
        if not lines:
            raise DataError(f"{self.path}: no answers", NEEDED, "name a file that holds answers")
        self._refuse_mixture(lines)
        return sorted(
            lines, key=lambda line: line.sample or 0
        )  # a run that was killed left them as they came

    def _refuse_mixture(self, lines: Sequence[_Line]) -> None:
        """Refuse what two generators wrote into one file: the one's answers would pass for the other's samples."""
        names = sorted({line.generator for line in lines if line.generator is not None})
        places = [(line.problem_id, line.sample) for line in lines if line.sample is not None]
        if len(names) > 1 or len(set(places)) < len(places):
            whose = f" ({', '.join(names)})" if len(names) > 1 else ""
            raise DataError(
                got=f"{self.path}: answers of two generators, or of two settings of one{whose}",
                needed="the answers of one",
                fix="score each into a folder of its own, and name that folder's file",
            )

    def _codes(self, problems: Sequence[BenchmarkProblem], *, exact: bool) -> dict[int | str, list[_Line]]:
        """Return the codes of each problem; where `exact`, refuse ids that are none of the problems'."""
        if self._lines[0].problem_id is None:
            if len(self._lines) != len(problems):
                raise DataError(
                    got=f"{self.path}: {len(self._lines)} answers without ids for {len(problems)} problems",
                    needed="one line a problem, in the problems' order",
                    fix="give each line its `problem_id`",
                )
            return {problem.problem_id: [line] for problem, line in zip(problems, self._lines, strict=True)}
        known = {problem.problem_id for problem in problems}
        faults, codes = Faults(str(self.path)), dict[int | str, list[_Line]]()
        for line in self._lines:
            assert line.problem_id is not None  # _read refuses files that mix both kinds
            if exact and line.problem_id not in known:
                faults.add(f"line {line.number}", f"unknown problem_id {line.problem_id}")
            codes.setdefault(line.problem_id, []).append(line)
        faults.raise_if_any(
            "ids of the problems that are scored", "correct these ids, or name the problems they are of"
        )
        return codes


def _line(number: int, row: dict[str, Any]) -> _Line:
    """Return a line that has no fault."""
    sample, writer = (row.get("sample"), row.get("generator")) if "key" in row else (None, None)
    return _Line(
        number,
        row.get("problem_id", row.get("id")),
        row["code"],
        row.get("ended"),
        row.get("said") or "",
        sample if isinstance(sample, int) else None,
        writer if isinstance(writer, str) else None,
    )


def _cut(code: str, problem: BenchmarkProblem) -> str:
    """Return code that fits as it is; else cut it as a completion, or else as a chat answer, whichever fits."""
    if fits(code, problem):
        return code
    ways = [extract_answer(code, problem, style) for style in ("completion", "chat")]
    return next((way for way in ways if way and fits(way, problem)), ways[0])


def _fault(row: dict[str, Any], ids: tuple[type, ...]) -> str:
    """Say what is wrong with a line; empty where nothing is.

    Args:
        row: The line.
        ids: What an id may be.
    """
    if "code" not in row:
        return "no code"
    if not isinstance(row["code"], str):
        return f"code is a {type(row['code']).__name__}, not a str"
    for key in ("ended", "said"):
        if not isinstance(row.get(key, ""), (str, type(None))):
            return f"{key} is a {type(row[key]).__name__}, not a str"
    for key in ("problem_id", "id"):
        if key in row and (not isinstance(row[key], ids) or isinstance(row[key], bool)):
            return (
                f"{key} is a {type(row[key]).__name__}, not {'an int or a str' if str in ids else 'an int'}"
            )
    return ""
