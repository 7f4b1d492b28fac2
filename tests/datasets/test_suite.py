"""Our own DS-1000-format suite: what it promises, and what a careless edit of a source meets."""

from __future__ import annotations

import ast
import json
import tokenize
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from workbench.core.errors import DataError
from workbench.datasets.suite import LIBRARIES, PERTURBATIONS, build, read_source, suite_folder, write
from workbench.datasets.suite_row import row

SOURCE = """\
library: Numpy
imports: |
  import numpy as np
problems:
  - id: 0
    type: Origin
    origin: 0
    question: |
      How do I double `a`?
    given: |
      a = np.array([1, 2])
    inputs: a
    output: b
    reference: |
      b = 2 * a
    wrong:
      - why: squares
        code: |
          b = a**2
    tests:
      - |
        a = np.array([])
    compare: array
    surface:
      avoids: [for]
"""


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (suite_folder() / "suite.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def wrong() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (suite_folder() / "wrong.jsonl").read_text().splitlines()]


@pytest.fixture
def source(tmp_path: Path) -> Callable[[str], Path]:
    def write_source(text: str) -> Path:
        path = tmp_path / "numpy.yaml"
        path.write_text(text)
        return path

    return write_source


def test_committed_files_equal_a_regeneration(rows, wrong):
    assert build(suite_folder() / "suite") == (rows, wrong)


def test_write_makes_the_committed_bytes(tmp_path):
    (tmp_path / "suite").symlink_to(suite_folder() / "suite")
    problems, answers = write(tmp_path)
    for name, lines in (("suite.jsonl", problems), ("wrong.jsonl", answers)):
        assert (tmp_path / name).read_bytes() == (suite_folder() / name).read_bytes()
        assert len((tmp_path / name).read_text().splitlines()) == lines


def test_problem_ids_count_up_in_the_order_of_the_libraries(rows):
    assert [one["metadata"]["problem_id"] for one in rows] == list(range(len(rows)))
    libraries = [one["metadata"]["library"] for one in rows]
    assert list(dict.fromkeys(libraries)) == list(LIBRARIES)
    assert libraries == sorted(libraries, key=LIBRARIES.index)


def test_there_are_enough_problems_of_every_kind(rows):
    by_library = Counter(one["metadata"]["library"] for one in rows)
    by_kind = Counter((one["metadata"]["library"], one["metadata"]["perturbation_type"]) for one in rows)
    assert len(rows) >= 84
    assert min(by_library.values()) >= 12
    assert all(by_kind[library, kind] >= 1 for library in LIBRARIES for kind in PERTURBATIONS)


def test_perturbed_problems_name_an_origin_of_their_library(rows):
    origins = set()
    for metadata in (one["metadata"] for one in rows):
        key = (metadata["library"], metadata["perturbation_origin_id"])
        if metadata["perturbation_type"] == "Origin":
            assert metadata["perturbation_origin_id"] == metadata["library_problem_id"]
            origins.add(key)
        else:
            assert key in origins


def test_a_sixth_of_the_problems_has_a_surface_form_test(rows):
    share = sum("def test_string(" in one["code_context"] for one in rows) / len(rows)
    assert share >= 1 / 6


def test_no_two_problems_share_their_prompt_or_reference_within_a_library(rows):
    assert len({one["prompt"] for one in rows}) == len(rows)
    other = Counter(
        (one["metadata"]["library"], one["reference_code"])
        for one in rows
        if one["metadata"]["perturbation_type"] != "Surface"
    )
    assert max(other.values()) == 1


def test_value_problems_have_at_least_two_test_cases(rows):
    few = [one["metadata"]["problem_id"] for one in rows if one["metadata"]["test_case_cnt"] < 2]
    assert all(rows[problem_id]["metadata"]["library"] == "Matplotlib" for problem_id in few)


def test_every_problem_has_a_wrong_answer_with_its_reason(rows, wrong):
    assert {one["problem_id"] for one in wrong} == set(range(len(rows)))
    assert all(one["why"] and one["code"].strip() for one in wrong)


def test_prompts_have_the_styles_of_the_release(rows):
    for one in rows:
        if one["metadata"]["library"] == "Matplotlib":
            assert one["prompt"].endswith("\n# SOLUTION START\n")
        else:
            assert one["prompt"].startswith("Problem:\n")
            assert "\nA:\n<code>\n" in one["prompt"]
            assert one["prompt"].endswith(
                (
                    " = ... # put solution in this variable\nBEGIN SOLUTION\n<code>\n",
                    "\n    ### BEGIN SOLUTION",
                )
            )


def test_code_contexts_define_what_a_grader_calls(rows):
    for one in rows:
        module = ast.parse(one["code_context"])
        names = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
        assert {"generate_test_case", "exec_test", "test_execution"} <= names
        assert one["code_context"].count("[insert]\n") == 1
        filled = one["code_context"].split('exec_context = r"""')[1].split('"""')[0]
        ast.parse(filled.replace("[insert]", one["reference_code"]))


def test_references_have_the_surface_form_that_is_asked(rows):
    for one in (one for one in rows if "def test_string(" in one["code_context"]):
        form = "import io\nimport tokenize\n" + one["code_context"].split("\n\n\n")[-1]
        scope: dict[str, Any] = {}
        exec(form, scope)
        scope["test_string"](one["reference_code"])


def test_wrong_answers_are_python_and_not_the_reference(rows, wrong):
    for one in wrong:
        assert one["code"] != rows[one["problem_id"]]["reference_code"]
        assert list(tokenize.tokenize(BytesIO(one["code"].encode()).readline))


def test_a_row_grades_by_hand(source):
    """The rendered module passes 2 * a, and fails a**2 (4 for 2 is right, 1 for 1 is not)."""
    (problem,) = read_source(source(SOURCE))
    rendered = row(problem, 7)
    assert rendered["metadata"] == {
        "problem_id": 7,
        "library_problem_id": 0,
        "library": "Numpy",
        "test_case_cnt": 2,
        "perturbation_type": "Origin",
        "perturbation_origin_id": 0,
    }
    assert rendered["prompt"] == (
        "Problem:\nHow do I double `a`?\n\nA:\n<code>\nimport numpy as np\n\na = np.array([1, 2])\n</code>\n"
        "b = ... # put solution in this variable\nBEGIN SOLUTION\n<code>\n"
    )
    scope: dict[str, Any] = {}
    exec(rendered["code_context"], scope)
    scope["test_execution"]("b = a + a")
    with pytest.raises(AssertionError):
        scope["test_execution"]("b = a**2")
    with pytest.raises(AssertionError):
        scope["test_string"]("b = [2 * x for x in a]")
    scope["test_string"]("b = 2 * a  # not for ever")


def test_a_function_problem_is_indented_and_returns(source):
    text = SOURCE.replace("    output: b\n", "    function: double\n").replace("b = ", "return ")
    (problem,) = read_source(source(text))
    rendered = row(problem, 0)
    assert rendered["prompt"].endswith(
        "\ndef double(a):\n    # return the solution in this function\n"
        "    # result = double(a)\n    ### BEGIN SOLUTION"
    )
    assert rendered["reference_code"] == "    return 2 * a"
    scope: dict[str, Any] = {}
    exec(rendered["code_context"], scope)
    scope["test_execution"](rendered["reference_code"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("library: Numpy", "library: [Numpy", "expected ',' or ']'"),
        ("library: Numpy", "library: Jax", "library 'Jax'"),
        ("    compare: array\n", "", "problem 0: no 'compare'"),
        ("    output: b\n", "    outptu: b\n", "unknown field 'outptu'"),
        ("    inputs: a\n", "", "no 'inputs'"),
        ("id: 0\n", "id: zero\n", "'id' is a str, not a int"),
        ("id: 0\n", "id: 3\n", "id 3 at position 0"),
        ("type: Origin", "type: Rephrased", "type 'Rephrased' is none of Origin, Surface"),
        ("type: Origin", "type: Surface", "origin 0 is no earlier Origin"),
        ("origin: 0", "origin: 1", "an Origin's `origin` is its own id"),
        ("b = 2 * a", "b = 2 *", "reference is not Python"),
        ("b = a**2", "b = a***2", "wrong[0] is not Python"),
        ("a = np.array([])", "a = np.array([)", "tests[0] is not Python"),
        ("- why: squares\n        code", "- code", "each with `why` and `code`"),
        ("compare: array", "compare: equal", "compare 'equal' is neither code nor one of"),
        ("avoids: [for]", "forbids: [for]", "`surface` has `uses` and `avoids`"),
        ("why: squares", "why: 2", "why of wrong[0] is a number, not a text"),
        ("avoids: [for]", "avoids: [4]", "an item of surface.avoids is a number, not a text"),
        ("import numpy as np", "one = 1", "imports has other lines than imports"),
    ],
)
def test_a_malformed_source_names_the_fault(source, old, new, message):
    assert old in SOURCE
    with pytest.raises(DataError) as fault:
        read_source(source(SOURCE.replace(old, new, 1)))
    assert message in fault.value.got
    assert "numpy.yaml" in fault.value.got
    assert fault.value.needed and fault.value.fix


def test_a_problem_that_is_no_mapping_is_named(source):
    with pytest.raises(DataError, match="a str where a mapping is needed"):
        read_source(source("library: Numpy\nproblems: [double it]\n"))


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no file .*pandas\.yaml"):
        build(tmp_path)
