"""What a program holds, counted: its processes, their memory, their files."""

from __future__ import annotations

import mmap
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.sandbox.inside import disk, job, memory
from workbench.sandbox.inside.processes import Held, children, family, held_by

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
MIB = 1 << 20


@contextmanager
def child(work: str) -> Iterator[int]:
    """Start a fork that executes a text, tells that it has, and then waits to be ended."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        kept = {"os": os, "mmap": mmap, "socket": socket}
        exec(work, kept)
        os.write(told, b"x")
        time.sleep(600)
    os.close(told)
    os.read(ready, 1)
    try:
        yield pid
    finally:
        for member in family([pid]):
            os.kill(member, 9)
        os.waitpid(pid, 0)
        os.close(ready)


# --- processes -------------------------------------------------------------------------------------------------


@linux
def test_a_family_holds_children_of_children():
    with child("pid = os.fork()\nif pid == 0:\n    import time\n    time.sleep(600)\n") as pid:
        assert pid in children(os.getpid())
        grandchildren = children(pid)
        assert len(grandchildren) == 1
        assert sorted(family([pid])) == sorted([pid, *grandchildren])


def test_the_family_of_nobody_is_only_its_name():
    assert family([99_999_999]) == [99_999_999]
    assert held_by([99_999_999], Path("/")) == Held()


@linux
def test_what_no_folder_shows_is_seen(tmp_path: Path):
    work = f"""
import tempfile
file = open({str(tmp_path / "open")!r}, "wb+"); file.write(bytes(3 << 20)); file.flush()
mapped = open({str(tmp_path / "mapped")!r}, "wb+"); mapped.write(bytes(8192)); mapped.flush()
import ctypes
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.mmap(None, 4096, 1, 1, mapped.fileno(), 0)
mapped.close()
pair = socket.socketpair()
area = mmap.mmap(-1, 4096)
os.unlink({str(tmp_path / "open")!r}); os.unlink({str(tmp_path / "mapped")!r})
"""
    before = held_by([os.getpid()], tmp_path)
    with child(work) as pid:
        held = held_by([pid], tmp_path)
    assert 3 * MIB in held.removed.values()
    assert len(held.mapped) == 1
    assert len(held.shared) == len(before.shared) + 1
    assert len(held.sockets - before.sockets) >= 2
    assert not held.closed


# --- memory ----------------------------------------------------------------------------------------------------


def held_bytes(mine, held=None, *, others=(), limit_bytes=MIB):
    forked = memory.Forked(os.getpid(), mine, lambda: list(others))
    return memory.held_bytes([forked], held or Held(), limit_bytes)


def test_a_piece_is_a_small_part_of_the_limit():
    assert memory.shared_piece_bytes(1 << 30) == 8 * MIB
    assert memory.shared_piece_bytes(10 * MIB) == MIB


@linux
def test_memory_of_several_children_counts_once_where_it_is_shared():
    shared = """
rest = b"x" * (64 << 20)
for _ in range(3):
    if os.fork() == 0:
        import time
        time.sleep(600)
"""
    with child(shared) as pid:
        mine = family([pid])
        assert len(mine) == 4
        held = held_bytes(mine)
        assert 64 * MIB <= held < 96 * MIB


@linux
def test_memory_of_each_child_counts_in_full():
    work = "rest = b'x' * (48 << 20)"
    with child(work) as first, child(work) as second:
        one = held_bytes([first], others=[second])
        both = held_bytes([first, second])
    assert 48 * MIB <= one < 72 * MIB
    assert 96 * MIB <= both < 128 * MIB


@linux
def test_pieces_of_shared_memory_and_sockets_count_without_a_page():
    none = held_bytes([], limit_bytes=1 << 30)
    held = Held(shared={1, 2, 3}, sockets={4})
    assert none == 0
    assert 24 * MIB < held_bytes([], held, limit_bytes=1 << 30) <= 25 * MIB


@pytest.mark.parametrize(
    ("most", "total", "parts"),
    [
        ([], 10, []),
        ([100], 10, [10]),
        ([100, 100], 10, [5, 5]),
        ([0, 100], 10, [0, 10]),  # one that executed another program shares nothing
        ([2, 100, 100], 10, [2, 4, 4]),
        ([1, 1], 10, [1, 1]),
    ],
)
def test_what_the_zygote_lends_is_divided(most, total, parts):
    assert memory._parts(most, total) == parts


# --- files -----------------------------------------------------------------------------------------------------


def test_nothing_is_no_fault(tmp_path: Path):
    assert disk.fault_of(tmp_path, 1) == ""


def test_bytes_of_files_in_all_folders_count(tmp_path: Path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    for place in (tmp_path, tmp_path / "a", tmp_path / "a" / "b"):
        (place / "file").write_bytes(bytes(MIB))
    assert disk.fault_of(tmp_path, 4 * MIB) == ""
    assert disk.fault_of(tmp_path, 2 * MIB) == "more than 2,097,152 bytes of files"


def test_a_file_with_many_names_counts_once(tmp_path: Path):
    (tmp_path / "file").write_bytes(bytes(MIB))
    for number in range(8):
        os.link(tmp_path / "file", tmp_path / str(number))
    assert disk.fault_of(tmp_path, 2 * MIB) == ""


def test_links_are_not_followed(tmp_path: Path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(bytes(MIB))
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "inside" / "file").symlink_to(tmp_path / "outside" / "file")
    (tmp_path / "inside" / "root").symlink_to("/")
    assert disk.fault_of(tmp_path / "inside", MIB) == ""


def test_names_are_counted(tmp_path: Path):
    (tmp_path / "0").touch()
    for number in range(1, 10_001):
        os.link(tmp_path / "0", tmp_path / str(number))
    assert disk.fault_of(tmp_path, MIB) == "more than 10,000 files and folders"


def test_folders_that_go_deep(tmp_path: Path):
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(120):
        os.mkdir("d", dir_fd=place)
        below = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    assert disk.fault_of(tmp_path, MIB) == "folders more than 100 deep"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_a_closed_folder_is_a_fault(tmp_path: Path):
    (tmp_path / "closed").mkdir(0o300)
    assert disk.fault_of(tmp_path, MIB) == "a folder that nobody may look into"


def test_what_processes_hold_counts(tmp_path: Path):
    (tmp_path / "named").write_bytes(bytes(4096))
    inode = (tmp_path / "named").stat().st_ino
    assert disk.fault_of(tmp_path, MIB, Held(removed={1: MIB // 2})) == ""
    assert "bytes of files" in disk.fault_of(tmp_path, MIB, Held(removed={1: 2 * MIB}))
    assert disk.fault_of(tmp_path, MIB, Held(removed={1: 10}, mapped={1, inode})) == ""
    assert "still mapped" in disk.fault_of(tmp_path, MIB, Held(mapped={1}))
    assert "nobody may look at" in disk.fault_of(tmp_path, MIB, Held(closed={1}))


@linux
def test_many_processes_stand_still_while_they_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "solution").mkdir()
    beat = tmp_path / "beat"
    work = f"os.setpgid(0, 0)\nif os.fork() == 0:\n    while True:\n        open({str(beat)!r}, 'ab').write(b'x')\n"
    with child(work) as pid:
        while not beat.exists() or not beat.stat().st_size:
            time.sleep(0.01)
        now = time.monotonic()
        program = job.Job(7, tmp_path, False, False, token="", started=now, deadline=now + 600)
        program.pids, program.groups = {pid: "solution"}, [pid]
        stopped = []

        def look(pids, folder):
            while not all(") T " in Path(f"/proc/{member}/stat").read_text() for member in pids):
                time.sleep(0.01)  # a signal to another processor takes its time
            stopped.append(len(pids))
            return Held()

        monkeypatch.setattr(job, "held_by", look)
        program._look({"memory_bytes": 1 << 40, "disk_bytes": 1 << 40})
        assert stopped == [2]
        before = beat.stat().st_size
        while beat.stat().st_size == before:  # it goes on
            time.sleep(0.01)
