"""Which libraries a text of tests imports, and what these are built on."""

from __future__ import annotations

import pytest

from workbench.sandbox.inside.encoding.libraries import imported_by


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"numpy"}),
        ("import pandas as pd, os", {"numpy", "os", "pandas", "dateutil", "pytz"}),
        ("def f():\n    from scipy.stats import norm\n", {"numpy", "scipy"}),
        ("context = '''\nimport torch.nn\n'''", {"numpy", "torch"}),
        (
            "import seaborn",
            {"numpy", "seaborn", "matplotlib", "cycler", "mpl_toolkits", "pandas", "dateutil", "pytz"},
        ),
        ("# import sympy\nx = 'import sympy'", {"numpy"}),
        ("import torch", {"numpy", "torch"}),  # and none of its own tools: sympy, networkx
    ],
)
def test_imports_and_what_they_are_built_on(text: str, found: set[str]):
    assert imported_by(text) == found
