"""Score answers to DS-1000 problems: each against its problem's tests, in the two processes of the sandbox.

Source: Lai et al. 2023, "DS-1000: A Natural and Reliable Benchmark for Data Science Code Generation": an
answer passes when it meets the test cases and, where the problem has them, the surface-form constraints.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from functools import cached_property
from operator import itemgetter
from pathlib import Path

from workbench import __version__
from workbench.core.errors import DataError, SettingsError
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.datasets.ds1000 import MODULES
from workbench.generators import Answer, Generator, ResumableGenerator
from workbench.generators.recorded import RecordedGenerator
from workbench.generators.solving import ModelGenerator
from workbench.languages.hidden_tests import (
    graded_program,
    imports_of_tests,
    tests_content,
    whole_verdict,
)
from workbench.languages.toolchains import with_toolchains
from workbench.papers.ds1000.judgement import NO_ANSWER, SKIPPED, Judgement, digest
from workbench.papers.ds1000.runtime_contents import RuntimeContents, look_into
from workbench.sandbox import AnySandbox, Program, open_on
from workbench.sandbox.installed import require_imports, with_installed
from workbench.sandbox.verdict import Verdict
from workbench.store.cluster import Cluster
from workbench.store.journal import Journal, Row

__all__ = ["GradingSettings", "collect_answers", "grade", "open_sandbox", "score"]


_FIELDS = {field.name for field in fields(Judgement)}
_ALWAYS = {field.name for field in fields(Judgement) if field.default is MISSING}
_BY_WEIGHT = ("Numpy", "Pandas", "Scipy", "Matplotlib", "Sklearn", "Pytorch", "Tensorflow")
# First a light one, while the heaviest is imported; then the heavy ones, so that no long program comes last.
_TURNS = ("Pandas", *(library for library in reversed(_BY_WEIGHT) if library != "Pandas"))


@dataclass(frozen=True)
class GradingSettings:
    """How answers are run; the time limit defaults to the DS-1000 authors'."""

    runtime: str = "main"
    """Environment that the programs run in."""
    timeout_s: float = 120.0
    """Wall time of one program, in seconds."""
    memory_bytes: int = 4 * 2**30
    """Memory of one program beyond its libraries, in bytes."""
    isolation: str = "sandlock"
    """`none` only for answers that you trust."""


def collect_answers(
    problems: Sequence[BenchmarkProblem],
    generator: Generator,
    fingerprint: str,
    *,
    samples: int | None,
    folder: Path,
    retry_failed: bool = False,
    partial: bool = False,
) -> list[Answer]:
    """Let a generator answer; answers are kept in FOLDER/answers.jsonl as they come. A cached step of a run.

    Args:
        problems: What to answer.
        generator: What answers.
        fingerprint: The generator's; named here so that a step is keyed by it.
        samples: Answers per problem; None: 1, and of recorded answers all that the file has.
        folder: Where an interrupted generation finds what it has.
        retry_failed: Ask again where an endpoint gave no answer.
        partial: Take the answers that are there, in the file of recorded answers or in FOLDER, and ask for no others.

    Returns:
        The answers, by problem and sample; where `partial`, not to every problem.
    """
    kept = ResumableGenerator(generator, folder / "answers.jsonl", retry_failed=retry_failed)
    if not isinstance(generator, RecordedGenerator):
        if partial:
            return kept.saved(problems, samples=samples or 1)
        try:
            return list(kept.generate(problems, samples=samples or 1))
        finally:  # the next model needs the memory
            if isinstance(generator, ModelGenerator):
                generator.close()
    counts = generator.counts(problems)
    if samples is not None and not partial:
        return list(kept.generate(problems, samples=samples))
    if partial:
        counts = {number: min(there, samples or there) for number, there in counts.items()}
        problems = [problem for problem in problems if counts[problem.problem_id]]
    wanted = {
        p.problem_id: max(1, counts[p.problem_id]) for p in problems
    }  # 1: the lack of any is told there
    by_count = {n: [p for p in problems if wanted[p.problem_id] == n] for n in sorted({*wanted.values()})}
    return [answer for n, some in by_count.items() for answer in kept.generate(some, samples=n)]


def open_sandbox(
    settings: GradingSettings, workers: int | Cluster, problems: Iterable[BenchmarkProblem] = ()
) -> AnySandbox:
    """Open the sandbox that these settings ask for; it starts interpreters with the first answer only.

    Args:
        settings: How answers are run.
        workers: Programs at a time; or a cluster, each node of which then has a sandbox.
        problems: What it is for: packages that their tests import are readable wherever they are installed.

    Raises:
        SandboxUnavailableError: Such a package can be imported, and not in the sandbox.
    """
    asked = list(problems)
    imported = list(dict.fromkeys(name for problem in asked for name in imports_of_tests(problem)))
    readable = with_installed(settings.runtime, imported)
    sandbox = open_on(
        workers,
        with_toolchains(readable, (problem.language for problem in asked)),
        settings.timeout_s,
        settings.memory_bytes,
        isolation=settings.isolation,
    )
    try:
        require_imports(sandbox, (), imported)
    except BaseException:
        sandbox.close()
        raise
    return sandbox


def grade(
    problems: Sequence[BenchmarkProblem],
    answers: Sequence[Answer],
    settings: GradingSettings,
    *,
    sandbox: AnySandbox,
    folder: Path,
    contents: RuntimeContents | None = None,
) -> list[Judgement]:
    """Score answers, keeping the verdicts in FOLDER/verdicts.jsonl. A cached step of a run.

    Args:
        problems: The problems, each with at least one answer.
        answers: The answers; see `score`.
        settings: What the sandbox was opened with; named here so that a step is keyed by it.
        sandbox: Where they run.
        folder: Where an interrupted scoring finds what it has.
        contents: What `look_into` said of the runtime, where it was asked before.
    """
    if sandbox.runtime.name != settings.runtime:
        raise SettingsError(
            got=f"a sandbox of runtime {sandbox.runtime.name}",
            needed=f"the runtime of the settings, {settings.runtime}",
            fix="open it with `open_sandbox(settings, workers)`",
        )
    return score(problems, answers, sandbox, verdicts_path=folder / "verdicts.jsonl", contents=contents)


def score(
    problems: Sequence[BenchmarkProblem],
    answers: Iterable[Answer],
    sandbox: AnySandbox,
    *,
    verdicts_path: str | Path | None = None,
    progress: bool = True,
    contents: RuntimeContents | None = None,
) -> list[Judgement]:
    """Judge every answer by its problem's tests.

    Answers to problems whose library the runtime lacks are not run: they come back as `skipped`. Nor is what an
    endpoint gave no answer to: it comes back as `no answer`, and counts as not passed. The same
    code for the same tests is run once, however many samples say it: models repeat themselves.

    Args:
        problems: The problems, each with at least one answer.
        answers: The answers, in any order.
        sandbox: Where they run.
        verdicts_path: A JSON-lines file that each verdict is written to as it is known. Verdicts that an
            earlier run left there are not made again; in the end it holds one line an answer, in order.
        progress: Show a bar on a terminal's stderr.
        contents: What the sandbox's runtime holds, where that is known already; else it is asked.

    Returns:
        One judgement an answer, in the order of the problems and, within each, of the samples.

    Raises:
        DataError: An answer is to none of the problems, a problem has no answer, or one answer comes twice.
    """
    contents = contents or look_into(sandbox)
    tasks = [_task(problem, answer, sandbox, contents) for problem, answer in _paired(problems, answers)]
    keys = {task.place: task.key for task in tasks if task.problem.library not in contents.missing}

    def counts(row: Row) -> bool:
        """Tell a verdict on today's answer, tests and settings from one on others, or of another version."""
        return (
            _ALWAYS <= row.keys() <= _FIELDS
            and keys.get((row["problem_id"], row["sample"])) == row["key"]
            and row["status"] not in (SKIPPED, NO_ANSWER)
        )

    place = itemgetter("problem_id", "sample")
    with Journal(verdicts_path, place, counts=counts, foreign="drop") as journal:
        judgements = _judge(tasks, sandbox, contents, journal, progress)
        journal.finish(judgement.row() for judgement in judgements)
    return judgements


@dataclass(frozen=True)
class _Task:
    problem: BenchmarkProblem
    answer: Answer
    code_sha256: str
    key: str

    @property
    def place(self) -> tuple[int | str, int]:
        return self.problem.problem_id, self.answer.sample

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """What the tests import. Not the answer: it may name modules that nobody should load for the others."""
        return imports_of_tests(self.problem)

    @cached_property
    def group(self) -> str:
        """The heaviest library that the tests import: whose warm process the program is forked from.

        All that a warm process has imported, every later program of it is forked with: if the two NumPy problems
        that import TensorFlow ran among the others of NumPy, each of those would take three times as long to fork.
        """
        roots = {name.split(".")[0] for name in self.imports}
        heaviest = [library for library in _BY_WEIGHT if MODULES[library] in roots][-1:]
        return heaviest[0] if heaviest else self.problem.library

    @property
    def programs(self) -> list[Program]:
        """One a hidden test."""
        tests = self.problem.hidden_tests
        return [graded_program(self.problem, test, self.answer.code, self.group) for test in tests]


def _judge(
    tasks: Sequence[_Task],
    sandbox: AnySandbox,
    contents: RuntimeContents,
    journal: Journal,
    progress: bool,
) -> list[Judgement]:
    """Judge the tasks that are not known yet, group by group; return the judgements of all, in order."""
    from workbench.core.bars import Bar

    found = {place: Judgement.read(row) for place, row in journal.known.items()}
    for task in tasks:
        if task.problem.library in contents.missing:
            found[task.place] = _not_run(
                task, SKIPPED, f"runtime {contents.name} has no {task.problem.library}"
            )
        elif task.answer.is_missing:
            found[task.place] = _not_run(task, NO_ANSWER, task.answer.said)
    left = [task for task in tasks if task.place not in found]
    alike: dict[str, list[_Task]] = {}
    for task in _arranged(left):
        alike.setdefault(task.key, []).append(task)
    firsts = [same[0] for same in alike.values()]
    # None hides the bar where stderr is no terminal
    hidden = None if progress else True
    with Bar(
        total=len(tasks), initial=len(tasks) - len(left), desc="scoring", unit="answer", disable=hidden
    ) as bar:
        owners = [first for first in firsts for _ in first.problem.hidden_tests]
        told: dict[str, dict[int, Verdict]] = {first.key: {} for first in firsts}
        for position, each in sandbox.as_judged(_warming(firsts, sandbox)):
            first, known = owners[position], told[owners[position].key]
            known[position] = each
            if len(known) < len(first.problem.hidden_tests):
                continue
            verdict = whole_verdict(first.problem, [known[number] for number in sorted(known)])
            for task in alike[first.key]:
                judgement = Judgement.of(
                    task.problem, task.answer.sample, verdict, task.code_sha256, task.key
                )
                found[task.place] = judgement
                journal.add(judgement.row())
                bar.update()
    return [_with_ending(found[task.place], task.answer) for task in tasks]


def _arranged(tasks: Sequence[_Task]) -> list[_Task]:
    """Order tasks for speed: by group and, within one, those last that import what few others do."""
    asked = Counter((task.group, name) for task in tasks for name in set(task.imports))

    def commonness(task: _Task) -> int:
        return min((asked[task.group, name] for name in task.imports), default=0)

    return sorted(tasks, key=lambda task: (_rank(task.group), -commonness(task)))


def _warming(tasks: Sequence[_Task], sandbox: AnySandbox) -> Iterator[Program]:
    """Yield the programs; when one group's turn comes, let the sandbox import the next one's libraries meanwhile."""
    by_group: dict[str, list[_Task]] = {}
    for task in tasks:
        by_group.setdefault(task.group, []).append(task)
    order = list(by_group)
    for number, group in enumerate(order):
        if number + 1 < len(order):
            following = order[number + 1]
            names = by_group[following][0].imports
            threading.Thread(target=_warm, args=(sandbox, following, names), daemon=True).start()
        for task in by_group[group]:
            yield from task.programs


def _warm(sandbox: AnySandbox, group: str, imports: Sequence[str]) -> None:
    try:
        sandbox.warm(group, imports)
    except Exception:
        # Only a head start was lost. The first program of the group starts it again and meets the error, if
        # it lasts, where it can be told; a sandbox that was closed meanwhile needs no group.
        return


def _rank(group: str) -> tuple[int, str]:
    return (_TURNS.index(group) if group in _TURNS else len(_TURNS)), group


def _paired(
    problems: Sequence[BenchmarkProblem], answers: Iterable[Answer]
) -> list[tuple[BenchmarkProblem, Answer]]:
    """Return each problem with each of its answers, in order; name every fault at once."""
    by_problem: dict[int | str, dict[int, Answer]] = {problem.problem_id: {} for problem in problems}
    faults = []
    for answer in answers:
        if answer.problem_id not in by_problem:
            faults.append(f"an answer to problem_id {answer.problem_id}, which is not among the problems")
        elif answer.sample in by_problem[answer.problem_id]:
            faults.append(f"problem_id {answer.problem_id} has sample {answer.sample} twice")
        else:
            by_problem[answer.problem_id][answer.sample] = answer
    faults += [f"no answer to problem_id {number}" for number, given in by_problem.items() if not given]
    if faults:
        shown = "; ".join(faults[:10]) + (f"; and {len(faults) - 10} more" if len(faults) > 10 else "")
        raise DataError(
            got=shown,
            needed="at least one answer to every problem, each sample once, and none to others",
            fix="score the problems that were answered, with all their answers",
        )
    return [
        (problem, given)
        for problem in problems
        for _, given in sorted(by_problem[problem.problem_id].items())
    ]


def _task(problem: BenchmarkProblem, answer: Answer, sandbox: AnySandbox, contents: RuntimeContents) -> _Task:
    depends_on = [
        answer.code,
        tests_content(problem),
        [problem.library, problem.perturbation_type],
        contents.name,
        dict(contents.versions),
        contents.data,
        [sandbox.limits.timeout_s, sandbox.limits.memory_bytes, sandbox.isolation],
        __version__,
    ]
    return _Task(
        problem,
        answer,
        digest(answer.code),
        digest(json.dumps(depends_on, sort_keys=True))[:24],
    )


def _not_run(task: _Task, status: str, message: str) -> Judgement:
    problem = task.problem
    return Judgement(
        problem.problem_id,
        task.answer.sample,
        problem.library,
        problem.perturbation_type,
        status,
        None,
        message,
        None,
        True,
        task.code_sha256,
        task.key,
    )


def _with_ending(judgement: Judgement, answer: Answer) -> Judgement:
    """Return a judgement with what the same code does not tell: how this answer ended."""
    return replace(judgement, ended=answer.ended, empty=not answer.code.strip() and not answer.is_missing)
