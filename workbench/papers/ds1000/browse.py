"""What the problem browser shows of DS-1000: answers with their problems and verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.explore.attempts import Attempt, read_rows
from workbench.papers.ds1000.judgement import digest
from workbench.papers.ds1000.scoring import label
from workbench.store.reading import below, read_json

if TYPE_CHECKING:
    from workbench.generators import Answer
    from workbench.papers.ds1000.judgement import Judgement

__all__ = ["PAPER", "attempts_in", "attempts_of"]

PAPER = "ds1000"


def attempts_of(
    problems: Iterable[BenchmarkProblem],
    answers: Mapping[str, Iterable[Answer]],
    verdicts: Mapping[str, Iterable[Judgement]],
) -> list[Attempt]:
    """Put DS-1000 answers beside their problems and verdicts.

    Args:
        problems: The problems.
        answers: By generator.
        verdicts: By generator; an answer without one is left out, as it is not judged yet.
    """
    by_id = {problem.problem_id: problem for problem in problems}
    found = []
    for name, given in answers.items():
        judged = {(one.problem_id, one.sample): one for one in verdicts.get(name, ())}
        for answer in given:
            problem, verdict = by_id.get(answer.problem_id), judged.get((answer.problem_id, answer.sample))
            if problem is not None and verdict is not None:
                asked = (problem.library, problem.perturbation_type, problem.prompt, answer.code)
                came = (verdict.status, verdict.stage or "", verdict.message)
                place = (str(problem.problem_id), name, answer.sample)
                found.append(Attempt(*place, *asked, problem.reference_code, *came, verdict.line, problem))
    return found


def attempts_in(folder: Path, problems: Any, *, own: bool) -> list[Attempt]:
    """Return the judged answers in a folder of a run's part, or of `workbench ds1000 score`."""
    if (folder / "verdicts.jsonl").is_file():
        asked = read_json(folder / "summary.json").get("problem_set", {}).get("source", "suite")
        return _judged([folder], problems or _ds1000_problems(asked, folder, own))
    steps = read_json(folder / "timings.json").get("steps", {})
    folders = [inside for place in steps if (inside := below(folder / "steps", place)) is not None]
    folders += sorted(file.parent for file in (folder / "answers").glob("*/answers.jsonl"))
    if not any((inside / "verdicts.jsonl").is_file() for inside in folders):
        return []
    asked = read_json(folder / "results.json").get("parameters", {}).get("problems", "suite")
    return _judged(folders, problems or _ds1000_problems(asked, folder, own))


def _ds1000_problems(source: str, folder: Path, own: bool) -> list[BenchmarkProblem]:
    from workbench.papers.ds1000.benchmark import load_benchmark

    if own or source in ("suite", "hub"):
        return list(load_benchmark(source))
    file = below(folder, source)
    if file is None or not file.is_file():
        raise DataError(
            got=f"answers to the problems of {source}, a file outside of {folder}",
            needed="those problems: what is outside of a run's folder is not read because the folder says so",
            fix=f"give them, if they are yours: problems=load_benchmark({source!r}), which "
            "workbench.papers.ds1000.benchmark has",
        )
    return list(load_benchmark(file))


def _judged(folders: Sequence[Path], problems: Any) -> list[Attempt]:
    """Return the answers in some folders, each beside the verdict on its code, wherever that lies among them."""
    from workbench.generators import Answer
    from workbench.papers.ds1000.judgement import Judgement

    verdicts = {
        (row["problem_id"], row["sample"], row["code_sha256"]): Judgement.read(row)
        for folder in folders
        for row in read_rows(folder / "verdicts.jsonl")
    }
    answers: dict[str, list[Answer]] = {}
    judged: dict[str, list[Judgement]] = {}
    for folder in folders:
        for row in read_rows(folder / "answers.jsonl"):
            verdict = verdicts.get((row["problem_id"], row["sample"], digest(row["code"])))
            if verdict is not None:
                name = label(row["generator"])
                answers.setdefault(name, []).append(Answer(row["problem_id"], row["sample"], row["code"]))
                judged.setdefault(name, []).append(verdict)
    return attempts_of(problems, answers, judged)
