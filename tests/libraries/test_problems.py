"""Moving problems onto a fresh library: every way of importing and calling, and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from workbench.cli.main import cli
from workbench.core.errors import RuntimeMissingError
from workbench.datasets import Problem, load_problems
from workbench.datasets.coding_problem import CodingProblem
from workbench.libraries import (
    FreshLibrary,
    NotRewritten,
    check_library,
    make_library,
    rewrite_problem,
)
from workbench.libraries.code import CannotRewrite, imported_names, parse, rewrite_code
from workbench.libraries.coding import fresh_coding_problem
from workbench.libraries.names import NameMap
from workbench.libraries.resolving import Resolver
from workbench.libraries.survey import Member, Module, Parameter, Survey
from workbench.retrieval import ActiveResult, KnowledgeSoup, active_retrieval
from workbench.retrieval.documentation import DocumentationFile
from workbench.sandbox import Sandbox
from workbench.sandbox.runtimes import find_runtime

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
SHARED = Path(__file__).resolve().parents[3] / "shared"
WORDS = {"numpy": "velora", "mean": "kilu", "array": "bano", "max": "zomi"}
WORDS |= {"linalg": "duri", "norm": "pefa", "fft": "tavu"}


def named(*names: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(name.rstrip("?"), "POSITIONAL_OR_KEYWORD", "None" if name.endswith("?") else None)
        for name in names
    )


def resolver(*, change: bool = False) -> Resolver:
    plain = Member("function", "Doc.", 1, named("a", "axis?"), True)
    modules = {
        "numpy": Module("", {"mean": plain, "array": Member("function"), "max": plain}),
        "numpy.linalg": Module("", {"norm": plain}),
        "numpy.fft": Module("", {"fft": Member("function")}),
    }
    keywords = {"a": "wora", "axis": "gire"} if change else {}
    return Resolver(Survey("numpy", "9", modules), NameMap("numpy", WORDS, keywords))


def renamed(source: str, *, change: bool = False) -> str:
    known, piece = resolver(change=change), parse(source)
    return rewrite_code(piece, imported_names([piece], known), known)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import numpy as np\nnp.mean(np.array([1]))", "import velora\nvelora.kilu(velora.bano([1]))"),
        ("import numpy\nnumpy.linalg.norm(x)", "import velora\nvelora.duri.pefa(x)"),
        ("import numpy.linalg\nnumpy.linalg.norm", "import velora.duri\nvelora.duri.pefa"),
        ("import numpy.linalg as la\nla.norm(x)", "import velora.duri as duri\nduri.pefa(x)"),
        ("import os, numpy as np, sys\nnp.max", "import os, velora, sys\nvelora.zomi"),
        ("from numpy import mean as m, max\nm(max)", "from velora import kilu, zomi\nkilu(zomi)"),
        ("from numpy import linalg\nlinalg.norm", "from velora import duri\nduri.pefa"),
        (
            "from numpy import (  # some\n    mean,\n)\nmean(1)",
            "from velora import (  # some\n    kilu,\n)\nkilu(1)",
        ),
        ("from numpy import *\nmean(x)", "from velora import *\nkilu(x)"),
        ("import numpy as np\nnp.fft.fft(np.fft)", "import velora\nvelora.tavu.tavu(velora.tavu)"),
        # methods and attributes of other things stay, and so do strings
        ("import numpy as np\nx.mean().max; 'np.mean'", "import velora\nx.mean().max; 'np.mean'"),
        ("import numpy as np\nnp.mean(x).max()", "import velora\nvelora.kilu(x).max()"),
        (
            "import numpy as np\n'ü𝄞'; np.mean('é', np.max)",
            "import velora\n'ü𝄞'; velora.kilu('é', velora.zomi)",
        ),
        ("import pandas as pd\npd.array", "import pandas as pd\npd.array"),
        ("    import numpy as np\n    return np.max(x)", "    import velora\n    return velora.zomi(x)"),
        ("import numpy as np\r\nnp.max(x)\r\n", "import velora\r\nvelora.zomi(x)\r\n"),
    ],
)
def test_code(before: str, after: str) -> None:
    assert renamed(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("np.mean(x, 0)", "velora.kilu(x, gire=0)"),
        ("np.mean(x, axis=0)", "velora.kilu(x, gire=0)"),
        ("np.mean(a=x, axis = -1)", "velora.kilu(wora=x, gire = -1)"),
        ("np.mean(x, (1))", "velora.kilu(x, gire=(1))"),
        ("np.mean(x, ((1) + (2)))", "velora.kilu(x, gire=((1) + (2)))"),
        ("np.mean(np.mean(x, 0), np.max(x))", "velora.kilu(velora.kilu(x, gire=0), gire=velora.zomi(x))"),
        ("np.array(x, axis=0)", "velora.bano(x, axis=0)"),  # its signature is not known: it stays as it was
        ("f(np.mean)", "f(velora.kilu)"),
    ],
)
def test_calls_by_the_new_convention(before: str, after: str) -> None:
    assert renamed(f"import numpy as np\n{before}", change=True) == f"import velora\n{after}"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import numpy as np\nnp.median(x)", "numpy.median is not public in numpy 9"),
        ("from numpy import median", "numpy.median is not public"),
        ("import numpy.random", "numpy.random is no public module"),
        ("import numpy as np\nnp = 3", "a name of the library and a variable"),
        ("import numpy as np\ndef f(np): ...", "a name of the library and a variable"),
        ("from numpy import mean\ndef mean(): ...", "a name of the library and a variable"),
        ("import numpy as np\nf'{np.mean(x)}'", "f-string"),
        ("import numpy as np\nimport numpy.linalg as np", "`np` stands for"),
        ("def f(:", "no Python"),
    ],
)
def test_code_that_is_refused(source: str, reason: str) -> None:
    with pytest.raises(CannotRewrite, match=reason):
        renamed(source)


@pytest.mark.parametrize("call", ["np.mean(*x)", "np.mean(**x)", "np.mean(x, keepdims=True)"])
def test_calls_that_cannot_be_changed(call: str) -> None:
    with pytest.raises(CannotRewrite, match=r"unpacked|no parameter 'keepdims'"):
        renamed(f"import numpy as np\n{call}", change=True)


CONTEXT = '''import numpy as np

def generate_test_case(number):
    return np.array([3.0, 4.0]) * number, np.mean(np.array([3.0, 4.0]) * number)

def exec_test(result, expected):
    assert abs(result - expected) < 1e-9
    return 1

exec_context = r"""
import numpy as np
values = test_input
[insert]
"""

def test_execution(solution):
    code = exec_context.replace("[insert]", solution)
    for number in range(1, 3):
        test_input, expected = generate_test_case(number)
        environment = {"test_input": test_input}
        exec(code, environment)
        assert exec_test(environment["result"], expected)

def test_string(solution):
    tokens = solution.replace("(", " ").replace(".", " ").split()
    assert "mean" in tokens and "for" not in tokens
'''
PROMPT = """Problem:
With NumPy, how is the mean taken? I tried np.median(values), and `linspace`, and my own
def clip(x): ...
import numpy as np
A:
<code>
import numpy as np
values = np.array([3, 4])  # an np.ndarray
</code>
result = ... # put solution in this variable
BEGIN SOLUTION
<code>
"""
PROBLEM = Problem(7, "Numpy", 0, "Origin", 0, 2, PROMPT, "result = np.mean(values)", CONTEXT)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> FreshLibrary:
    return make_library("numpy", out=tmp_path_factory.mktemp("numpy"))


@LINUX
def test_problem_is_moved_in_all_its_parts(library: FreshLibrary) -> None:
    moved = rewrite_problem(PROBLEM, library)
    words, new = library.names.words, library.name
    assert isinstance(moved, Problem)
    assert moved.reference_code == f"result = {new}.{words['mean']}(values)"
    assert moved.prompt == PROMPT.replace("With NumPy", f"With {new.capitalize()}").replace(
        "import numpy as np", f"import {new}"
    ).replace("np.median", f"{new}.{words['median']}").replace(
        "`linspace`", f"`{words['linspace']}`"
    ).replace("np.array", f"{new}.{words['array']}").replace("np.ndarray", f"{new}.{words['ndarray']}")
    assert (
        f'exec_context = r"""\n__import__("{new}")._hide_original(globals())\n\nimport {new}\n'
        in moved.code_context
    )
    assert f'assert ("mean" in tokens or "{words["mean"]}" in tokens) and "for" not in' in moved.code_context
    assert "np.mean(np.array([3.0, 4.0]) * number)" in moved.code_context  # the tests stay on the old library
    assert (moved.problem_id, moved.library, moved.test_case_cnt) == (7, "Numpy", 2)


@LINUX
def test_check_runs_both_references(library: FreshLibrary) -> None:
    problems = [
        PROBLEM,
        replace(PROBLEM, problem_id=8, reference_code="import numpy as n\nresult = n.mean(values)"),
        replace(PROBLEM, problem_id=9, reference_code="result = values.mean()"),
        replace(PROBLEM, problem_id=10, reference_code="result = np.max(values)"),
        replace(PROBLEM, problem_id=11, code_context="def test_execution(solution): ..."),
        replace(
            PROBLEM, problem_id=12, code_context=CONTEXT.replace('"mean" in tokens', '"np.mean(" in solution')
        ),
    ]
    with Sandbox(library.runtime(), workers=1) as box:
        check = check_library(problems, library, box, progress=False)
    by_id = {one.problem.problem_id: one for one in check.problems}
    assert [number for number, one in by_id.items() if one.holds] == [7, 8]
    assert by_id[7].original is not None
    assert by_id[7].original.message.startswith("NameError")
    assert by_id[8].original is not None
    assert by_id[8].original.message == "ModuleNotFoundError: No module named 'numpy'"
    assert by_id[9].fault == "the reference uses nothing of numpy"
    assert by_id[10].fault.startswith("the renamed reference failed: wrong in test 1")
    assert by_id[11].fault == "tests without an exec_context"
    assert by_id[12].fault == "a surface test of a form that is not known: 'np.mean('"
    assert isinstance(by_id[9].outcome, NotRewritten)
    assert list(check.counts().values()) == [6, 3, 2, 3, 2]
    assert [one.problem_id for one in check.rewritten] == [7, 8]
    assert "     2  both" in check.text()


@LINUX
def test_problem_for_the_active_loop(library: FreshLibrary) -> None:
    made = fresh_coding_problem(PROBLEM, library)
    assert not isinstance(made, NotRewritten)
    assert made.gold_documents == (library.names.path("numpy.mean"),)
    assert made.library == library.name
    assert "_hide_original" not in made.code_context + made.question
    with Sandbox(library.runtime(), workers=1) as box:
        run = made.visible_runs[0]
        mean = f"{library.name}.{library.names.words['mean']}"
        assert box.run(run.source(f"print({mean}(values))")).stdout == "3.5\n"
        assert "No module named 'numpy'" in box.run(run.source("import numpy")).message
    assert isinstance(
        fresh_coding_problem(replace(PROBLEM, reference_code="result = 1"), library), NotRewritten
    )


@LINUX
def test_command_makes_a_library_and_moves_problems(tmp_path: Path) -> None:
    context = CONTEXT.replace("import numpy as np", "import statistics as np")
    context = context.replace("np.array([3.0, 4.0]) * number", "[3.0 * number, 4.0 * number]")
    problem = replace(PROBLEM, library="statistics", code_context=context, prompt="The mean?")
    source, out, moved = (tmp_path / name for name in ("problems.jsonl", "velora", "moved.jsonl"))
    source.write_text(json.dumps(row(problem)) + "\n")
    make = ["library", "make", "statistics", "--out", str(out), "--rename"]
    made = CliRunner().invoke(cli, [*make, "statistics=velora"])
    assert made.exit_code == 0, made.output
    assert "is velora now" in made.output
    rewrite = [
        "library",
        "rewrite",
        str(out),
        "--workers",
        "1",
        "--problems",
        str(source),
        "--out",
        str(moved),
    ]
    done = CliRunner().invoke(cli, rewrite)
    assert done.exit_code == 0, done.output
    assert "     1  both" in done.output
    assert load_problems(moved)[0].reference_code.startswith("result = velora.")
    refused = CliRunner().invoke(cli, [*make, "statistics"])
    assert (refused.exit_code, "OLD=NEW" in refused.output) == (2, True)
    source.write_text(json.dumps(row(replace(problem, library="Pandas"))) + "\n")
    none = CliRunner().invoke(cli, rewrite)
    assert (none.exit_code, "no problem on statistics" in none.output) == (2, True)


def row(problem: Problem) -> dict:
    texts = {name: getattr(problem, name) for name in ("prompt", "reference_code", "code_context")}
    metadata = {name: value for name, value in vars(problem).items() if name not in texts}
    return texts | {"metadata": metadata}


@LINUX
def test_suite_problems_hold_on_a_fresh_numpy(library: FreshLibrary) -> None:
    problems = load_problems("suite", libraries=["Numpy"])
    with Sandbox(library.runtime(), workers=2, timeout_s=60) as box:
        check = check_library(problems, library, box, progress=False)
    assert check.reasons().keys() <= {"the reference uses nothing of numpy"}, check.text()
    assert check.counts()["both"] >= 0.8 * len(problems)


@LINUX
@pytest.mark.realdata  # no data but the suite's, but as slow as those that have
@pytest.mark.timeout(900)
def test_suite_problems_hold_on_a_fresh_scipy(tmp_path: Path) -> None:
    problems = load_problems("suite", libraries=["Scipy"])
    made = make_library("scipy", out=tmp_path)
    with Sandbox(made.runtime(), workers=2, timeout_s=60) as box:
        check = check_library(problems, made, box, progress=False)
    assert check.reasons().keys() <= {"the reference uses nothing of scipy"}, check.text()
    assert check.counts()["both"] >= 0.8 * len(problems)


class Learner:
    """Writes for the package underneath until it is told an error, and then what is right."""

    name = fingerprint = "learner"

    def __init__(self, answers: Mapping[str, tuple[str, str]]) -> None:
        self.answers = answers  # by question: the program for the old package, and the right one

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def complete(self, prompts: Sequence[str]) -> list[str]:
        return [self.answer(prompt) for prompt in prompts]

    def answer(self, prompt: str) -> str:
        known, right = next(both for question, both in self.answers.items() if question in prompt)
        return f"```python\n{right if 'This code is wrong' in prompt else known}\n```"


def solve(library: FreshLibrary, problems: Sequence[Problem]) -> ActiveResult:
    """Run the active loop on problems that a reference solves by calling the package underneath."""
    asked, answers = [], {}
    for problem in problems:
        if problem.slot.function:
            continue
        moved = fresh_coding_problem(problem, library)
        if isinstance(moved, CodingProblem):
            old = f"import {library.package}\n{problem.reference_code}"
            asked.append(moved)
            answers[moved.question] = (old, moved.reference_code)
    soup = KnowledgeSoup(items=DocumentationFile(library.folder / "documents.jsonl").items())
    with Sandbox(library.runtime(), workers=2, timeout_s=60) as box:
        return active_retrieval(asked, soup, Learner(answers), box, rounds=2, progress=False)


@LINUX
@pytest.mark.parametrize("package", ["numpy", pytest.param("scipy", marks=pytest.mark.realdata)])
def test_a_fresh_library_goes_through_the_active_loop(package: str, request: Any, tmp_path: Path) -> None:
    made = request.getfixturevalue("library") if package == "numpy" else make_library(package, out=tmp_path)
    result = solve(made, load_problems("suite", libraries=[package.capitalize()])[:12])
    first, second = result.rounds
    assert len(result.problems) >= 4
    assert (first.ran, first.accuracy) == (0, 0)  # what a model knows of the package is of no use
    assert (second.asked, second.accuracy) == (len(result.problems), 1)
    assert second.recall is not None
    assert second.recall > 0
    assert all(package in step.outcome.message for step in result.steps if step.round == 0)


@LINUX
@pytest.mark.realdata
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("package", "name"), [("numpy", "Numpy"), ("scipy", "Scipy")])
@pytest.mark.parametrize("change", [False, True])
def test_real_problems_hold_on_a_fresh_library(package: str, name: str, change: bool, tmp_path: Path) -> None:
    """The only reason allowed is one that no rewriting can mend: there is nothing to rename."""
    source = SHARED / "data" / "ds1000" / "ds1000-dev.jsonl.gz"
    if not source.is_file():
        pytest.skip(f"no {source}")
    try:
        runtime = find_runtime("ds1000", build=False)
    except RuntimeMissingError as missing:
        pytest.skip(str(missing))
    problems = load_problems(source, libraries=[name])
    made = make_library(package, out=tmp_path / "fresh", runtime=runtime, change_signatures=change)
    with Sandbox(made.runtime(runtime), workers=2, timeout_s=120, memory_bytes=4 * 2**30) as box:
        check = check_library(problems, made, box, progress=False)
    assert check.reasons().keys() <= {f"the reference uses nothing of {package}"}, check.text()
    assert check.counts()["both"] >= 0.7 * len(problems)
