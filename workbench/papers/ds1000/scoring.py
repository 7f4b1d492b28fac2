"""Score a generator from its name to the files of a folder: what `workbench ds1000 score` does."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from workbench.core.errors import DataError, SettingsError
from workbench.datasets import select
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.datasets.drawn_families import draw_families
from workbench.datasets.jsonl import Faults, read_objects
from workbench.generators import GenerationSettings, Generator, make_generator
from workbench.papers.ds1000.benchmark import is_of_coding_problems, load_benchmark
from workbench.papers.ds1000.grading import GradingSettings, collect_answers, open_sandbox, score
from workbench.papers.ds1000.judgement import Judgement
from workbench.papers.ds1000.runtime_contents import look_into
from workbench.papers.ds1000.summary import Summary, summarize
from workbench.store import atomic
from workbench.store.cluster import workers_on
from workbench.store.folders import refuse_overwriting, sole_user
from workbench.store.location import own_path

__all__ = ["Scored", "Scoring", "file_name", "label", "open_generators", "score_generator", "usual_runtime"]

WRITTEN = ("answers.jsonl", "verdicts.jsonl", "summary.json")
"""Files that a scoring writes into its folder."""


@dataclass(frozen=True)
class Scoring:
    """What to score, and how."""

    generator: str
    """Who answers; see `workbench.generators.GENERATOR_KINDS`."""
    problems: str = "suite"
    """`suite`, `hub` or a .jsonl(.gz) file; see `load_benchmark`."""
    libraries: tuple[str, ...] = ()
    """Score these libraries only; empty for all."""
    perturbations: tuple[str, ...] = ()
    """Score these perturbation types only; empty for all."""
    families: int = 0
    """Score this many whole perturbation families, drawn before any other choice; 0 for all problems."""
    samples: int | None = None
    """Answers per problem; None: 1, and of recorded answers all there are."""
    workers: int = 2
    """Programs at a time."""
    cluster: str = ""
    """Address of a Ray cluster whose nodes grade; empty: this machine does."""
    grading: GradingSettings = field(default_factory=GradingSettings)
    """How answers are run."""
    generation: GenerationSettings = field(default_factory=GenerationSettings)
    """How a model is asked."""
    retry_failed: bool = False
    """Ask again where an endpoint gave no answer in an earlier call."""
    partial: bool = False
    """Score the answers that are there, and ask for no others."""
    strict: bool = False
    """Count vacuous passes as failures in the summary; the verdicts on disk stay as the tests gave them."""

    def __post_init__(self) -> None:
        wrong = [name for name in ("samples", "workers") if (getattr(self, name) or 1) < 1]
        if wrong:
            raise SettingsError(
                got=", ".join(f"{name} {getattr(self, name)}" for name in wrong),
                needed="at least 1",
                fix="correct " + " and ".join(wrong),
            )


@dataclass(frozen=True)
class Scored:
    """What came of it."""

    summary: Summary
    judgements: list[Judgement]
    missing: frozenset[str]
    """Libraries that the runtime lacks; their problems were skipped."""
    folder: Path
    """Holds answers.jsonl, verdicts.jsonl and summary.json."""
    seconds: float
    """What this call took; little, where an earlier one had done most."""


def usual_runtime(problems: str) -> str:
    """Return the runtime that fits a source of problems: `ds1000` for the real DS-1000, `main` for all others."""
    return "main" if problems == "suite" or is_of_coding_problems(problems) else "ds1000"


def label(spec: str) -> str:
    """Return a generator's name for tables, without the folders its file or model lies in."""
    kind, colon, rest = spec.partition(":")
    return f"{kind}:{Path(rest).name}" if colon and kind in ("recorded", "hf") else spec


def file_name(name: str) -> str:
    """Return a name with only such characters as a file name may have."""
    return re.sub(r"[^\w.]+", "-", name).strip("-")


def open_generators(
    specs: Collection[str], problems: Sequence[BenchmarkProblem], settings: GenerationSettings | None = None
) -> dict[str, Generator]:
    """Make generators, by the names that they have in tables.

    A relative file of recorded answers is looked for in the current folder, then in the workbench's own.

    Args:
        specs: See `workbench.generators.make_generator`.
        problems: All problems of the benchmark.
        settings: How models generate.
    """
    generators: dict[str, Generator] = {}
    for spec in specs:
        name = label(spec) if label(spec) not in generators else spec
        generators[name] = make_generator(_located(spec), settings, problems=problems)
    return generators


def score_generator(scoring: Scoring, folder: Path, *, fresh: bool = False, progress: bool = True) -> Scored:
    """Generate, grade and summarize, into FOLDER: answers.jsonl, verdicts.jsonl, summary.json.

    Called again, after a kill or not, it goes on where it stopped.

    Args:
        scoring: What to score, and how.
        folder: Where the files go; made when needed.
        fresh: Forget what an earlier call left there.
        progress: Show bars on a terminal's stderr.

    Raises:
        WorkbenchError: Some input is bad; it is said which.
    """
    begin = time.perf_counter()
    every = load_benchmark(scoring.problems)
    drawn = draw_families(every, scoring.families)
    problems = select(drawn, libraries=scoring.libraries or None, perturbations=scoring.perturbations or None)
    (generator,) = open_generators([scoring.generator], every, scoring.generation).values()
    grading = scoring.grading
    with sole_user(folder, "is scoring into", "--out DIR"):
        inputs = [getattr(generator, "path", None), _named_file(scoring.problems)]
        refuse_overwriting(folder, WRITTEN, [path for path in inputs if path is not None], "--out DIR")
        if fresh:
            for name in WRITTEN:
                (folder / name).unlink(missing_ok=True)
        _refuse_others(folder / "answers.jsonl", generator.name)
        # Opened before a model is asked: a runtime that is missing should not be found out hours later.
        with open_sandbox(grading, workers_on(scoring.cluster, scoring.workers, "cpu"), problems) as sandbox:
            contents = look_into(sandbox)
            answers = collect_answers(
                problems,
                generator,
                generator.fingerprint,
                samples=scoring.samples,
                folder=folder,
                retry_failed=scoring.retry_failed,
                partial=scoring.partial,
            )
            there = (
                {answer.problem_id for answer in answers}
                if scoring.partial
                else {problem.problem_id for problem in problems}
            )
            if not there:
                raise _nothing_there(folder, generator)
            judgements = score(
                [problem for problem in problems if problem.problem_id in there],
                answers,
                sandbox,
                verdicts_path=folder / "verdicts.jsonl",
                progress=progress,
                contents=contents,
            )
        summary = summarize(problems, judgements, seed=scoring.generation.seed, strict=scoring.strict)
        seconds = time.perf_counter() - begin
        about = {
            **summary.as_dict(),
            "generator": label(scoring.generator),
            "problem_set": {"source": scoring.problems, "sha256": _fingerprint(problems)},
            "runtime": {"name": contents.name, "versions": dict(contents.versions)},
            "settings": {
                "families": scoring.families,
                "samples": scoring.samples,
                "workers": scoring.workers,
                "timeout_s": grading.timeout_s,
                "memory_bytes": grading.memory_bytes,
                "isolation": grading.isolation,
                "partial": scoring.partial,
                "strict": scoring.strict,
                "generation": asdict(scoring.generation),
            },
            "seconds": round(seconds, 3),
        }
        atomic.write_json(folder / "summary.json", about)
    return Scored(summary, judgements, contents.missing, folder, seconds)


def _named_file(source: str) -> Path | None:
    path = Path(source).expanduser()
    return path if path.is_file() else None


def _refuse_others(path: Path, name: str) -> None:
    """Refuse a folder that holds another generator's answers: the two would pass for samples of one.

    Raises:
        SettingsError: It holds some.
    """
    rows = read_objects(path, Faults(str(path))) if path.exists() else []  # faults are told where it is read
    others = {row["generator"] for _, row in rows if isinstance(row.get("generator"), str)} - {name}
    if others and not any(_same_file(other, name) for other in others):
        raise SettingsError(
            got=f"{path.parent}, which holds answers of {', '.join(sorted(others))}",
            needed="a folder of its own for each generator",
            fix="choose another one with --out DIR, or forget what is there with --fresh",
        )


def _same_file(name: str, other: str) -> bool:
    """Tell whether two names, such as `recorded:a.jsonl` and `recorded:./a.jsonl`, name the same file or folder."""
    (kind, _, path), (other_kind, _, other_path) = name.partition(":"), other.partition(":")
    paths = Path(path).expanduser(), Path(other_path).expanduser()
    return kind == other_kind and all(each.exists() for each in paths) and paths[0].samefile(paths[1])


def _nothing_there(folder: Path, generator: Generator) -> DataError:
    where = getattr(generator, "path", folder / "answers.jsonl")
    return DataError(
        got=f"{where}: no answer of {generator.name} to the problems that are scored",
        needed="one answer at least",
        fix="leave --partial out, or name the file or folder that holds answers",
    )


def _located(spec: str) -> str:
    kind, _, rest = spec.partition(":")
    return f"recorded:{own_path(rest)}" if kind == "recorded" and rest else spec


def _fingerprint(problems: Sequence[BenchmarkProblem]) -> str:
    digest = hashlib.sha256()
    for problem in problems:
        digest.update(repr(problem).encode(errors="surrogatepass"))
    return digest.hexdigest()
