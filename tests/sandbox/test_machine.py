"""The machine's own troubles: no room, no memory, no process. Never a verdict; one clear error, the rest is kept."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbench.core.errors import FileError, SandboxUnavailableError
from workbench.sandbox import Program, Sandbox, attempt, machine
from workbench.sandbox.isolation import check

TESTS = """
def test_execution(code):
    environment = {}
    exec(code, environment)
    assert environment["result"] == 42
"""


@pytest.mark.parametrize(
    ("blocks", "files", "all_files", "full"),
    [
        (10_000, 10_000, 20_000, False),
        (3, 10_000, 20_000, True),
        (10_000, 3, 20_000, True),
        (10_000, 0, 0, False),
    ],
)
def test_a_disk_is_full_without_bytes_or_without_files(monkeypatch, blocks, files, all_files, full):
    seen = SimpleNamespace(f_bavail=blocks, f_frsize=4096, f_favail=files, f_files=all_files)
    monkeypatch.setattr(os, "statvfs", lambda _: seen)
    assert machine.is_full(Path("anywhere")) is full


@pytest.mark.parametrize(
    ("text", "speaks"),
    [
        ("OSError: [Errno 28] No space left on device: 'x'", True),
        ("Disk quota exceeded", True),
        ("OSError: [Errno 27] File too large", False),  # its own limit
        ("", False),
    ],
)
def test_last_words_of_no_room(text, speaks):
    assert machine.speaks_of_room("", text) is speaks


def test_room_is_tried_and_the_trial_removed(tmp_path, monkeypatch):
    assert machine.has_room(tmp_path, 1 << 16)
    for number, room in ((errno.ENOSPC, False), (errno.EDQUOT, False), (errno.EINVAL, True)):

        def refuse(*_: object, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "posix_fallocate", refuse)
        assert machine.has_room(tmp_path, 1 << 16) is room
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, FileError, "TMPDIR"),
        (errno.EDQUOT, FileError, "TMPDIR"),
        (errno.EAGAIN, SandboxUnavailableError, "ulimit -u"),
        (errno.ENOMEM, SandboxUnavailableError, "fewer workers"),
        (errno.EMFILE, SandboxUnavailableError, "ulimit -n"),
        (errno.ENFILE, SandboxUnavailableError, "whole system"),
        (0, SandboxUnavailableError, "workbench doctor"),
    ],
)
def test_each_refusal_says_what_to_do(tmp_path, number, kind, words):
    error = machine.error_of(number, "said", tmp_path, 1 << 20)
    assert isinstance(error, kind)
    assert words in str(error)
    assert "goes on where it stopped" in str(error)


def test_a_refusal_of_the_system_gets_a_name(tmp_path):
    with pytest.raises(SandboxUnavailableError, match="Too many open files"), machine.named(tmp_path, 1):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    with pytest.raises(ZeroDivisionError), machine.named(tmp_path, 1):
        1 / 0  # noqa: B018


# --- with programs ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    try:
        check("sandlock")
    except SandboxUnavailableError as error:
        pytest.skip(f"programs cannot be isolated here: {error}")
    with Sandbox(workers=2, timeout_s=20) as sandbox:
        sandbox.run("pass")
        yield sandbox


def test_on_a_full_disk_no_failure_is_a_verdict_and_no_output_is_believed(box, monkeypatch):
    monkeypatch.setattr(machine, "is_full", lambda _: True)
    wrong = Program("result = 41", tests=TESTS)
    for program in ("1 / 0", "print(1)", wrong):
        with pytest.raises(FileError, match="no room left on the disk"):
            box.run(program)
    assert box.run(Program("result = 42", tests=TESTS)).passed  # its tests are met: nothing was lost
    monkeypatch.undo()
    assert box.run(wrong).status == "failed"


def test_limits_that_a_program_is_beyond_are_its_own_on_a_full_disk_too(box, monkeypatch):
    monkeypatch.setattr(machine, "is_full", lambda _: True)
    assert box.run("while True: print('x' * 1000)").status == "output"


def test_a_claim_of_no_room_is_tried_and_not_believed(box):
    assert box.run("raise OSError(28, 'No space left on device')").status == "failed"


def test_a_claim_of_no_room_is_right_where_the_promised_room_is_not_to_be_had(box, monkeypatch):
    monkeypatch.setattr(machine, "has_room", lambda *_: False)
    with pytest.raises(FileError, match="no room left"):
        box.run("raise OSError(28, 'No space left on device')")


def test_verdicts_that_are_known_come_before_the_error(box, monkeypatch):
    monkeypatch.setattr(machine, "has_room", lambda *_: False)
    programs = ["print(1)"] * 10 + [
        "import time; time.sleep(2); raise OSError(28, 'No space left on device')"
    ]
    known = []
    with pytest.raises(FileError):
        for position, verdict in box.as_judged(programs):
            known.append((position, verdict.stdout))
    assert sorted(known) == [(number, "1\n") for number in range(10)]


def test_what_fails_before_a_program_began_is_no_verdict(box, monkeypatch):
    def lay_out(folder: Path, program: Program) -> None:
        (folder / "grader").mkdir(parents=True)  # and none for the solution to work in
        (folder / "solution.json").write_text('{"code": "pass"}')

    monkeypatch.setattr(attempt, "_lay_out", lay_out)
    with pytest.raises(SandboxUnavailableError, match="FileNotFoundError"):
        box.run("pass")
    monkeypatch.undo()
    assert box.run("pass").passed


def test_a_zygote_without_descriptors_gives_no_verdict(box):
    assert box.run("pass").passed
    (zygote,) = box._zygotes.values()
    pid = zygote._process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    for program in ("pass", Program("result = 42", tests=TESTS)):
        for more in range(0, 8, 2):  # each step of a start meets the limit once
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + more, before[1]))
            try:
                assert box.run(program).passed
            except SandboxUnavailableError as error:
                assert "Too many open files" in str(error)
            else:
                assert more > 0
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert box.run("pass").passed
    assert box._zygotes == {"": zygote}
    assert len(list(Path(f"/proc/{pid}/fd").iterdir())) == used


def test_where_the_system_kills_for_lack_of_memory_a_program_is_asked_again(box, monkeypatch):
    killed = iter([0, 1, 1])
    monkeypatch.setattr(machine, "oom_kills", lambda: next(killed))
    box._attempts._oom_kills = machine.oom_kills()
    assert box.run("import os; os.kill(os.getpid(), 9)").status == "crashed"


def test_where_it_kills_again_there_is_no_verdict(box, monkeypatch):
    killed = iter(range(100))
    monkeypatch.setattr(machine, "oom_kills", lambda: next(killed))
    with pytest.raises(SandboxUnavailableError, match="out of memory"):
        box.run("import os; os.kill(os.getpid(), 9)")
    monkeypatch.undo()


def test_an_unreadable_answer_is_the_machines(box, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(attempt, "read_verdict", refuse)
    with pytest.raises(SandboxUnavailableError, match="Too many open files"):
        box.run("pass")
    assert box.scratch_folders() == 0


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    monkeypatch.setattr("tempfile.tempdir", str(place))
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("pages", [0, 1, 2, 5])
@pytest.mark.usefixtures("box")
def test_a_right_answer_on_the_last_pages_of_a_disk_is_never_wrong(small_disk, pages):
    right, wrong = Program("result = 42", tests=TESTS), Program("result = 41", tests=TESTS)
    with Sandbox(workers=1) as box:
        assert box.run(right).passed
        free = os.statvfs(small_disk).f_bavail
        (small_disk / "filler").write_bytes(bytes((free - pages) * 4096))
        try:
            assert box.run(right).passed
        except FileError as error:
            assert "no room left" in str(error)
        with pytest.raises(FileError, match="no room left"):
            box.run(wrong)
        (small_disk / "filler").unlink()
        assert box.run(right).passed
        assert box.run(wrong).status == "failed"


@pytest.mark.usefixtures("box")
def test_the_disks_end_is_told_from_the_programs_own_limit(small_disk):
    with Sandbox(workers=1, disk_bytes=4 << 20) as box:
        assert box.run("for n in range(3): open(str(n), 'wb').write(bytes(3 << 20))").status == "output"
    with Sandbox(workers=1) as box, pytest.raises(FileError, match="no room left"):
        box.run("for n in range(9): open(str(n), 'wb').write(bytes(3 << 20))")
