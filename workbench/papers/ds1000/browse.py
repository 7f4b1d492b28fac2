"""What the problem browser shows of DS-1000: answers with their problems and verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError
from workbench.datasets.ds1000 import Problem
from workbench.explore.attempts import Attempt, read_rows
from workbench.papers.ds1000.scoring import label, word
from workbench.store.reading import below, read_json

if TYPE_CHECKING:
    from workbench.generators import Answer
    from workbench.papers.ds1000.judgement import Judgement

__all__ = ["PAPER", "attempts_in", "attempts_of"]

PAPER = "ds1000"


_STEP = re.compile(r"(answers|verdicts)-(.+)-[0-9a-f]{16}")


def attempts_of(
    problems: Iterable[Problem],
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
        about = read_json(folder / "summary.json")
        asked = about.get("problem_set", {}).get("source", "suite")
        known = problems or _ds1000_problems(asked, folder, own)
        name = str(about.get("generator", folder.name))
        return _judged(known, {name: folder / "answers.jsonl"}, {name: folder / "verdicts.jsonl"})
    parameters = read_json(folder / "results.json").get("parameters", {})
    files: dict[str, dict[str, Path]] = {"answers": {}, "verdicts": {}}
    for place in read_json(folder / "timings.json").get("steps", {}):
        match, inside = _STEP.fullmatch(place), below(folder / "steps", place)
        if match and inside is not None and (inside / f"{match[1]}.jsonl").is_file():
            files[match[1]][match[2]] = inside / f"{match[1]}.jsonl"
    if not files["verdicts"]:
        return []
    names = {word(label(spec)): label(spec) for spec in parameters.get("generators", ())}
    known = problems or _ds1000_problems(parameters.get("problems", "suite"), folder, own)
    named = {
        what: {names.get(key, key): path for key, path in found.items()} for what, found in files.items()
    }
    return _judged(known, named["answers"], named["verdicts"])


def _ds1000_problems(source: str, folder: Path, own: bool) -> list[Problem]:
    from workbench.datasets import load_problems

    if own or source in ("suite", "hub"):
        return load_problems(source)
    file = below(folder, source)
    if file is None or not file.is_file():
        raise DataError(
            got=f"answers to the problems of {source}, a file outside of {folder}",
            needed="those problems: what is outside of a run's folder is not read because the folder says so",
            fix=f"give them, if they are yours: problems=load_problems({source!r})",
        )
    return load_problems(file)


def _judged(problems: Any, answers: Mapping[str, Path], verdicts: Mapping[str, Path]) -> list[Attempt]:
    from workbench.generators import Answer
    from workbench.papers.ds1000.judgement import Judgement

    given = {
        name: [Answer(row["problem_id"], row["sample"], row["code"]) for row in read_rows(path)]
        for name, path in answers.items()
    }
    judged = {name: [Judgement.read(row) for row in read_rows(path)] for name, path in verdicts.items()}
    return attempts_of(problems, given, judged)
