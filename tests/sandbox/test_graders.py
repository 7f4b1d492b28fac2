"""Graders are forks of an interpreter of their own: nothing that an answer knows of addresses is true there."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.core.errors import SandboxUnavailableError
from workbench.sandbox import Program, Sandbox
from workbench.sandbox.inside.processes import children, family

# What an answer can find out about where things lie: objects, a module of C, the interpreter, the stack.
_PLACES = """
import numpy
def places():
    maps = [line.split() for line in open("/proc/self/maps")]
    starts = {}
    for fields in maps:
        starts.setdefault(fields[-1].rsplit("/")[-1], fields[0].partition("-")[0])
    names = [name for name in starts if "_multiarray_umath" in name or name in ("[heap]", "[stack]", "libc.so.6")]
    return {"eval": id(eval), "numpy": id(numpy), "none": id(None)} | {name: starts[name] for name in names}
"""
_APART = f"""{_PLACES}
def test_execution(code):
    environment = {{}}
    exec(code, environment)
    mine, theirs = places(), environment["result"]
    assert len(mine) == 7, mine
    alike = [name for name in mine if mine[name] == theirs[name]]
    assert not alike, alike
"""
_EQUAL = """
def test_execution(code):
    environment = {}
    exec(code, environment)
    assert environment["result"] == 2
"""


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as box:
        yield box


def zygotes_of_graders() -> list[int]:
    """Find them by the word on their command line."""
    found = []
    for pid in family(children(os.getpid())):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            found += [pid] if command[-2:-1] == [b"graders"] else []
        except OSError:
            pass
    return found


def test_solution_and_grader_share_no_address(box: Sandbox):
    verdict = box.run(Program(f"{_PLACES}\nresult = places()", _APART))
    assert verdict.passed, verdict.message


def test_graders_of_several_programs_are_forks_of_one_interpreter(box: Sandbox):
    verdicts = list(box.map(Program(f"result = {number}", _EQUAL) for number in range(6)))
    assert [verdict.passed for verdict in verdicts] == [number == 2 for number in range(6)]
    assert len(zygotes_of_graders()) == 1


def test_programs_that_nobody_grades_start_none(box: Sandbox):
    assert box.run("print(1)").passed
    assert box.run(Program("result = 2", _EQUAL, split=False)).passed
    assert zygotes_of_graders() == []


def test_a_group_that_is_warmed_has_its_graders_ready_too(box: Sandbox):
    box.warm("first", ["json"])
    assert box.run(Program("result = 2", _EQUAL, group="graded")).passed
    box.warm("next", ["json"])
    end = time.monotonic() + 30
    while len(zygotes_of_graders()) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(zygotes_of_graders()) == 2


def test_where_the_graders_interpreter_is_killed_the_next_program_has_a_new_one(box: Sandbox):
    assert box.run(Program("result = 2", _EQUAL)).passed
    (pid,) = zygotes_of_graders()
    os.kill(pid, signal.SIGKILL)
    verdict = box.run(Program("result = 2", _EQUAL))
    assert verdict.passed, verdict
    assert pid not in zygotes_of_graders()


def test_nothing_is_left_of_them():
    with Sandbox(workers=2) as box:
        assert box.run(Program("result = 2", _EQUAL)).passed
        (pid,) = zygotes_of_graders()
    assert not Path(f"/proc/{pid}").exists()


def test_a_grader_that_cannot_start_is_the_machines_trouble(box: Sandbox):
    assert box.run(Program("result = 2", _EQUAL)).passed
    (pid,) = zygotes_of_graders()
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (4, usual[1]))
    with pytest.raises(SandboxUnavailableError, match="refuses to start"):
        box.run(Program("result = 2", _EQUAL))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    assert box.run(Program("result = 2", _EQUAL)).passed
