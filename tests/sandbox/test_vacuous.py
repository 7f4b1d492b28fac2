"""Comparisons that say nothing: what no comparison can refuse is judged strictly, and vacuous passes are flagged."""

from __future__ import annotations

import textwrap

import pytest

from workbench.core.errors import SandboxUnavailableError
from workbench.datasets import load_problems
from workbench.sandbox import Program, Sandbox, Verdict
from workbench.sandbox.isolation import check

try:
    check("sandlock")
except SandboxUnavailableError as error:
    pytest.skip(f"this machine cannot isolate programs: {error}", allow_module_level=True)

_FORM = '''
import numpy as np
import pandas as pd
{extra}

def generate_test_case(number):
    x = {x}
    return x, {expected}

def exec_test(result, ans):
{compare}

exec_context = r"""
import numpy as np
import pandas as pd
x = test_input
[insert]
"""

def test_execution(solution):
    code = exec_context.replace("[insert]", solution)
    for i in range({cases}):
        test_input, expected_result = generate_test_case(i + 1)
        test_env = {{"test_input": test_input}}
        exec(code, test_env)
        assert exec_test(test_env["result"], expected_result)
'''


def form(
    compare: str, expected: str = "x * 2", x: str = "np.arange(3) + number", cases: int = 2, extra: str = ""
):
    """Return tests in DS-1000's form that compare in this way."""
    body = textwrap.indent(textwrap.dedent(compare).strip(), "    ")
    return _FORM.format(compare=body, expected=expected, x=x, cases=cases, extra=extra)


@pytest.fixture(scope="module")
def grade():
    with Sandbox(workers=2, timeout_s=60) as box:
        yield lambda code, text: box.run(Program(code, tests=text))


def plain(verdict: Verdict) -> tuple[str, bool, str]:
    return verdict.status, verdict.vacuous, verdict.vacuous_why


CAUGHT = "try:\n    assert result == ans\n    return 1\nexcept ValueError:\n    return 0"
EQUAL = "assert np.all(result == ans)\nreturn 1"
TRUTH = "assert result == ans\nreturn 1"
RETURNED = "return result == ans"


# --- truth that is not there ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "compare",
    [TRUTH, RETURNED, "try:\n    assert result == ans\n    return 1\nexcept ValueError:\n    return 0"],
)
@pytest.mark.parametrize(
    "answer",
    [
        "result = pd.array([0, 0, 0])",
        "result = pd.array([0, 0, None], dtype='Int64')",
        "result = pd.arrays.SparseArray([0, 0, 0])",
        "result = pd.array(['a', 'b', 'c'], dtype='string')",
        "result = pd.array([x[0] * 2, 0, 0])",
    ],
)
def test_the_truth_of_an_extension_array_is_no_pass(grade, compare, answer):
    verdict = grade(answer, form(compare, expected="[int(each) * 2 for each in x]"))
    assert (verdict.status, verdict.stage) == ("failed", "execution")
    assert "was taken to be true, whatever it holds" in verdict.message


def test_an_extension_array_of_what_is_right_passes(grade):
    given = form(TRUTH, expected="[int(each) * 2 for each in x]")
    assert plain(grade("result = pd.array(x * 2)", given)) == ("passed", False, "")


@pytest.mark.parametrize("expected", ["('a', [2, 4, 6])", "{'a': 7, 'b': [2, 4, 6]}", "[[1], x * 2, 41.5]"])
def test_tests_that_accept_one_of_several_are_strict_too(grade, expected):
    """Nobody compares with the whole of what is expected, so a part is held against the tests as a right result."""
    compare = """
    for each in ans.values() if isinstance(ans, dict) else ans:
        try:
            assert result == each
        except Exception:
            continue
        return 1
    return 0
    """
    verdict = grade("result = pd.array([0, 0, 0])", form(compare, expected=expected, cases=1))
    assert verdict.status == "failed"
    assert "was taken to be true, whatever it holds" in verdict.message


def test_where_the_expected_value_has_no_truth_either_the_tests_keep_their_word(grade):
    given = form("assert len(result) == len(ans) and ans == ans - 1\nreturn 1", expected="pd.array(x * 2)")
    assert grade("result = pd.array(x * 2)", given).status == "passed"


def test_tests_without_exec_test_are_strict_too(grade):
    given = """
import pandas as pd
def test_execution(solution):
    environment = {"x": 3}
    exec(solution, environment)
    assert environment["result"] == [1, 2]
"""
    verdict = grade("import pandas as pd\nresult = pd.array([0, 0])", given)
    assert verdict.status == "failed"
    assert "whatever it holds" in verdict.message
    right = grade("result = [1, 2]", given)
    assert plain(right) == ("passed", False, "not examined: the tests compare elsewhere than in `exec_test`")


_MASKED = {
    "a masked array": "result = np.ma.masked_all(3)",
    "one masked cell": "result = np.ma.array(x * 2, mask=[0, 0, 1])",
    "cells of an array of objects": "result = np.array([np.ma.masked] * 3, dtype=object)",
    "cells of a frame": "result = pd.DataFrame({'a': np.array([np.ma.masked] * 3, dtype=object)})",
    "a list": "result = [np.ma.masked] * 3",
    "a list in a dict": "result = {'a': [np.ma.masked] * 3}",
}


@pytest.mark.parametrize("answer", _MASKED.values(), ids=_MASKED)
@pytest.mark.parametrize("text", ["", "mask = None  # tests that speak of masks"])
def test_masked_values_pass_no_test_whose_expected_value_has_none(grade, answer, text):
    verdict = grade(answer, form("return 1", extra=text))
    assert verdict.status == "failed"
    assert "masked values in the result" in verdict.message


_MASKS = {
    "compare": "assert not np.any(result != ans)\nreturn 1",
    "expected": "np.ma.array(x * 2, mask=[0, 1, 0])",
}


def test_a_masked_result_passes_where_it_is_expected_and_no_other_cell_may_be_masked(grade):
    right = "result = np.ma.array(x * 2, mask=[0, 1, 0])"
    assert plain(grade(right, form(**_MASKS))) == ("passed", False, "")
    for mask in ("[1, 1, 1]", "[0, 0, 1]"):
        verdict = grade(f"result = np.ma.array(x * 0, mask={mask})", form(**_MASKS))
        assert verdict.status == "failed"
        assert "masked values in the result" in verdict.message


# --- vacuous passes ---------------------------------------------------------------------------------------

_ZIP = "for one, other in zip(result, ans):\n    assert one == other\nreturn 1"
_NAN = "assert not (np.abs(np.asarray(result, dtype=float) - ans) > 1e-6).any()\nreturn 1"
_SHAPE = "assert np.shape(result) == np.shape(ans)\nreturn 1"
_LENIENT = {
    "empty": (_ZIP, "result = []", "accepts an empty result in the place of 3 values"),
    "missing": (_NAN, "result = np.full(3, np.nan)", "accepts missing values alone in the place of 3"),
    "none": (
        "return result is None or np.array_equal(result, ans)",
        "result = None",
        "accepts missing values alone in the place of 3",
    ),
    "broadcast": (
        "assert np.allclose(result, ans)\nreturn 1",
        "result = np.array([x[0] * 2])",
        "accepts one value in the place of 3",
    ),
    "any values": (_SHAPE, "result = x * 3 + 1", "accept the result with missing values as well"),
    "any texts": (
        "assert [type(each) for each in result] == [str] * 3\nreturn 1",
        "result = ['x', 'y', 'z']",
        "accept the result with missing values as well",
    ),
    "no negative number": (
        "assert np.shape(result) == np.shape(ans) and (result >= 0).all()\nreturn 1",
        "result = x + 40",
        "accept the result with zero values as well",
    ),
    "another type": (
        "return not isinstance(result, np.ndarray) or np.array_equal(result, ans)",
        "result = [5, 6]",
        "accept the result with missing values as well",
    ),
}


@pytest.mark.parametrize(("compare", "answer", "why"), _LENIENT.values(), ids=_LENIENT)
def test_a_pass_that_says_nothing_is_flagged_and_says_why(grade, compare, answer, why):
    expected = "np.full(3, number + 1)" if "x[0]" in answer else "x * 2"
    verdict = grade(answer.replace("x[0] * 2", "x[0] + 1"), form(compare, expected=expected))
    assert (verdict.status, verdict.vacuous) == ("passed", True)
    assert why in verdict.vacuous_why


@pytest.mark.parametrize(
    "compare", [compare for compare, _, _ in _LENIENT.values()] + [EQUAL], ids=[*_LENIENT, "strict"]
)
def test_the_expected_result_is_never_flagged_however_lenient_the_tests(grade, compare):
    strings = "str" in compare
    right = "result = [str(each) for each in x]" if strings else "result = x * 2"
    expected = "[str(each) for each in x]" if strings else "x * 2"
    assert plain(grade(right, form(compare, expected=expected))) == ("passed", False, "")


_BLANK = {
    "an empty frame": "pd.DataFrame({'a': []})",
    "an empty list": "[]",
    "zeros": "np.zeros(3)",
    "missing values": "pd.Series([None, np.nan])",
    "None": "None",
    "a single value": "7.5",
}


@pytest.mark.parametrize("expected", _BLANK.values(), ids=_BLANK)
def test_a_result_that_is_blank_by_right_is_not_flagged(grade, expected):
    assert plain(grade(f"result = {expected}", form("return 1", expected=expected))) == ("passed", False, "")


def test_one_case_that_tells_blanks_apart_is_enough(grade):
    """The first case asks for the shape alone, the second for values."""
    compare = "assert np.shape(result) == np.shape(ans) and (ans[0] == 2 or (result > ans).all())\nreturn 1"
    assert plain(grade("result = x * 3", form(compare))) == ("passed", False, "")


@pytest.mark.parametrize("expected", ["np.empty(0)", "pd.DataFrame()"])
def test_a_number_that_is_broadcast_against_nothing_is_flagged(grade, expected):
    compare = "np.testing.assert_array_equal(result, np.asarray(ans).ravel())\nreturn 1"
    for answer in ("0", "7", "float('nan')"):
        verdict = grade(f"result = {answer}", form(compare, expected=expected))
        assert (verdict.status, verdict.vacuous) == ("passed", True)
    assert plain(grade("result = np.empty(0)", form(compare, expected=expected))) == ("passed", False, "")


@pytest.mark.parametrize(("answer", "flag"), [("[1, 2]", True), ("[None, None]", True), ("None", False)])
def test_without_an_expected_value_nobody_can_tell(grade, answer, flag):
    verdict = grade(f"result = {answer}", form("return result is None or len(result) == 2", expected="None"))
    assert (verdict.status, verdict.vacuous) == ("passed", False)
    assert verdict.vacuous_why.startswith("not examined: the tests hold no expected value") is flag


def test_a_large_result_is_examined_in_time(grade):
    given = form(
        "return len(result) == len(ans)", expected="pd.DataFrame(np.arange(200_000).reshape(-1, 10) * 0.5)"
    )
    right = grade("result = pd.DataFrame(np.arange(200_000).reshape(-1, 10) * 0.5)", given)
    assert plain(right) == ("passed", False, "")
    wrong = grade("result = pd.DataFrame(np.ones((20_000, 10)))", given)
    assert (wrong.status, wrong.vacuous) == ("passed", True)


def test_looking_at_an_expected_figure_draws_no_other(grade):
    compare = "assert len(plt.get_fignums()) == 1 and type(ans[0]).__name__ == 'Figure'\nreturn result == 1"
    given = form(compare, expected="[plt.figure(num=1)]", extra="import matplotlib.pyplot as plt")
    assert grade("result = 1", given).status == "passed"


_EFFECTS = {
    "overwrites both": "right = np.shape(result) == np.shape(ans)\nresult[:] = 0\nans[:] = 0\nreturn right",
    "sorts what it is given": "result.sort()\nans.sort()\nreturn len(result) == len(ans)",
    "fails when called too often": "CALLS.append(1)\nassert len(CALLS) <= 2\nreturn 1",
    "writes a file": "open('seen', 'x').close() if len(CALLS) == 0 else None\nCALLS.append(1)\nreturn 1",
}


@pytest.mark.parametrize("compare", _EFFECTS.values(), ids=_EFFECTS)
def test_tests_with_side_effects_neither_fail_nor_flag_a_right_answer(grade, compare):
    verdict = grade("result = x * 2", form(compare, extra="CALLS = []"))
    assert plain(verdict) == ("passed", False, "")


@pytest.mark.parametrize("compare", [_EFFECTS["overwrites both"], _EFFECTS["sorts what it is given"]])
def test_tests_with_side_effects_do_not_hide_a_vacuous_pass(grade, compare):
    verdict = grade("result = x * 3 + 1", form(compare))
    assert (verdict.status, verdict.vacuous) == ("passed", True)


def test_a_look_at_a_pass_ends_in_time_and_takes_no_pass_away(grade):
    """Only calls after the two of the tests themselves are endless, and a bare except swallows what stops them."""
    compare = """
    CALLS.append(1)
    while len(CALLS) > 2:
        try:
            while True:
                pass
        except:
            return 0
    return 1
    """
    verdict = grade("result = x + 50", form(compare, extra="CALLS = []"))
    assert verdict.status == "passed"
    assert not verdict.vacuous


def test_a_wrong_answer_is_failed_and_not_vacuous(grade):
    assert plain(grade("result = x * 3", form(EQUAL))) == ("failed", False, "")


@pytest.mark.parametrize(("answer", "flag"), [("result = x * 2", False), ("result = x * 3 + 1", True)])
def test_programs_that_are_graded_in_one_process_are_examined_too(answer, flag):
    with Sandbox(workers=1, timeout_s=60) as box:
        verdict = box.run(Program(answer, tests=form(_EFFECTS["overwrites both"]), split=False))
    assert (verdict.status, verdict.split, verdict.vacuous) == ("passed", False, flag)


def test_what_tests_make_of_a_result_is_said_not_to_be_examined(grade):
    given = form("return len(result) == 3").replace(
        'exec_test(test_env["result"]', 'exec_test(list(test_env["result"])'
    )
    verdict = grade("result = x * 3", given)
    assert (verdict.status, verdict.vacuous) == ("passed", False)
    assert verdict.vacuous_why == "not examined: the tests compare what they made of the result"


def test_programs_without_tests_are_never_vacuous(grade):
    assert plain(grade("print(1)", None)) == ("passed", False, "")


# --- pictures ---------------------------------------------------------------------------------------------

_PICTURE = '''
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

def skip_plt_cmds(l):
    return all(p not in l for p in ["plt.show()", "plt.clf()", "plt.close()", "savefig"])

def generate_test_case(number):
    {expected}
    plt.savefig("ans.png", bbox_inches="tight")
    plt.close()
    return None, None

def exec_test(result, ans):
    code_img, oracle_img = (np.array(Image.open(name)) for name in ("output.png", "ans.png"))
    if code_img.shape == oracle_img.shape and np.allclose(code_img, oracle_img):
        return 1
    ax = plt.gca()
    {compare}
    return 1

exec_context = r"""
import matplotlib.pyplot as plt
import numpy as np
[insert]
plt.savefig('output.png', bbox_inches='tight')
result = None
"""

def test_execution(solution):
    solution = "\\n".join(filter(skip_plt_cmds, solution.split("\\n")))
    code = exec_context.replace("[insert]", solution)
    test_input, expected_result = generate_test_case(1)
    test_env = {{"test_input": test_input}}
    exec(code, test_env)
    assert exec_test(None, expected_result)
'''
_BARS = "plt.bar([1, 2], [3, 4])"
_LENIENT_PICTURES = {
    "anything": "pass",
    "one axes": "assert len(plt.gcf().axes) == 1",
    "a title that is short": "assert len(ax.get_title()) < 9",
    "no line": "assert not ax.lines",
}


def picture(compare, expected=_BARS):
    return _PICTURE.format(compare=compare, expected=expected)


@pytest.mark.parametrize("compare", _LENIENT_PICTURES.values(), ids=_LENIENT_PICTURES)
@pytest.mark.parametrize("answer", ["pass", "plt.gca()", "plt.scatter([1], [2])"])
def test_a_picture_is_flagged_where_an_empty_figure_would_do(grade, compare, answer):
    if answer == "pass" and "axes" in compare:
        answer = "plt.axis('off')"
    verdict = grade(answer, picture(compare))
    assert (verdict.status, verdict.vacuous) == ("passed", True)
    assert verdict.vacuous_why in (
        "the tests accept an empty figure as well",
        "the tests accept empty axes as well",
    )


@pytest.mark.parametrize("compare", _LENIENT_PICTURES.values(), ids=_LENIENT_PICTURES)
def test_the_expected_picture_is_never_flagged_however_lenient_the_tests(grade, compare):
    assert plain(grade(_BARS, picture(compare))) == ("passed", False, "")


@pytest.mark.parametrize("expected", ["plt.figure()", "plt.gca()"])
def test_an_empty_figure_that_is_expected_is_not_flagged(grade, expected):
    assert plain(grade(expected, picture("pass", expected))) == ("passed", False, "")


def test_a_picture_that_tests_tell_from_an_empty_one_is_not_flagged(grade):
    given = picture("assert [each.get_height() for each in ax.patches] == [3, 4]")
    assert plain(grade("plt.bar([1, 2], [3, 4], color='red')", given)) == ("passed", False, "")


def test_pictures_that_are_graded_in_one_process_are_examined_too():
    with Sandbox(workers=1, timeout_s=60) as box:
        for answer, flag in (("plt.scatter([1], [2])", True), (_BARS, False)):
            verdict = box.run(Program(answer, tests=picture("pass"), split=False))
            assert (verdict.status, verdict.vacuous) == ("passed", flag)


def test_no_reference_of_the_suite_is_flagged(grade):
    """Those of numpy and pandas; the whole suite and the real problems are graded where real data are asked for."""
    problems = [each for each in load_problems("suite") if each.library in ("Numpy", "Pandas")]
    found = {each.problem_id: grade(each.reference_code, each.code_context) for each in problems}
    assert [(n, v.message, v.stderr) for n, v in found.items() if v.status != "passed"] == []
    assert {number: plain(verdict) for number, verdict in found.items()} == dict.fromkeys(
        found, ("passed", False, "")
    )
