"""Answers with their problems and verdicts, from whatever a run has left: what the problem browser shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.datasets.ds1000 import Problem
from workbench.errors import DataError
from workbench.runs.reading import MALFORMED, below, check_closed, read_json

if TYPE_CHECKING:
    from workbench.evaluation.judgement import Judgement
    from workbench.generators import Answer
    from workbench.retrieval import ActiveResult, CodingProblem
    from workbench.retrieval.trace import Step

__all__ = ["Attempt", "attempts_of", "attempts_of_loop", "load_attempts", "paper_folder", "read_rows"]

_STEP = re.compile(r"(answers|verdicts)-(.+)-[0-9a-f]{16}")


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
    problem: Problem | CodingProblem | None = None
    """What is needed to run an answer again; None where only the trace is there."""

    @property
    def passed(self) -> bool:
        """Whether all tests were met."""
        return self.status == "passed"


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


def attempts_of_loop(
    steps: Iterable[Step],
    passed: Mapping[str, bool],
    problems: Iterable[CodingProblem] = (),
    *,
    generator: str,
) -> list[Attempt]:
    """Return the last program of each problem of an active loop.

    Args:
        steps: Its trace.
        passed: By problem_id, whether the last program met the hidden tests.
        problems: What was asked, where it is known.
        generator: What to call who answered.
    """
    by_id = {problem.problem_id: problem for problem in problems}
    last = {step.problem_id: step for step in sorted(steps, key=lambda step: step.round)}
    found = []
    for name, step in last.items():
        problem, outcome = by_id.get(name), step.outcome
        library, question, right = "", step.prompt, ""
        if problem is not None:
            library, question, right = problem.library, problem.question, problem.reference_code
        if passed.get(name, False):
            came: tuple[str, str, str] = ("passed", "", "")
        elif outcome.ran:
            came = ("silent", "tests", "ran without an error; a hidden test is not met")
        else:
            came = ("failed", "execution", outcome.message)
        place = (name, generator, 0, library, f"round {step.round}")
        found.append(Attempt(*place, question, step.code, right, *came, outcome.line, problem))
    return found


def load_attempts(
    source: Any, *, problems: Sequence[Problem] | Sequence[CodingProblem] | None = None
) -> list[Attempt]:
    """Find the answers of a run.

    Args:
        source: A run's folder (RUNS/ID, or RUNS/ID/ds1000 or arks), what `workbench ds1000 score` or
            `workbench arks run` wrote, an open `Run`, an `ActiveResult`, or attempts. Of a folder, which may be
            another's, no file outside is read.
        problems: The problems, where the folder does not tell how to load them again.

    Raises:
        DataError: There are no judged answers, or they are not what a run writes, or the problems are missing.
        RunError: A link leads out of the folder.
    """
    if isinstance(source, list | tuple):
        return list(source)
    if hasattr(source, "steps") and hasattr(source, "final"):
        return _of_result(source)
    place = Path(getattr(source, "folder", source)).expanduser()
    check_closed(place)
    found: list[Attempt] = []
    own = hasattr(source, "settings")  # an open run: its parameters are the user's
    for folder in (place, place / "ds1000", place / "arks"):
        try:
            found += _in_folder(folder, problems, own)
        except MALFORMED as error:
            raise DataError(
                got=f"{folder}: {type(error).__name__}: {error}",
                needed="answers, verdicts and results as a run left them",
                fix="restore the files, or make the run again",
            ) from error
    if not found:
        raise DataError(
            got=f"no judged answers in {place}",
            needed="the folder of a run of ds1000 or arks, or of `workbench ds1000 score` or `workbench arks run`",
            fix="name such a folder; a run that has just begun has none yet",
        )
    return found


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


def _of_result(result: ActiveResult) -> list[Attempt]:
    name = f"query: {result.settings.query}"
    return attempts_of_loop(result.steps, result.final(), result.problems, generator=name)


def _in_folder(folder: Path, problems: Any, own: bool) -> list[Attempt]:
    if (folder / "trace.jsonl").is_file():
        return _of_trace(
            folder, problems or (), read_json(folder / "results.json").get("generator", folder.name)
        )
    if (folder / "verdicts.jsonl").is_file():
        about = read_json(folder / "summary.json")
        asked = about.get("problem_set", {}).get("source", "suite")
        known = problems or _ds1000_problems(asked, folder, own)
        name = str(about.get("generator", folder.name))
        return _judged(known, {name: folder / "answers.jsonl"}, {name: folder / "verdicts.jsonl"})
    parameters = read_json(folder / "results.json").get("parameters", {})
    steps = read_json(folder / "timings.json").get("steps", {})
    files: dict[str, dict[str, Path]] = {"answers": {}, "verdicts": {}}
    for place in steps:
        match, inside = _STEP.fullmatch(place), below(folder / "steps", place)
        if match and inside is not None and (inside / f"{match[1]}.jsonl").is_file():
            files[match[1]][match[2]] = inside / f"{match[1]}.jsonl"
    if files["verdicts"]:
        from workbench.evaluation.scoring import label, word

        names = {word(label(spec)): label(spec) for spec in parameters.get("generators", ())}
        known = problems or _ds1000_problems(parameters.get("problems", "suite"), folder, own)
        named = {
            what: {names.get(key, key): path for key, path in found.items()} for what, found in files.items()
        }
        return _judged(known, named["answers"], named["verdicts"])
    return _of_loops(folder, parameters, steps, problems, own)


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
    from workbench.evaluation.judgement import Judgement
    from workbench.generators import Answer

    given = {
        name: [Answer(row["problem_id"], row["sample"], row["code"]) for row in read_rows(path)]
        for name, path in answers.items()
    }
    judged = {name: [Judgement.read(row) for row in read_rows(path)] for name, path in verdicts.items()}
    return attempts_of(problems, given, judged)


def _of_loops(
    folder: Path, parameters: Mapping[str, Any], steps: Iterable[str], problems: Any, own: bool
) -> list[Attempt]:
    """Return the attempts of an ARKS run: every setting and every model.

    Of a folder, the problems are those that any machine has: no package is imported, no file outside read.
    """
    traces = [
        trace
        for inside in filter(None, (below(folder / "steps", place) for place in steps))
        for trace in sorted(inside.glob("model-*/*/*/trace.jsonl"))
    ]
    if not traces:
        return []
    if problems is None and (own or ":" not in parameters["data"]):
        from workbench.experiments.arks_data import load_arks

        asked = {name: parameters[name] for name in ("libraries", "problems", "seed")}
        runtime = parameters["runtime"] if own else "main"  # another one would be built
        problems = load_arks(parameters["data"], folder=folder, runtime=runtime, **asked).problems
    models = list(parameters.get("models", ()))
    found = []
    for trace in traces:
        number = int(trace.parents[2].name.rpartition("-")[2])
        who = models[number] if number < len(models) else f"model {number}"
        found += _of_trace(trace.parent, problems or (), f"{trace.parent.name}, {who.rpartition('/')[2]}")
    return found


def _of_trace(folder: Path, problems: Any, name: str) -> list[Attempt]:
    from workbench.retrieval.trace import read_steps

    rounds = read_json(folder / "results.json").get("by_problem", {})
    passed = {key: bool(history and history[-1].get("passed")) for key, history in rounds.items()}
    return attempts_of_loop(read_steps(folder / "trace.jsonl"), passed, problems, generator=name)
