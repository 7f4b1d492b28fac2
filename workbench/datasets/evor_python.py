"""EVOR-bench's tests on renamed Python libraries: inputs and expected results that come pickled.

Source: the evaluation of Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation": a program
finds its input in a file, pickles its result into another, and a function `test` compares.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.datasets.coding_problem import INSERT

__all__ = ["Case", "python_run", "python_tests"]


@dataclass(frozen=True)
class Case:
    """Input and expected output of one test; pickled where the language is Python."""

    given: bytes
    """What the program gets."""
    expected: bytes
    """What it has to give."""


def _program(context: str, number: int) -> str:
    """Return the program of one test as the authors start it: its input lies in a file, a word tells which."""
    return (
        "import pathlib, sys\n"
        f'sys.argv = ["program.py", "--test_case", "{number}"]\n'
        'pathlib.Path("result").mkdir(exist_ok=True)\n'
        f"{context}\n"
    )


def python_run(context: str, case: Case) -> str:
    """Return the program of a run whose errors may be shown, with its input in it; `[insert]` is left in place."""
    written = (
        'import base64, pathlib\npathlib.Path("input").mkdir(exist_ok=True)\n'
        f'pathlib.Path("input/input1.pkl").write_bytes(base64.b64decode({_packed(case.given)!r}))\n'
    )
    return written + _program(context, 1)


def python_tests(context: str, test_code: str, cases: Sequence[Case]) -> str:
    """Return the tests as a module in DS-1000's form.

    What the program pickles is read by its own process, which hands over the value: an unpickling here would run
    whatever a program has put into the file.
    """
    packed = [(_packed(case.given), _packed(case.expected)) for case in cases]
    programs = [
        f"{_program(context, number)}\nimport pickle\n"
        f'result = pickle.load(open("result/result_{number}.pkl", "rb"))\n'
        for number in range(1, len(cases) + 1)
    ]
    return f"""{test_code}

import base64
import pathlib
import pickle

PROGRAMS = {programs!r}
CASES = {packed!r}


def test_execution(solution):
    pathlib.Path("input").mkdir(exist_ok=True)
    for number, (program, (given, expected)) in enumerate(zip(PROGRAMS, CASES), start=1):
        pathlib.Path(f"input/input{{number}}.pkl").write_bytes(base64.b64decode(given))
        environment = {{"__name__": "__main__"}}
        exec(program.replace("{INSERT}", solution), environment)
        assert test(environment["result"], pickle.loads(base64.b64decode(expected))) == 1


def test_string(solution):
    if "stringTest" in globals():
        lines = [line for line in solution.split("\\n") if "print" not in line]
        assert stringTest("\\n".join(lines))
"""


def _packed(data: bytes) -> str:
    return base64.b64encode(data).decode()
