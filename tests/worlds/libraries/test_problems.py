"""The problems: graded for real, on inputs that no feedback shows."""

import json
from dataclasses import replace
from random import Random

import pytest

from workbench.core.errors import SettingsError
from workbench.retrieval.execution import Executor
from workbench.sandbox import Sandbox
from workbench.worlds.libraries.problems import coding_problem, draw_benchmark
from workbench.worlds.libraries.tasks import draw_task


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=2) as box:
        yield box


@pytest.fixture(scope="module")
def benchmark():
    return draw_benchmark(5, libraries=2, problems=6)


def test_the_right_program_passes_and_runs(benchmark, sandbox):
    executor = Executor(sandbox)
    right = [(problem, problem.reference_code) for problem in benchmark.problems]
    assert all(executor.passed(right))
    assert all(outcome.ran for outcome in executor.outcomes(right))


def test_leaving_out_any_step_fails_without_an_error(benchmark, sandbox):
    executor = Executor(sandbox)
    shorter = [
        (problem, "\n".join(lines[:i] + lines[i + 1 :]) or "x = x")
        for problem in benchmark.problems
        for lines in [problem.reference_code.split("\n")]
        for i in range(len(lines))
    ]
    assert not any(executor.passed(shorter))
    assert all(outcome.ran for outcome in executor.outcomes(shorter))


def test_errors_are_pythons_own_and_point_into_the_program(benchmark, sandbox):
    problem = benchmark.problems[0]
    outcome = Executor(sandbox).outcomes([(problem, "x = x\nx = reverse(x)")])[0]
    assert outcome.message == "NameError: name 'reverse' is not defined"
    assert (outcome.line, outcome.code_line) == (2, "x = reverse(x)")


def test_a_wrong_convention_is_told_by_the_library(benchmark, sandbox):
    library = benchmark.libraries[0]
    function = next(f for f in library.functions if f.convention == "first")
    outcome = Executor(sandbox).outcomes([(benchmark.problems[0], function.call(3, "last"))])[0]
    assert outcome.message == function.complaint == f"TypeError: {function.name} takes the number first"


def test_no_hidden_input_is_shown_and_no_result_is_in_any_program(benchmark):
    for problem in benchmark.problems:
        (visible,), (hidden,) = problem.visible_runs, problem.hidden_tests
        shown = next(line for line in visible.context.split("\n") if line.startswith("x = ["))
        inputs = next(line for line in hidden.context.split("\n") if line.startswith("for x in [["))
        listed = json.loads(inputs.removeprefix("for x in ").removesuffix(":"))
        assert len(listed) == 5
        assert json.loads(shown.removeprefix("x = ")) not in listed
        results = [line for line in hidden.expected_stdout.split("\n") if line not in ("", "[]")]
        assert not any(f"{line}\n" in visible.context + hidden.context for line in results)


def test_problems_ask_as_often_for_each_number_of_operations(benchmark):
    assert benchmark.operations == (1, 2, 3) * 4
    lines = [problem.reference_code.count("\n") + 1 for problem in benchmark.problems]
    assert tuple(lines) == benchmark.operations


def test_gold_documents_are_those_of_the_functions_that_the_right_program_calls(benchmark):
    documents = {item.id: item for item in benchmark.documentation()}
    assert len(documents) == 2 * 24
    for problem in benchmark.problems:
        called = [documents[gold].title for gold in problem.gold_documents]
        assert all(f"{name}(" in problem.reference_code for name in called)
        assert {documents[gold].library for gold in problem.gold_documents} == {problem.library}


def test_stripping_changes_the_documents_texts_and_not_their_ids(benchmark):
    plain, stripped = benchmark.documentation(), benchmark.documentation(stripped=True)
    assert [item.id for item in plain] == [item.id for item in stripped]
    assert all(one.text != other.text for one, other in zip(plain, stripped, strict=True))


def test_benchmarks_come_again_from_their_seed_and_differ_between_seeds():
    assert draw_benchmark(1, libraries=1, problems=3) == draw_benchmark(1, libraries=1, problems=3)
    assert draw_benchmark(1, libraries=1, problems=3) != draw_benchmark(2, libraries=1, problems=3)


def test_libraries_of_a_benchmark_share_no_names():
    functions = [f.name for library in draw_benchmark(1, problems=3).libraries for f in library.functions]
    assert len(set(functions)) == len(functions) == 10 * 24


def test_a_problem_comes_again_from_its_seed_whatever_it_is_called():
    library = draw_benchmark(5, libraries=1, problems=1).libraries[0]
    task = draw_task(Random(1), library, 2)
    problem = coding_problem("p", library, task, Random(2))
    assert replace(problem, problem_id="q") == coding_problem("q", library, task, Random(2))
    assert problem.question == task.question


def test_nothing_to_draw_is_refused():
    with pytest.raises(SettingsError, match="problems=0"):
        draw_benchmark(0, problems=0)
