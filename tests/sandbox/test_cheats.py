"""Cheats: no trick makes a wrong answer pass, on tests by hand and on problems of every library.

A cheat is set around a wrong answer that comes with the suite; it must not score above that answer alone, which
fails. With WORKBENCH_ALL_PROBLEMS=1 every cheat meets every problem of the suite, else each meets the
problem by hand that accepts most, and one of the library that it is made for; the common ones also meet the other
problem by hand and one of some library in turn.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from sandbox_cheats import BEHAVIOUR, CHEATS, COMMON, REPLY, Cheat, Trap
from sandbox_cheats.comparisons import ANY_OF, RIGHT, WRONG

from workbench.core.errors import SandboxUnavailableError
from workbench.datasets.suite import suite_folder
from workbench.sandbox import Program, Sandbox, Verdict
from workbench.sandbox.isolation import check

pytestmark = pytest.mark.timeout(1200)  # the first test to run waits for the verdicts on all cheats

try:
    check("sandlock")
except SandboxUnavailableError as error:
    pytest.skip(f"this machine cannot isolate programs: {error}", allow_module_level=True)

_SHARED = Path(__file__).resolve().parents[3] / "shared"
_BY_HAND = '''
import numpy as np

def generate_test_case(test_case_id):
    x = np.arange(3.0) + test_case_id
    return x, x + 7.25

def exec_test(result, ans):
    np.testing.assert_allclose(result, ans)
    return 1

exec_context = r"""
import numpy as np
x = test_input
[insert]
"""

def test_execution(solution):
    code = exec_context.replace("[insert]", solution)
    for i in range(2):
        test_input, expected_result = generate_test_case(i + 1)
        test_env = {"test_input": test_input}
        exec(code, test_env)
        assert exec_test(test_env["result"], expected_result)
'''


@dataclass(frozen=True)
class Task:
    """A problem and a wrong answer to it."""

    problem_id: int
    library: str
    tests: str
    wrong: str
    right: str

    @property
    def group(self) -> str:
        """One warm process for all but PyTorch, which makes forks dear: most cheats import pandas and Matplotlib."""
        return self.library if self.library == "Pytorch" else ""

    @property
    def variable(self) -> str:
        """The variable that the tests take the result from."""
        after = self.tests.split("[insert]", 1)[-1].split('"""', 1)[0]
        found = re.search(r"^result\s*=\s*(\w+)", after, re.MULTILINE)
        return found[1] if found and found[1] != "None" else "result"

    def cheated(self, cheat: Cheat) -> Program:
        """Return the wrong answer with the trick around it."""
        parts = (cheat.before, self.wrong + "\n", cheat.after)
        code = "\n".join(part.replace("@RESULT@", self.variable) for part in parts)
        return Program(code, tests=self.tests, group=self.group)


HAND = Task(-1, "Numpy", _BY_HAND, "result = x", "result = x + 7.25")
OPEN = Task(-2, "any", ANY_OF, WRONG[0], RIGHT[0])
BY_HAND = (HAND, OPEN)
"""Two problems that every cheat meets: one comparison of numpy's, and any one of sixty that tests make."""


def suite_tasks(of_each: int | None) -> list[Task]:
    """Return problems of our suite, each with its first wrong answer."""
    missing = {"Tensorflow"} if importlib.util.find_spec("tensorflow") is None else set()
    wrong: dict[int, str] = {}
    for line in (suite_folder() / "wrong.jsonl").read_text().splitlines():
        row = json.loads(line)
        wrong.setdefault(row["problem_id"], row["code"])
    tasks: dict[str, list[Task]] = {}
    for line in (suite_folder() / "suite.jsonl").read_text().splitlines():
        row = json.loads(line)
        library, number = row["metadata"]["library"], row["metadata"]["problem_id"]
        if library not in missing and number in wrong:
            task = Task(number, library, row["code_context"], wrong[number], row["reference_code"])
            tasks.setdefault(library, []).append(task)
    return [task for group in tasks.values() for task in group[:of_each]]


@dataclass
class Scores:
    """Verdicts by (cheat, problem id): the name "" is the wrong answer alone, "right" the reference."""

    tasks: list[Task]
    verdicts: dict[tuple[str, int], Verdict]

    def of(self, name: str) -> dict[int, Verdict]:
        return {
            task.problem_id: self.verdicts[name, task.problem_id]
            for task in self.tasks
            if (name, task.problem_id) in self.verdicts
        }


def _score(box: Sandbox, tasks: list[Task], *, one_in: int) -> Scores:
    """Let every cheat meet `OPEN` and its own library, the common ones also `HAND` and one in `one_in` of all."""
    programs: dict[tuple[str, int], Program] = {}
    for place, task in enumerate(tasks):  # problem by problem: programs of one library stand together
        programs["", task.problem_id] = Program(task.wrong, tests=task.tests, group=task.group)
        programs["right", task.problem_id] = Program(task.right, tests=task.tests, group=task.group)
        for number, cheat in enumerate(CHEATS):
            common = cheat in COMMON
            turn = cheat.library == task.library or (
                (common or one_in == 1) and (number + place) % one_in == 0
            )
            by_hand = task is HAND if cheat.slow else task is OPEN or (task is HAND and common)
            if by_hand or (turn and task not in BY_HAND and not cheat.slow):
                programs[cheat.name, task.problem_id] = task.cheated(cheat)
    return Scores(tasks, dict(zip(programs, box.map(programs.values()), strict=True)))


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=2, timeout_s=8, memory_bytes=1 << 30) as box:
        yield box


@pytest.fixture(scope="module")
def scores(box: Sandbox) -> Scores:
    if os.environ.get("WORKBENCH_ALL_PROBLEMS") == "1":
        return _score(box, [*BY_HAND, *suite_tasks(None)], one_in=1)
    tasks = suite_tasks(1)
    return _score(box, [*BY_HAND, *tasks], one_in=len(tasks))


def test_the_suite_is_of_size():
    assert len(CHEATS) >= 60
    assert len({cheat.name for cheat in CHEATS}) == len(CHEATS)


def test_every_cheat_and_every_library_meet(scores: Scores):
    met = {task.library: set(_names_at(task, scores)) for task in scores.tasks if task not in BY_HAND}
    assert set().union(*met.values()) >= {cheat.name for cheat in COMMON if not cheat.slow}
    assert all(len(names) >= 8 for names in met.values())
    by_hand = {*_names_at(HAND, scores), *_names_at(OPEN, scores)}
    assert by_hand == {cheat.name for cheat in CHEATS}


def _names_at(task: Task, scores: Scores) -> list[str]:
    return [cheat.name for cheat in CHEATS if (cheat.name, task.problem_id) in scores.verdicts]


def test_right_answers_pass_and_wrong_ones_fail(scores: Scores):
    assert {
        number: verdict.status for number, verdict in scores.of("right").items() if not verdict.passed
    } == {}
    assert [number for number, verdict in scores.of("").items() if verdict.passed] == []


@pytest.mark.parametrize(
    "cheat",
    [
        pytest.param(
            cheat,
            id=cheat.name.replace(" ", "-"),
            marks=[pytest.mark.xfail(strict=True, reason=cheat.hole)] if cheat.hole else [],
        )
        for cheat in CHEATS
    ],
)
def test_cheat_does_not_pay(cheat: Cheat, scores: Scores):
    assert {number: verdict for number, verdict in scores.of(cheat.name).items() if verdict.passed} == {}


def test_any_comparison_that_holds_is_enough(box: Sandbox):
    """The tests that stand for all comparisons accept what one of them should, and nothing that none should."""
    programs = [Program(code, tests=ANY_OF) for code in (*RIGHT, *WRONG)]
    statuses = [verdict.status for verdict in box.map(programs)]
    assert statuses == ["passed"] * len(RIGHT) + ["failed"] * len(WRONG)


def test_nothing_is_left_and_the_next_program_is_right(box: Sandbox, scores: Scores):
    """After all of the cheats: right answers pass, wrong ones fail, and no folder of a program is there."""
    codes = [HAND.right, HAND.wrong] * 4
    verdicts = list(box.map(Program(code, tests=HAND.tests) for code in codes))
    assert [verdict.status for verdict in verdicts] == ["passed", "failed"] * 4
    assert box.scratch_folders() == 0
    assert _processes_below(box._root) == []


def _processes_below(root: Path) -> list[str]:
    """Name the processes alive that work in a program's folder below `root`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            place = str((process / "cwd").readlink())
            zombie = "State:\tZ" in (process / "status").read_text()
            if place.startswith(f"{root}{os.sep}") and "zygote-" not in place and not zombie:
                found.append(f"{process.name} in {place}")
    return found


def test_cheats_are_told_apart_from_failures(scores: Scores):
    """What is no data is forbidden, what hangs up has failed, what hangs is timed out."""
    statuses = {cheat.name: scores.verdicts[cheat.name, HAND.problem_id].status for cheat in COMMON}
    for name in (
        "code in the result",
        "eval in the result",
        "announces too much",
        "writes outside the folder",
    ):
        assert statuses[name] == "forbidden", name
    for name in ("exits", "exits at once", "kills the grader", "not a number"):
        assert statuses[name] == "failed", name
    assert statuses["never answers"] == statuses["announces and waits"] == "timeout"


def test_report_is_not_the_solutions_to_write(box: Sandbox):
    """A reply laid a report down in the grader's folder; the next one killed the grader."""
    report = '{"kind": "passed", "message": "", "line": null, "stage": null}'
    code = REPLY + (
        "import time\n"
        f"reply(results(1, {{'report.json': {report!r}.encode()}}))\n"
        "reply(results(1))\n"
        "time.sleep(3)\n"
    )
    tests = (
        "import os, signal\n"
        "def test_execution(code):\n"
        "    exec(code, {})\n"
        "    os.kill(os.getpid(), signal.SIGSEGV)  # as by a crafted array\n"
    )
    assert not box.run(Program(code, tests=tests)).passed


def test_hidden_equality_does_not_pay(box: Sandbox):
    """A frozen spline whose coefficients equal anything: state holds what a result may hold, and no more."""
    code = REPLY + (
        "import scipy.interpolate, unittest.mock\n"
        "spline = scipy.interpolate.PPoly([[1.0]], [0.0, 1.0])\n"
        "object.__setattr__(spline, 'c', unittest.mock.ANY)\n"
        "result = spline\n"
    )
    tests = (
        "import scipy.interpolate\n"
        "def test_execution(code):\n"
        "    environment = {}\n"
        "    exec(code, environment)\n"
        "    assert environment['result'].c == 7\n"
    )
    assert not box.run(Program(code, tests=tests)).passed


@pytest.mark.parametrize(
    "trap",
    [
        pytest.param(
            trap,
            id=trap.name.replace(" ", "-"),
            marks=[pytest.mark.xfail(strict=True, reason=trap.hole)] if trap.hole else [],
        )
        for trap in BEHAVIOUR
    ],
)
def test_use_of_an_object_does_not_pay(trap: Trap, box: Sandbox):
    """Tests call what they get: what waits in it must not run, or must not have come along."""
    verdict = box.run(Program(trap.code, tests=trap.tests, group="torch" if "torch" in trap.imports else ""))
    assert not verdict.passed, verdict


@pytest.mark.realdata
def test_cheats_do_not_pay_on_real_problems(box: Sandbox):
    """Every cheat on two real problems of every library that the main runtime has; the wrong answer is empty.

    Some real problems' tests are content with any plain number (`assert_array_equal(0, [])` holds, by broadcasting):
    what an honest zero is paid for, no trick won.
    """
    path = _SHARED / "data" / "ds1000" / "ds1000-dev.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no {path}")
    libraries: dict[str, list[Task]] = {}
    with gzip.open(path, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            library = row["metadata"]["library"]
            if library in ("Pandas", "Numpy", "Scipy", "Pytorch", "Matplotlib"):
                number = row["metadata"]["problem_id"]
                task = Task(number, library, row["code_context"], "pass", row["reference_code"])
                libraries.setdefault(library, []).append(task)
    tasks = [task for group in libraries.values() for task in group[:: len(group) // 2][:2]]
    closed = {cheat.name for cheat in CHEATS if not cheat.hole}
    scores = _score(box, tasks, one_in=3)
    zeros = [Program(f"{task.variable} = 0", tests=task.tests, group=task.group) for task in tasks]
    free = {number for number, verdict in scores.of("").items() if verdict.passed}
    free |= {task.problem_id for task, verdict in zip(tasks, box.map(zeros), strict=True) if verdict.passed}
    assert len(free) < len(tasks) / 2
    paid = {
        key
        for key, verdict in scores.verdicts.items()
        if verdict.passed and key[0] in closed and key[1] not in free
    }
    assert paid == set()
