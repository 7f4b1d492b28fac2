"""Control groups: found only where they can be had, written as the kernel wants them, tried where there are any."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.sandbox import Sandbox, control_groups
from workbench.sandbox.inside.cgroup import Group

_FILES = (
    *("cgroup.kill", "cgroup.procs", "cgroup.subtree_control"),
    *("memory.events", "memory.max", "memory.oom.group", "memory.swap.max", "pids.max"),
)
_REAL = control_groups.find()
real = pytest.mark.skipif(_REAL.parent is None, reason=_REAL.why)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder in which folders come with the kernel's files, and go with them."""
    make, remove = os.mkdir, os.rmdir

    def mkdir(path, *args, **kwargs):
        make(path, *args, **kwargs)
        if str(path).startswith(str(tmp_path)):
            for name in _FILES:
                Path(path, name).write_text("")

    def rmdir(path, *args, **kwargs):
        for name in _FILES if str(path).startswith(str(tmp_path)) else ():
            Path(path, name).unlink(missing_ok=True)
        remove(path, *args, **kwargs)

    monkeypatch.setattr(os, "mkdir", mkdir)
    monkeypatch.setattr(os, "rmdir", rmdir)
    mount = tmp_path / "cgroup"
    (mount / "user" / "app" / "shell").mkdir(parents=True)
    return mount


def find(tree: Path, group: str = "/user/app/shell", *, can_join: bool = True) -> control_groups.ControlGroup:
    own, mounts = tree.parent / "own", tree.parent / "mounts"
    own.write_text(f"4:memory:/elsewhere\n0::{group}\n")
    mounts.write_text(
        f"30 20 0:25 / /proc rw - proc proc rw\n31 20 0:26 / {tree} rw,nosuid - cgroup2 none rw\n"
    )
    return control_groups.find(own, mounts, can_join=lambda _: can_join)


def hands_on(group: Path, words: str = "cpu memory pids") -> Path:
    (group / "cgroup.subtree_control").write_text(words)
    return group


def test_the_nearest_group_that_hands_memory_and_processes_on_is_found(tree: Path):
    hands_on(tree)
    near = hands_on(tree / "user")
    hands_on(tree / "user" / "app", "memory")
    assert find(tree) == control_groups.ControlGroup(near)
    assert [path.name for path in near.iterdir() if path.is_dir()] == ["app"]  # what was tried is gone
    assert find(tree, "/").parent == tree


def test_nothing_is_changed_where_nothing_is_handed_on(tree: Path):
    assert find(tree).parent is None
    assert "hands no memory and processes on" in find(tree).why
    assert not any(path.read_text() for path in tree.rglob("cgroup.subtree_control"))


def test_a_group_outside_the_mount_and_a_missing_mount_are_none(tree: Path):
    assert find(hands_on(tree), "/../outside").parent is None
    empty = tree.parent / "empty"
    empty.write_text("")
    assert control_groups.find(empty, empty) == control_groups.ControlGroup(None, "no cgroup v2 is mounted")


def test_a_group_that_may_not_be_written_or_entered_is_none(tree: Path, monkeypatch: pytest.MonkeyPatch):
    hands_on(tree / "user")
    assert "may enter" in find(tree, can_join=False).why

    def refuse(parent: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(control_groups, "make", refuse)
    assert find(tree).why == f"cgroup v2 may not be written at {tree / 'user'} (Permission denied)"


def test_the_groups_of_a_pool_that_was_killed_are_cleared_away(tree: Path):
    (tree / "workbench-sandbox-999999999-abc" / "1-2" / "solution").mkdir(parents=True)
    mine = control_groups.make(tree)
    assert sorted(path.name for path in tree.glob("workbench-*")) == [mine.name]
    assert (mine / "cgroup.subtree_control").read_text() == "+memory +pids"
    control_groups.remove(mine)
    assert not mine.exists()


def test_a_program_has_its_memory_and_each_role_its_processes(tree: Path):
    group = Group(tree / "1")
    group.make(("solution", "grader"), memory_bytes=1 << 20, processes=7)
    written = {name: (tree / "1" / name).read_text() for name in _FILES}
    assert (written["memory.max"], written["memory.swap.max"], written["memory.oom.group"]) == (
        "1048576",
        "0",
        "1",
    )
    assert written["cgroup.subtree_control"] == "+pids"
    assert [(tree / "1" / role / "pids.max").read_text() for role in ("solution", "grader")] == ["7", "7"]
    group.join("solution")
    assert (tree / "1" / "solution" / "cgroup.procs").read_text() == "0"
    group.kill()
    assert (tree / "1" / "cgroup.kill").read_text() == "1"
    group.remove()
    assert not (tree / "1").exists()


@pytest.mark.parametrize(
    ("events", "ran_out"), [("low 0\noom 2\noom_kill 0\n", False), ("oom_kill 1\n", True), ("", False)]
)
def test_a_program_ran_out_of_memory_where_the_kernel_ended_it(tree: Path, events: str, ran_out: bool):
    group = Group(tree / "1")
    group.make(("solution",), memory_bytes=1, processes=1)
    (tree / "1" / "memory.events").write_text(events)
    assert group.ran_out == ran_out


def test_a_limit_that_the_kernel_does_not_have_is_an_error(tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(globals(), "_FILES", [name for name in _FILES if name != "memory.max"])
    with pytest.raises(FileNotFoundError):
        Group(tree / "1").make(("solution",), memory_bytes=1, processes=1)


@real
def test_a_burst_of_memory_over_several_processes_ends_at_the_limit():
    burst = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        bytearray(os.urandom(1) * (40 << 20))
        time.sleep(5)
time.sleep(5)
"""
    with Sandbox(workers=1, memory_bytes=128 << 20) as box:
        assert box.run(burst).status == "memory"
        assert box.run("print(1)").passed


@real
def test_processes_end_at_the_limit_and_no_group_is_left():
    program = """
import os, time
made = 0
try:
    while made < 50:
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        made += 1
except BlockingIOError:
    print(made)
"""
    with Sandbox(workers=1, processes=10) as box:
        assert box.run(program).stdout == "9\n"
    assert not list(_REAL.parent.glob(f"workbench-sandbox-{os.getpid()}-*"))
