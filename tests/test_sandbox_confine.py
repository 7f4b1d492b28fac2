"""Limits, system calls and isolation: what each process gives up, and refusal where the system cannot take it."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import resource
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.errors import SandboxUnavailableError, SettingsError
from workbench.sandbox import Limits, Sandbox, isolation
from workbench.sandbox.inside import confine, syscalls
from workbench.sandbox.inside.landlock import Layer

linux = pytest.mark.skipif(
    sys.platform != "linux" or not syscalls.supported(),
    reason="the filter is for Linux on x86-64 and 64-bit Arm",
)


def in_child(work: Callable[[], None]) -> None:
    """Run in a forked process, which may give up what it likes; its failure is this test's."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            os.write(writer, traceback.format_exc().encode()[:4_000])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        fault = stream.read().decode()
    assert os.waitpid(pid, 0)[1] == 0, fault
    assert not fault, fault


def number_of(name: str) -> int:
    column = 0 if platform.machine() == "x86_64" else 1
    return syscalls._NUMBERS[name][column]


def refused(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.syscall(number_of(name), *arguments) == -1, name
    assert ctypes.get_errno() == errno.EPERM, (name, ctypes.get_errno())


@linux
def test_every_denied_call_fails_with_eperm():
    def work() -> None:
        syscalls.deny(sorted(syscalls.ZYGOTE | syscalls.CHILD))
        column = 0 if platform.machine() == "x86_64" else 1
        for name, numbers in syscalls._NUMBERS.items():
            if numbers[column] is not None:
                refused(name, 0, 0, 0, 0, 0)

    in_child(work)


@linux
def test_a_zygote_may_still_place_its_children():
    def work() -> None:
        syscalls.deny(syscalls.ZYGOTE)
        os.setpgid(0, 0)
        refused("socket", socket.AF_INET, socket.SOCK_STREAM, 0)

    in_child(work)


@linux
def test_filters_add_up():
    def work() -> None:
        syscalls.deny(["socket"])
        syscalls.deny(["setsid"])
        refused("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
        refused("setsid")

    in_child(work)


@linux
def test_forks_and_threads_inherit_the_filter():
    def work() -> None:
        syscalls.deny(["setsid"])
        if os.fork() == 0:
            try:
                os.setsid()
            except PermissionError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 7

    in_child(work)


@linux
def test_only_connected_streams_come_in_pairs():
    def work() -> None:
        syscalls.deny(syscalls.ZYGOTE)
        left, right = socket.socketpair()
        left.send(b"x")
        assert right.recv(1) == b"x"
        for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW):
            with pytest.raises(PermissionError):
                socket.socketpair(socket.AF_UNIX, kind)

    in_child(work)


@linux
def test_only_local_families_come_in_pairs():
    def work() -> None:
        syscalls.deny([])
        libc = ctypes.CDLL(None, use_errno=True)
        number = 53 if platform.machine() == "x86_64" else 199
        ends = (ctypes.c_int * 2)()
        for family in range(46):
            if family != socket.AF_UNIX:
                assert libc.syscall(number, family, socket.SOCK_STREAM, 0, ends) == -1
                assert ctypes.get_errno() == errno.EPERM, family
        assert libc.syscall(number, socket.AF_UNIX, socket.SOCK_STREAM, 0, ends) == 0

    in_child(work)


@linux
def test_shared_memory_comes_in_small_pieces():
    def work() -> None:
        syscalls.deny([], shared_piece_bytes=1 << 20)
        mmap.mmap(-1, 1 << 20)
        for size in ((1 << 20) + 1, 1 << 32, (1 << 32) + 4096):
            with pytest.raises(OSError, match="Cannot allocate memory"):
                mmap.mmap(-1, size)
        mmap.mmap(-1, 1 << 26, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with Path("/dev/zero").open("rb") as file:
            mmap.mmap(file.fileno(), 1 << 26, prot=mmap.PROT_READ)

    in_child(work)


@linux
def test_pieces_are_of_any_size_where_there_is_no_bound():
    def work() -> None:
        syscalls.deny([])
        mmap.mmap(-1, 1 << 26)

    in_child(work)


@linux
def test_nobody_hides_from_the_count_or_widens_a_buffer():
    def work() -> None:
        syscalls.deny([])
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.prctl(4, 0, 0, 0, 0) == -1
        assert ctypes.get_errno() == errno.EPERM
        assert libc.prctl(3, 0, 0, 0, 0) == 1  # to ask is no harm: dumpable
        left, _ = socket.socketpair()
        with pytest.raises(PermissionError):
            left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        left.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)

    in_child(work)


@linux
def test_own_entries_tell_nothing_of_the_host():
    names = {path.rpartition("/")[2] for path in confine._own_entries()}
    assert {"status", "maps", "fd"} <= names
    assert not names & {"net", "mounts", "mountinfo", "mountstats", "task", "root", "cwd", "ns"}


@linux
@pytest.mark.parametrize(
    "flag", [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
)
def test_no_namespace_by_clone(flag: int):
    def work() -> None:
        syscalls.deny([])
        libc = ctypes.CDLL(None, use_errno=True)
        clone = 56 if platform.machine() == "x86_64" else 220
        assert libc.syscall(clone, flag | 17, 0, 0, 0, 0) == -1
        assert ctypes.get_errno() == errno.EPERM
        assert libc.syscall(435, 0, 0) == -1
        assert ctypes.get_errno() == errno.ENOSYS
        os.waitpid(os.fork() or os._exit(0), 0)  # an honest fork goes on working

    in_child(work)


@linux
@pytest.mark.parametrize(
    "name",
    [
        "chmod",
        "fchmodat",
        "utimensat",
        "setxattr",
        "inotify_init1",
        "setpriority",
        "ioprio_set",
    ],
)
def test_calls_that_landlock_does_not_guard_are_denied(name: str):
    """By these a program changes modes, times and priorities of what it may not even read."""
    assert name in syscalls.ZYGOTE | syscalls.CHILD


@linux
def test_a_layer_leaves_its_folders_and_nothing_else(tmp_path: Path):
    for name in ("readable", "writable", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    single = tmp_path / "other" / "single"
    single.write_text("single")

    def work() -> None:
        layer = Layer([str(tmp_path / "readable"), str(single)])
        opened = layer.descriptors
        layer.put_on([], [str(tmp_path / "writable")])
        assert (tmp_path / "readable" / "file").read_text() == "readable"
        assert single.read_text() == "single"
        (tmp_path / "writable" / "file").write_text("new")
        (tmp_path / "writable" / "folder").mkdir()
        for forbidden in (
            (tmp_path / "other" / "file").read_text,
            lambda: (tmp_path / "readable" / "file").write_text("new"),
            lambda: os.truncate(tmp_path / "readable" / "file", 0),
            (tmp_path / "readable" / "new").mkdir,
            (tmp_path / "readable" / "file").unlink,
            lambda: single.write_text("new"),
            lambda: list(tmp_path.iterdir()),
            lambda: (tmp_path / "writable" / "file").rename(tmp_path / "other" / "moved"),
        ):
            with pytest.raises(PermissionError):
                forbidden()
        for fd in opened:
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(fd)

    in_child(work)


@linux
def test_a_layer_lists_folders_whose_files_stay_closed(tmp_path: Path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "file").write_text("open")
    (tmp_path / "closed").write_text("closed")

    def work() -> None:
        Layer([str(tmp_path / "open")], [str(tmp_path)]).put_on([], [])
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["closed", "open"]
        assert (tmp_path / "open" / "file").read_text() == "open"
        with pytest.raises(PermissionError):
            (tmp_path / "closed").read_text()

    in_child(work)


@linux
def test_a_layer_cuts_off_signals_to_those_outside_and_not_to_those_within():
    def work() -> None:
        Layer([]).put_on([], [])
        with pytest.raises(PermissionError):
            os.kill(os.getppid(), 0)
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.kill(child, 0)
        os.waitpid(child, 0)

    in_child(work)


@linux
def test_layers_only_take_away(tmp_path: Path):
    (tmp_path / "file").write_text("x")

    def work() -> None:
        Layer([]).put_on([], [])
        Layer([str(tmp_path)]).put_on([], [str(tmp_path)])
        with pytest.raises(PermissionError):
            (tmp_path / "file").read_text()

    in_child(work)


@linux
def test_a_layer_that_cannot_be_put_on_says_so(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        Layer([str(tmp_path / "none")])

    def work() -> None:
        layer = Layer([str(tmp_path)])
        os.close(layer.descriptors[0])
        with pytest.raises(OSError, match="landlock rule"):
            layer.put_on([], [])

    in_child(work)


def test_limits_are_set_and_cannot_be_lifted():
    wanted = {"memory_bytes": 1 << 28, "cpu_s": 7, "file_bytes": 1 << 20, "open_files": 32}

    def work() -> None:
        data_bytes = confine.memory_now_bytes()[2]
        confine.limit_resources(wanted, confine.memory_now_bytes())
        assert resource.getrlimit(resource.RLIMIT_CPU) == (7, 7)
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (32, 32)
        assert resource.getrlimit(resource.RLIMIT_FSIZE) == (1 << 20, 1 << 20)
        if data_bytes:
            assert resource.getrlimit(resource.RLIMIT_DATA)[0] <= data_bytes + (1 << 28) + (1 << 20)
            with pytest.raises(MemoryError):
                bytearray(1 << 30)

    in_child(work)


def test_limits_never_rise():
    def work() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
        limits = {"memory_bytes": 1 << 28, "cpu_s": 7, "file_bytes": 1 << 20, "open_files": 32}
        confine.limit_resources(limits, (0, 0, 0))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (20, 20)

    in_child(work)


def test_close_all_but():
    def work() -> None:
        kept, closed = os.dup(1), os.dup(1)
        confine.close_all_but([kept])
        os.fstat(kept)
        for fd in (0, 1, 2):
            os.fstat(fd)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(closed)

    in_child(work)


@linux
def test_a_process_that_executes_another_program_can_still_be_killed():
    """As root, exec leaves a child of the spare user id nothing of root: its zygote lacked the right to kill it."""
    with Sandbox(workers=1, timeout_s=1) as box:
        verdict = box.run("import os\nos.execv('/bin/sleep', ['sleep', '31337.5'])\n")
    assert verdict.status == "timeout"
    assert verdict.seconds < 5


# --- refusal ---------------------------------------------------------------------------------------------------


def test_unknown_isolation_is_refused():
    with pytest.raises(SettingsError, match="docker"):
        Sandbox(isolation="docker")


def test_other_systems_are_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(SandboxUnavailableError, match="Darwin"):
        isolation.check("sandlock")


def test_other_processors_are_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(SandboxUnavailableError, match="riscv64"):
        isolation.check("sandlock")


def test_missing_sandlock_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(syscalls, "supported", lambda: True)
    monkeypatch.setitem(sys.modules, "sandlock", None)
    with pytest.raises(SandboxUnavailableError, match="sandlock"):
        isolation.check("sandlock")


@linux
def test_an_old_kernel_is_refused(monkeypatch):
    sandlock = pytest.importorskip("sandlock")
    monkeypatch.setattr(sandlock, "landlock_abi_version", lambda: 1)
    with pytest.raises(SandboxUnavailableError, match="Landlock ABI 1"):
        Sandbox()


def test_isolation_none_warns_and_runs():
    with pytest.warns(UserWarning, match="all your rights"), Sandbox(workers=1, isolation="none") as box:
        assert box.run("print(6 * 7)").stdout == "42\n"


def test_all_bad_limits_are_listed_at_once():
    with pytest.raises(SettingsError) as caught:
        Sandbox(
            timeout_s=0, memory_bytes=-1, output_bytes=0, disk_bytes=True, processes=-5, open_files="many"
        )  # type: ignore[arg-type]
    for name in (
        "timeout_s=0",
        "memory_bytes=-1",
        "output_bytes=0",
        "disk_bytes=True",
        "processes=-5",
        "open_files=",
    ):
        assert name in str(caught.value)
    with pytest.raises(SettingsError, match="nan"):
        Limits(timeout_s=float("nan"))


def test_readable_paths_hold_nothing_of_the_user(tmp_path: Path):
    paths = [Path(path).resolve() for path in isolation.readable_paths([])]
    for private in (
        Path.home(),
        tmp_path,
        Path(__file__).parents[1],
        Path("/etc/shadow"),
        Path("/dev/shm"),
        Path("/"),
    ):
        assert not any(private.resolve() == path or path in private.resolve().parents for path in paths), (
            private
        )


def test_a_hidden_folder_is_taken_out_of_what_is_read(tmp_path: Path):
    """Installed in the usual way, the workbench lies among the libraries that programs read."""
    packages = tmp_path / "lib" / "packages"
    (packages / "hidden" / "inside").mkdir(parents=True)
    (packages / "numpy").mkdir()
    (packages / "six.py").touch()
    (tmp_path / "lib64").symlink_to(tmp_path / "lib")  # leads around it
    (packages / "self").symlink_to(packages)
    hidden, elsewhere, named = (
        packages / "hidden",
        str(tmp_path / "lib" / "other"),
        packages / "hidden" / "inside",
    )
    given = [elsewhere, str(tmp_path / "lib64"), str(tmp_path), str(named)]
    read, listed = isolation.without(given, hidden)
    assert sorted(read) == sorted([elsewhere, str(named), str(packages / "numpy"), str(packages / "six.py")])
    assert sorted(listed) == [str(tmp_path), str(tmp_path / "lib"), str(packages)]
    assert isolation.without([str(packages / "numpy")], hidden) == ([str(packages / "numpy")], [])
    assert isolation.without([str(hidden)], hidden) == ([], [])


def test_only_root_counts_as_nobody():
    tasks = isolation.tasks_of_user()
    assert tasks == 0 if os.geteuid() == 0 else tasks >= 1


def test_interpreter_of_the_sandbox_needs_no_workbench():
    """The modules inside use the standard library only; sandlock comes in where a process is confined."""
    code = (
        "import sys\nsys.path.insert(0, sys.argv[1])\nimport inside.grader, inside.syscalls, inside.confine\n"
    )
    code += "assert not [name for name in sys.modules if name.split('.')[0] in ('workbench', 'numpy', 'sandlock')]\n"
    folder = Path(syscalls.__file__).parents[1]
    assert subprocess.run([sys.executable, "-I", "-S", "-c", code, str(folder)], check=False).returncode == 0
