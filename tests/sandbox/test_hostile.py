"""The hostile suite: every program gets its verdict, none escapes, and the pool goes on as if nothing had been."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sandbox_hostile import HOSTILE, Hostile

from workbench.core.errors import SandboxUnavailableError
from workbench.sandbox import Program, Sandbox, Verdict
from workbench.sandbox.isolation import check

try:
    check("sandlock")
except SandboxUnavailableError as error:
    pytest.skip(f"this machine cannot isolate programs: {error}", allow_module_level=True)

_CANARIES = ["earlier = 'EARLIER-WORD-SECRET'  # EARLIER-WORD\nprint(earlier)\n"] * 3
_TESTS = """
def test_execution(code):
    environment = {"x": 20}
    exec(code, environment)
    assert environment["result"] == 42
"""


@dataclass
class World:
    """What lies around the sandbox: servers that listen, files that nobody may touch, a process to kill."""

    outside: Path
    victim: subprocess.Popen
    abstract: str
    port: int = 0
    heard: list[str] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)

    @property
    def words(self) -> dict[str, str]:
        return {
            "OUTSIDE": str(self.outside),
            "PROJECT": str(Path(__file__).resolve().parents[2]),
            "HOME": str(Path.home()),
            "VICTIM": str(self.victim.pid),
            "PARENT": str(os.getpid()),
            "PORT": str(self.port),
            "ABSTRACT": self.abstract,
        }

    def listen(self) -> None:
        """Open a server of every kind that needs no privilege, all TCP and UDP ones on one port."""
        tcp = self._add(socket.socket())
        tcp.bind(("127.0.0.1", 0))
        self.port = tcp.getsockname()[1]
        with suppress(OSError):
            self._add(socket.socket(socket.AF_INET6)).bind(("::1", self.port))
        self._add(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(("127.0.0.1", self.port))
        self._add(socket.socket(socket.AF_UNIX)).bind(str(self.outside / "socket"))
        self._add(socket.socket(socket.AF_UNIX)).bind("\0" + self.abstract)
        self._add(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(str(self.outside / "datagrams"))
        for server in self.sockets:
            threading.Thread(target=self._hear, args=(server,), daemon=True).start()

    def _add(self, server: socket.socket) -> socket.socket:
        self.sockets.append(server)
        return server

    def _hear(self, server: socket.socket) -> None:
        with suppress(OSError):
            if server.type == socket.SOCK_STREAM:
                server.listen()
                while True:
                    connection, _ = server.accept()
                    self.heard.append(f"a connection to {server.getsockname()!r}")
                    connection.close()
            while True:
                self.heard.append(f"{server.recv(100)!r} at {server.getsockname()!r}")


@dataclass
class Aftermath:
    """All that was seen of programs that went through one pool."""

    verdicts: dict[str, Verdict]
    after: list[Verdict]
    graded_after: list[Verdict]
    processes_left: list[str]
    zombies: list[str]
    shared_left: set[str]
    descriptors: tuple[int, int]
    folders_left: list[str]


def _processes_below(root: Path) -> list[str]:
    """Name the processes alive that work in a program's folder below `root`, or sleep as hostile programs do."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if "State:\tZ" in (process / "status").read_text():
                continue
            words = (process / "cmdline").read_bytes().split(b"\0")
            place = str((process / "cwd").readlink())
            in_program = place.startswith(f"{root}{os.sep}") and "zygote-" not in place
            if in_program or any(word.startswith(b"31337") for word in words):
                found.append(f"{process.name}: {words} in {place}")
    return found


def _zombies_below(pids: list[int]) -> list[str]:
    """List the processes that ended as children of these and were not waited for."""
    children = [
        child
        for pid in pids
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for child in path.read_text().split()
    ]
    return [child for child in children if "State:\tZ" in Path(f"/proc/{child}/status").read_text()]


def _shared_memory() -> set[str]:
    return {path.name for path in Path("/dev/shm").glob("*")}


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "empty").mkdir()
    (outside / "secret.txt").write_text("SECRET")
    (outside / "attributes.txt").write_text("mode, times and attributes")
    abstract = f"workbench-hostile-{uuid.uuid4()}"
    world = World(outside, subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]), abstract)
    world.listen()
    yield world
    for server in world.sockets:
        server.close()
    world.victim.send_signal(signal.SIGKILL)
    world.victim.wait()


@pytest.fixture(scope="module")
def aftermaths(world: World) -> list[Aftermath]:
    """Run the endless programs, soon stopped, and the others, which get time to end on a busy machine."""
    endless = [hostile for hostile in HOSTILE if "timeout" in hostile.statuses]
    ending = [hostile for hostile in HOSTILE if "timeout" not in hostile.statuses]
    return [_run(endless, world, timeout_s=3.0), _run(ending, world, timeout_s=60.0)]


def _run(hostiles: list[Hostile], world: World, timeout_s: float) -> Aftermath:
    contained = [hostile for hostile in hostiles if not hostile.hole]
    shared = _shared_memory()
    programs = [hostile.program(world.words) for hostile in contained]
    with Sandbox(workers=2, timeout_s=timeout_s, memory_bytes=256 << 20, disk_bytes=64 << 20) as box:
        root = box._root
        box.run("import numpy")
        list(box.map(_CANARIES))
        before = _open_descriptors()
        verdicts = dict(zip([hostile.name for hostile in contained], box.map(programs), strict=True))
        verdicts |= {hostile.name: _whatever(box, hostile, world) for hostile in hostiles if hostile.hole}
        after = list(box.map([f"print({number} * 2)" for number in range(8)]))
        solutions = ["result = x + 22", "result = x + 21", "result = x.", "result = 42"]
        graded = list(box.map(Program(code, tests=_TESTS) for code in solutions))
        descriptors = (before, _open_descriptors())
        zombies = _zombies_below([zygote._process.pid for zygote in box._zygotes.values()])
        folders = [path.name for path in root.iterdir() if path.name.isdigit()]
        left = _processes_below(root)
    left += _processes_below(root)
    folders += [str(root)] if root.exists() else []
    made = {
        name for name in _shared_memory() - shared if "hostile" in name or name.startswith(("psm_", "pym"))
    }
    return Aftermath(verdicts, after, graded, left, zombies, made, descriptors, folders)


def _whatever(box: Sandbox, hostile: Hostile, world: World) -> Verdict:
    """Run an attack that is known to succeed, even in raising where verdicts are awaited."""
    try:
        return box.run(hostile.program(world.words))
    except Exception as error:
        return Verdict("crashed", f"the pool raised {error!r}")


def _parameter(hostile: Hostile) -> object:
    marks = [pytest.mark.xfail(strict=True, reason=hostile.hole)] if hostile.hole else []
    return pytest.param(hostile, id=hostile.name.replace(" ", "-"), marks=marks)


def test_the_suite_is_of_size():
    assert len(HOSTILE) >= 170
    assert len({hostile.name for hostile in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("hostile", [_parameter(hostile) for hostile in HOSTILE])
def test_verdict(hostile: Hostile, world: World, aftermaths: list[Aftermath]):
    (verdict,) = [a.verdicts[hostile.name] for a in aftermaths if hostile.name in a.verdicts]
    assert "ESCAPED" not in verdict.stdout, verdict
    assert verdict.status in hostile.statuses, verdict
    assert hostile.message in verdict.message, verdict
    expected = hostile.stdout
    for word, value in world.words.items():
        expected = expected.replace(f"@{word}@", value)
    assert expected in verdict.stdout, verdict


@pytest.mark.usefixtures("aftermaths")
def test_nobody_was_called(world: World):
    assert world.heard == []


@pytest.mark.usefixtures("aftermaths")
def test_victim_lives(world: World):
    assert world.victim.poll() is None


@pytest.mark.usefixtures("aftermaths")
def test_files_outside_are_as_they_were(world: World):
    names = sorted(path.name for path in world.outside.iterdir())
    assert names == ["attributes.txt", "datagrams", "empty", "secret.txt", "socket"]
    assert (world.outside / "secret.txt").read_text() == "SECRET"
    assert not list(Path.home().glob("hostile*")) + list(Path(__file__).parents[2].glob("hostile*"))


def test_pools_still_grade(aftermaths: list[Aftermath]):
    for aftermath in aftermaths:
        assert [(verdict.status, verdict.stdout) for verdict in aftermath.after] == [
            ("passed", f"{number * 2}\n") for number in range(8)
        ]
        assert [verdict.status for verdict in aftermath.graded_after] == [
            "passed",
            "failed",
            "failed",
            "passed",
        ]


def test_no_process_is_left(aftermaths: list[Aftermath]):
    assert [aftermath.processes_left for aftermath in aftermaths] == [[], []]


def test_no_zombie_is_left(aftermaths: list[Aftermath]):
    assert [aftermath.zombies for aftermath in aftermaths] == [[], []]


def test_no_shared_memory_is_left(aftermaths: list[Aftermath]):
    assert [aftermath.shared_left for aftermath in aftermaths] == [set(), set()]


def test_no_descriptor_is_left(aftermaths: list[Aftermath]):
    for aftermath in aftermaths:
        before, after = aftermath.descriptors
        # a program that kills its zygote costs a restart, whose pipes replace the old one's
        assert after <= before + 4


def test_no_folder_is_left(aftermaths: list[Aftermath]):
    assert [aftermath.folders_left for aftermath in aftermaths] == [[], []]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's programs have user ids of their own")
def test_slots_of_programs_in_flight_differ():
    """Programs 32 apart had one user id, so that a fork bomb took the processes of its namesake."""
    bomb = """
import os, time
while True:
    try:
        if os.fork() == 0:
            time.sleep(60)
    except OSError:
        time.sleep(0.05)
"""
    quick = "import threading\nthread = threading.Thread(target=int)\nthread.start()\nthread.join()\n"
    with Sandbox(workers=2, timeout_s=4) as box:
        box.run("pass")
        verdicts = list(_beside(box, bomb, [quick] * 70))
    assert {verdict.status for verdict in verdicts} == {"passed"}


def _beside(box: Sandbox, long: str, others: list[str]) -> list[Verdict]:
    """Run programs one after the other while a long one runs."""
    thread = threading.Thread(target=box.run, args=(long,))
    thread.start()
    verdicts = [box.run(program) for program in others]
    thread.join()
    return verdicts
