"""The grader's watch: an answer's data becomes no code, whatever a library does with it; each in its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_WATCHED = """
import os, pickle, marshal, subprocess, sys, collections, ctypes
from workbench.sandbox.inside.watch import ForbiddenStep, Watch
watch = Watch({tests!r}, ".")
watch.start()
try:
    {step}
except ForbiddenStep:
    print("raised")
print("noted" if watch.noted else "nothing")
"""
_DICT = "pickle.loads(pickle.dumps(collections.OrderedDict()))"


def watched(step: str, folder: Path, tests: str = "") -> list[str]:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED.format(tests=tests, step=step)],
        cwd=folder,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    "step",
    [
        _DICT,
        "pickle._loads(pickle.dumps(collections.OrderedDict()))",
        "marshal.loads(marshal.dumps(1))",
        "os.system('true')",
        "subprocess.run([chr(116) + 'rue'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "ctypes.CDLL('./lib.so')",
    ],
)
def test_steps_that_would_run_code_raise_and_are_noted(step: str, tmp_path: Path):
    (tmp_path / "lib.so").write_bytes(b"")
    assert watched(step, tmp_path) == ["raised", "noted"]


def test_an_error_that_is_swallowed_is_noted(tmp_path: Path):
    step = f"exec('try:\\n    {_DICT}\\nexcept BaseException: pass')"
    assert watched(step, tmp_path) == ["noted"]


@pytest.mark.parametrize(
    ("step", "tests"),
    [
        (_DICT, "import pickle"),
        ("import wave, json", ""),
        ("subprocess.run(['true'])", ""),
        ("collections.namedtuple('P', 'x y')", ""),
        ("ctypes.CDLL(None)", ""),
    ],
)
def test_what_libraries_do_of_themselves_goes_on(step: str, tests: str, tmp_path: Path):
    assert watched(step, tmp_path, tests) == ["nothing"]
