"""A function as a generator: its answers, its fingerprint, its faults."""

from dataclasses import replace

import pytest

from workbench.core.errors import GeneratorError
from workbench.datasets import load_problems
from workbench.generators.function import FunctionGenerator


@pytest.fixture(scope="module")
def problems():
    return load_problems("suite", libraries=["Numpy"])[:2]


def test_it_answers_each_problem_and_sample(problems):
    generator = FunctionGenerator("lines", lambda problem: f"result = {len(problem.prompt)}")
    first, second = problems
    answers = list(generator.generate(problems, samples=2, skip={(first.problem_id, 0)}))
    assert [(one.problem_id, one.sample, one.code) for one in answers] == [
        (first.problem_id, 1, f"result = {len(first.prompt)}"),
        (second.problem_id, 0, f"result = {len(second.prompt)}"),
        (second.problem_id, 1, f"result = {len(second.prompt)}"),
    ]


def test_another_function_has_another_fingerprint():
    one = FunctionGenerator("same", len)
    assert one.fingerprint == FunctionGenerator("same", len).fingerprint
    assert one.fingerprint != FunctionGenerator("same", repr).fingerprint


@pytest.mark.parametrize(
    ("function", "said"), [(lambda problem: None, "returned None"), (lambda: "", "raised TypeError")]
)
def test_a_function_that_gives_no_code_is_named(problems, function, said):
    generator = FunctionGenerator("mine", function)
    with pytest.raises(GeneratorError, match=f"'mine' {said}"):
        list(generator.generate([replace(problems[0])]))
