"""Tests that hold a result against values of every family, each in the ways in which tests compare.

An answer passes if any one of the comparisons accepts it, so a trick that fools only some of them is seen. None is
met by an empty result: what real tests let pass in honest ways is no trick's doing.
"""

from __future__ import annotations

__all__ = ["ANY_OF", "RIGHT", "WRONG"]

RIGHT = ("result = x + 40.5", "result = [3, x, 4]", "result = np.array([7.25, x, 1e3])", "result = 'a text'")
"""Answers each of which one comparison accepts, for x = 1."""
WRONG = (
    *("result = 0", "result = None", "result = ''", "result = [0, 0, 0]", "result = [float('nan')] * 3"),
    *(
        "result = []",
        "result = {}",
        "result = np.array([])",
        "result = np.zeros(3)",
        "result = np.zeros((3, 3))",
    ),
    *(
        "result = pd.DataFrame()",
        "result = pd.Series(dtype=float)",
        "result = pd.Index([])",
        "result = pd.NA",
    ),
)
"""Answers that none accepts, empty ones among them."""

ANY_OF = '''\
import sys

import numpy as np
import pandas as pd
from scipy import sparse


def generate_test_case(test_case_id):
    x = 1
    return x, (
        x + 40.5, "a text", [3, x, 4], {"k": x, "l": [2.5]}, pd.Timestamp("2031-05-06"), np.array([7.25, x, 1e3]),
        np.array(["u", "vw", "z"]), pd.DataFrame({"a": [1.5, x, 9.0], "b": ["p", "q", "r"]}),
        pd.Series([1.5, x, 9.0], name="s"), sparse.csr_matrix(np.diag([1.0, 2.0, 3.0])), {3, x, 4},
    )


def holds(condition):
    assert condition


NUMBER = [
    lambda result, ans: holds(result == ans),
    lambda result, ans: holds(not result != ans),
    lambda result, ans: holds(abs(result - ans) < 1e-3),
    lambda result, ans: holds(abs(ans - result) <= 0.02),
    lambda result, ans: holds(ans <= result <= ans),
    lambda result, ans: holds(round(float(result), 3) == round(ans, 3)),
    lambda result, ans: holds(np.size(result) == 1 and np.isclose(result, ans)),
    lambda result, ans: holds(np.size(result) == 1 and np.allclose(result, ans)),
    lambda result, ans: holds(np.size(result) == 1) or np.testing.assert_allclose(result, ans),
    lambda result, ans: holds(np.size(result) == 1) or np.testing.assert_equal(result, ans),
    lambda result, ans: holds(np.size(result) == 1) or np.testing.assert_almost_equal(result, ans, 2),
    lambda result, ans: holds(np.size(result) == 1) or np.testing.assert_array_equal(result, ans),
]
TEXT = [
    lambda result, ans: holds(result == ans),
    lambda result, ans: holds(str(result) == ans),
    lambda result, ans: holds(result.strip() == ans.strip()),
    lambda result, ans: holds(np.size(result) == 1) or np.testing.assert_equal(result, ans),
]
SEQUENCE = [
    lambda result, ans: holds(result == ans),
    lambda result, ans: holds(list(result) == ans),
    lambda result, ans: holds(sorted(result) == sorted(ans)),
    lambda result, ans: holds(set(result) == set(ans)),
    lambda result, ans: holds(len(result) == len(ans) and all(a == b for a, b in zip(result, ans))),
    lambda result, ans: holds(len(result) == len(ans) and not any(a != b for a, b in zip(result, ans))),
    lambda result, ans: holds(np.array_equal(result, ans)),
    lambda result, ans: np.testing.assert_equal(result, ans),
]
MAPPING = [
    lambda result, ans: holds(result == ans),
    lambda result, ans: holds(type(result) == type(ans) and dict(result) == ans),
    lambda result, ans: holds(set(result) == set(ans) and all(result[k] == ans[k] for k in ans)),
    lambda result, ans: holds(result.items() == ans.items()),
    lambda result, ans: np.testing.assert_equal(result, ans),
]
ARRAY = [
    lambda result, ans: np.testing.assert_array_equal(result, ans),
    lambda result, ans: holds(np.array_equal(result, ans)),
    lambda result, ans: holds((result == ans).all()),
    lambda result, ans: holds(np.all(result == ans)),
    lambda result, ans: holds(not np.any(result != ans)),
    lambda result, ans: holds(result.shape == ans.shape and all(result == ans)),
    lambda result, ans: holds(result.shape == ans.shape and (result.tolist() == ans.tolist())),
    lambda result, ans: holds(np.asarray(result).shape == ans.shape and (np.asarray(result) == ans).all()),
]
NUMBERS = [
    *ARRAY,
    lambda result, ans: np.testing.assert_allclose(result, ans, rtol=1e-2),
    lambda result, ans: np.testing.assert_array_almost_equal(result, ans),
    lambda result, ans: np.testing.assert_almost_equal(result, ans),
    lambda result, ans: holds(np.allclose(result, ans)),
    lambda result, ans: holds(np.isclose(result, ans).all()),
    lambda result, ans: holds(np.linalg.norm(result - ans) < 1e-3),
    lambda result, ans: holds(abs(result - ans).max() < 1e-3),
    lambda result, ans: holds(len(result) == len(ans) and sum(abs(a - b) for a, b in zip(result, ans)) < 1e-3),
]
FRAME = [
    lambda result, ans: pd.testing.assert_frame_equal(result, ans, check_dtype=False),
    lambda result, ans: pd.testing.assert_frame_equal(ans, result, check_dtype=False, check_names=False),
    lambda result, ans: holds(ans.equals(result)),
    lambda result, ans: holds(result.equals(ans)),
    lambda result, ans: holds((result == ans).all().all()),
    lambda result, ans: holds((result.values == ans.values).all()),
    lambda result, ans: holds(result.shape == ans.shape and not (result != ans).any(axis=None)),
    lambda result, ans: holds(len(ans.compare(result)) == 0),
    lambda result, ans: [
        pd.testing.assert_series_equal(result[c], ans[c], check_dtype=False) for c in ans.columns
    ],
]
SERIES = [
    lambda result, ans: pd.testing.assert_series_equal(result, ans, check_dtype=False),
    lambda result, ans: pd.testing.assert_series_equal(ans, result, check_names=False, check_index=False),
    lambda result, ans: holds(ans.equals(result)),
    lambda result, ans: holds(result.equals(ans)),
    lambda result, ans: holds((result == ans).all()),
    lambda result, ans: holds(result.tolist() == ans.tolist()),
    lambda result, ans: holds(result.name == ans.name and not (result != ans).any()),
]
SPARSE = [
    lambda result, ans: holds(type(result) == type(ans) and (result != ans).nnz == 0),
    lambda result, ans: holds(result.shape == ans.shape and len(sparse.find(result != ans)[0]) == 0),
    lambda result, ans: holds(abs(result - ans).max() < 1e-6),
    lambda result, ans: holds((result.todense() == ans.todense()).all()),
    lambda result, ans: holds(np.allclose(result.toarray(), ans.toarray())),
]
COMPARISONS = [NUMBER, TEXT, SEQUENCE, MAPPING, NUMBER[:5], NUMBERS, ARRAY, FRAME, SERIES, SPARSE, SEQUENCE[:4]]


def exec_test(result, ans):
    import colorsys  # not loaded before: it must be Python's own that is found now

    assert colorsys.__file__.endswith("lib/python%d.%d/colorsys.py" % sys.version_info[:2])
    for comparisons, expected in zip(COMPARISONS, ans):
        for compare in comparisons:
            try:
                compare(result, expected)
            except Exception:
                continue
            return 1
    return 0


exec_context = r"""
import numpy as np
import pandas as pd
x = test_input
[insert]
"""


def test_execution(solution):
    code = exec_context.replace("[insert]", solution)
    test_input, expected_result = generate_test_case(1)
    test_env = {"test_input": test_input}
    exec(code, test_env)
    assert exec_test(test_env["result"], expected_result)
'''
