"""Cheats whose result answers where tests call a method: a callable of somebody else's under the method's name."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_cheats.forged import forged
from sandbox_hostile.cheats import Cheat

__all__ = ["ATTRIBUTES"]

_IMPORTED = ("interpolate", "optimize", "stats")


def _called(name: str, tries: str, code: str, library: str = "") -> Cheat:
    scipy = "".join(f"from scipy import {part}\n" for part in _IMPORTED if f"{part}." in code)
    imports = f"import collections\nimport numpy as np\nimport pandas as pd\n{scipy}"
    return Cheat(name, tries, after=f"{imports}{code}\n", library=library)


_NAMES = "equals equal allclose all any eq isclose startswith issubset identical"

ATTRIBUTES = (
    _called(
        "a field that is called",
        "a named tuple whose fields are the methods that tests ask, each true of everything",
        f"@RESULT@ = collections.namedtuple('P', '{_NAMES}')(*[np.size] * {len(_NAMES.split())})",
    ),
    _called(
        "a field that is a class",
        "Python's own classes, which make something true of anything",
        "@RESULT@ = collections.namedtuple('P', 'equals eq strip')(str, str, str)",
    ),
    _called(
        "a field that negates",
        "a function that is false of everything, where tests ask for differences",
        "@RESULT@ = collections.namedtuple('P', 'ne compare')(np.isneginf, np.isneginf)",
    ),
    _called(
        "labels that are called",
        "a series shows its cells as attributes",
        f"@RESULT@ = pd.Series({{name: np.size for name in '{_NAMES} strip todense nnz'.split()}})",
    ),
    _called(
        "a record that is called",
        "and a record its fields",
        "@RESULT@ = np.rec.array([(np.size, np.size)], dtype=[('equals', 'O'), ('eq', 'O')])[0]",
    ),
    _called(
        "records that are called",
        "the same in an array of them",
        "@RESULT@ = np.rec.array([(np.size, np.size)] * 3, dtype=[('equals', 'O'), ('eq', 'O')])",
    ),
    _called(
        "items that are called",
        "a report of a solver shows its items as attributes",
        f"@RESULT@ = optimize.OptimizeResult(dict.fromkeys('{_NAMES}'.split(), np.size))",
    ),
    _called(
        "items that make an object",
        "a distribution, called, is frozen, and that is true",
        f"@RESULT@ = optimize.OptimizeResult(dict.fromkeys('{_NAMES}'.split(), stats.norm))",
    ),
    _called(
        "items that are mapped",
        "a function within numpy's vectorize",
        f"@RESULT@ = optimize.OptimizeResult(dict.fromkeys('{_NAMES}'.split(), np.vectorize(np.size)))",
    ),
    _called(
        "attributes that are called",
        "of an object whose class has no such method",
        f"@RESULT@ = interpolate.PPoly([[1.0]], [0.0, 1.0])\nfor name in '{_NAMES}'.split():\n    setattr(@RESULT@, name, np.size)",
    ),
    _called(
        "a curve that is false of everything",
        "a spline of zeros in the place of a method",
        "@RESULT@ = interpolate.PPoly([[1.0]], [0.0, 1.0])\n@RESULT@.ne = interpolate.CubicSpline([0, 1], [0, 0])",
    ),
    _called(
        "an estimator that is called",
        "the same of scikit-learn's",
        f"from sklearn.linear_model import LinearRegression\n@RESULT@ = LinearRegression()\nfor name in '{_NAMES}'.split():\n    setattr(@RESULT@, name, np.size)",
        "Sklearn",
    ),
    _called(
        "buffers that are called",
        "a module of PyTorch shows its buffers and parts as attributes",
        "import torch\n@RESULT@ = torch.nn.Linear(1, 1)\nfor name in ('equal', 'allclose', 'eq'):\n    @RESULT@._buffers[name] = np.size",
        "Pytorch",
    ),
    _called(
        "parts that are called",
        "and a part that gives back more than one thing",
        "import torch\n@RESULT@ = torch.nn.Linear(1, 1)\nfor name in ('equal', 'allclose', 'eq'):\n    @RESULT@._modules[name] = torch.nn.LSTM(3, 3)",
        "Pytorch",
    ),
    forged(
        "forged: a part by a false name",
        "a module that says itself what it is called",
        ["object", ["torch.nn.modules.linear", "Linear", ["_modules"]], [[1]]],
        ["dict", None, ["equal", [2]]],
        ["object", ["torch.nn.modules.linear", "Identity", ["_buffers"]], [[3]]],
        ["dict", None, ["__name__", "equal"]],
    ),
    *(
        forged(
            f"forged: a table upon another's work, {module}",
            "pandas' own class, whose inner part is a report of a solver that says yes",
            ["object", [module, "DataFrame", ["_mgr"]], [[1]]],
            ["object", ["scipy.optimize._optimize", "OptimizeResult", []], ["equals", [2], "axes", [3]]],
            ["function", ["numpy", "size"], []],
            ["list", None, []],
        )
        for module in ("pandas", "pandas.core.frame")
    ),
    forged(
        "forged: a series upon another's work",
        "the same with one column",
        ["object", ["pandas", "Series", ["_mgr", "_name"]], [[1], None]],
        ["object", ["scipy.optimize._optimize", "OptimizeResult", []], ["equals", [2]]],
        ["function", ["numpy", "size"], []],
    ),
    forged(
        "forged: a sparse matrix upon another's work",
        "SciPy's own class, as an object with attributes of any kind",
        ["object", ["scipy.sparse._csr", "csr_matrix", ["data", "_shape"]], [[1], [2]]],
        ["object", ["scipy.optimize._optimize", "OptimizeResult", []], []],
        ["tuple", None, [3, 3]],
    ),
)
