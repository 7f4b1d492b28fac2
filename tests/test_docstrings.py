"""The examples in docstrings do what they say."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROMPT = re.compile(r"^ +>>> ", re.MULTILINE)
MODULES = sorted(
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for file in (ROOT / "workbench").rglob("*.py")
    if PROMPT.search(file.read_text(encoding="utf-8"))
)
ISOLATED = {"workbench.sandbox.pool"}
"""Whose examples run programs."""


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    if name in ISOLATED:
        from workbench.sandbox.isolation import check

        try:
            check("sandlock")
        except Exception as fault:  # the reason is shown with the skip
            pytest.skip(f"programs cannot be isolated here: {fault}")
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted
    assert found.failed == 0


def test_there_are_examples():
    assert len(MODULES) >= 10
