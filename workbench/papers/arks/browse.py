"""What the explorers show of ARKS: the rounds of its loops, and each problem's last program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.explore.attempts import Attempt
from workbench.explore.traces import Knowledge, Trace, reader
from workbench.store.reading import below, read_json

if TYPE_CHECKING:
    from workbench.datasets.coding_problem import CodingProblem
    from workbench.retrieval.trace import Step
if TYPE_CHECKING:
    from workbench.datasets.coding_problem import CodingProblem
    from workbench.retrieval.trace import Step

__all__ = ["PAPER", "attempts_in", "attempts_of_loop", "attempts_of_result", "traces_in"]

PAPER = "arks"


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


def attempts_of_result(result: Any) -> list[Attempt] | None:
    """Return the last program of each problem of an `ActiveResult`; None for anything else."""
    if not (hasattr(result, "steps") and hasattr(result, "final")):
        return None
    name = f"query: {result.settings.query}"
    return attempts_of_loop(result.steps, result.final(), result.problems, generator=name)


def attempts_in(folder: Path, problems: Any, *, own: bool) -> list[Attempt]:
    """Return the last programs of the loops in a folder of a run's part, or of `workbench arks run`."""
    about = read_json(folder / "results.json")
    if (folder / "trace.jsonl").is_file():
        return _of_trace(folder, problems or (), about.get("generator", folder.name))
    return _of_loops(folder, about.get("parameters", {}), problems, own)


def traces_in(folder: Path, data: Any) -> list[Trace]:
    """Return the traces of the loops in a folder, with what their steps name where that is at hand."""
    files = [*sorted(folder.glob("trace.jsonl")), *_loop_files(folder)]
    if not files:
        return []
    about = read_json(folder / "results.json").get("parameters", {})
    known = _known(folder, about) if data is None else Knowledge.of(data.problems, data.documentation)
    return [Trace(_name(file, about), reader(file), known) for file in files]


def _loop_files(folder: Path) -> list[Path]:
    steps = read_json(folder / "timings.json").get("steps", {})
    inside = filter(None, (below(folder / "steps", place) for place in steps))
    places = ("model-*/*/*/trace.jsonl", "*/model-*/*/*/trace.jsonl")  # of one task, and of several
    return [file for step in inside for place in places for file in sorted(step.glob(place))]


def _of_loops(folder: Path, parameters: Mapping[str, Any], problems: Any, own: bool) -> list[Attempt]:
    """Return the attempts of an ARKS run: every setting and every model.

    Of a folder, the problems are those that any machine has: no package is imported, no file outside read.
    """
    traces = _loop_files(folder)
    if not traces:
        return []
    if problems is None and (own or ":" not in parameters["data"]):
        from workbench.papers.arks.data import load_arks

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


def _name(file: Path, about: Mapping[str, Any]) -> str:
    if "models" not in about:
        return str(read_json(file.parent / "results.json").get("generator", file.parent.name))
    number = int(file.parents[2].name.rpartition("-")[2])
    models = list(about["models"])
    model = models[number] if number < len(models) else f"model {number}"
    return f"{file.parent.name}, {model.rpartition('/')[2]}"


def _known(folder: Path, about: Mapping[str, Any]) -> Knowledge:
    """Return what a run's parameters name again; only the world of libraries is at hand without any download."""
    if about.get("data") != "world":
        return Knowledge()
    from workbench.papers.arks.data import load_arks

    asked = {name: about[name] for name in ("libraries", "problems", "seed")}
    data = load_arks("world", folder=folder, runtime="main", **asked)  # nothing runs here: no other is built
    return Knowledge.of(data.problems, data.documentation)
