"""Right answers of every family pass, graded in two processes but for those that say why not; wrong ones fail."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sandbox_families import FAMILIES, Problem

from workbench.core.errors import RuntimeMissingError, SandboxUnavailableError
from workbench.sandbox import Program, Sandbox, Verdict
from workbench.sandbox.isolation import check
from workbench.sandbox.runtimes import find_runtime

try:
    check("sandlock")
except SandboxUnavailableError as error:
    pytest.skip(f"this machine cannot isolate programs: {error}", allow_module_level=True)

_ALL = [(family, problem) for family, problems in FAMILIES.items() for problem in problems]


@dataclass
class Graded:
    """The verdicts of one runtime, by problem: the reference's, then those of the wrong answers."""

    runtime: str
    verdicts: dict[str, list[Verdict]]

    def of(self, problem: Problem) -> list[Verdict]:
        if problem.name not in self.verdicts:
            pytest.skip(
                f"the runtime {self.runtime} lacks what it asks for: {problem.needs or 'another version'}"
            )
        return self.verdicts[problem.name]


def _has(interpreter: str, modules: set[str]) -> set[str]:
    """Return those of `modules` that an interpreter finds."""
    code = "import sys, importlib.util as u; print(*[m for m in sys.argv[1:] if u.find_spec(m)])"
    done = subprocess.run([interpreter, "-c", code, *modules], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture(scope="module", params=["main", "ds1000"])
def graded(request: pytest.FixtureRequest) -> Iterator[Graded]:
    """Grade every problem's reference and wrong answers in one pool."""
    try:
        runtime = find_runtime(request.param)
    except RuntimeMissingError as error:
        pytest.skip(f"no runtime {request.param}: {error}")
    found = _has(str(runtime.python), {module for _, problem in _ALL for module in problem.needs})
    chosen = [
        (family, problem)
        for family, problem in _ALL
        if request.param in problem.runtimes and found.issuperset(problem.needs)
    ]
    programs = [
        Program(code, tests=problem.tests, group=family, reference=problem.reference)
        for family, problem in chosen
        for code in (problem.reference, *problem.wrong)
    ]
    with Sandbox(request.param, workers=2, timeout_s=30) as box:
        verdicts = box.map(programs)
        yield Graded(
            request.param,
            {problem.name: [next(verdicts) for _ in range(1 + len(problem.wrong))] for _, problem in chosen},
        )


def test_the_suite_is_of_size():
    assert len(_ALL) >= 60
    assert len({problem.name for _, problem in _ALL}) == len(_ALL)
    assert all(problem.wrong for _, problem in _ALL)
    assert sum(bool(problem.unsplit) for _, problem in _ALL) <= 5


_each = pytest.mark.parametrize(
    "problem", [pytest.param(problem, id=problem.name.replace(" ", "-")) for _, problem in _ALL]
)


@_each
def test_reference_passes_in_two_processes(problem: Problem, graded: Graded):
    verdict = graded.of(problem)[0]
    assert verdict.passed, verdict
    assert verdict.split is not bool(problem.unsplit)


@_each
def test_wrong_answers_fail(problem: Problem, graded: Graded):
    assert [(verdict.status, verdict.stage) for verdict in graded.of(problem)[1:]] == [
        ("failed", "execution")
    ] * len(problem.wrong)


_OWN = {
    "a class": "class Point:\n    pass\nresult = {'at': Point()}",
    "a data class": "import dataclasses\n@dataclasses.dataclass\nclass Point:\n    x: int\nresult = [Point(1)]",
    "an enumeration": "import enum\nclass Point(enum.Enum):\n    A = 1\nresult = Point.A",
    "an exception": "class Point(Exception):\n    pass\nresult = Point()",
    "a dictionary": "class Point(dict):\n    pass\nresult = Point()",
    "in an array": "import numpy as np\nclass Point:\n    pass\nresult = np.array([Point()], dtype=object)",
    "in a frame": "import pandas as pd\nclass Point:\n    pass\nresult = pd.DataFrame({'a': [Point()]})",
    "an estimator": "from sklearn.base import BaseEstimator\nclass Point(BaseEstimator):\n    pass\nresult = Point()",
    "the class itself": "class Point:\n    pass\nresult = Point",
    "a function": "def Point(x):\n    return x\nresult = Point",
}


@pytest.fixture(scope="module")
def refused() -> dict[str, Verdict]:
    """Run what returns an object of the answer's own."""
    tests = "def test_execution(code):\n    space = {}\n    exec(code, space)\n    assert space['result']\n"
    with Sandbox(workers=2, timeout_s=30) as box:
        verdicts = box.map(Program(code, tests=tests) for code in _OWN.values())
        return dict(zip(_OWN, verdicts, strict=True))


@pytest.mark.parametrize("name", _OWN)
def test_what_the_answer_defines_is_refused_by_name(name: str, refused: dict[str, Verdict]):
    """Neither its methods nor its equality may run beside the expected values; who wrote it is told why."""
    verdict = refused[name]
    assert verdict.status == "failed"
    assert "Point" in verdict.message
    assert "\n" not in verdict.message
