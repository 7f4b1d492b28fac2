"""How fast the sandbox grades, against fresh processes and against the bare work, and whether it leaks."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from workbench.sandbox import Program, Sandbox
from workbench.sandbox.runtimes import Runtime

__all__ = ["LeakReport", "Leg", "SpeedReport", "measure_leaks", "measure_speed"]

_RUNNER = Path(__file__).with_name("plain_runner.py")


@dataclass(frozen=True)
class Leg:
    """One way to run the programs."""

    programs: int
    """How many it ran."""
    passed: int
    wall_s: float
    cpu_s: float
    """Processor time of all its processes: on a machine that does something else too, the one to compare."""

    def of(self, programs: int) -> Leg:
        """Return what it would be for another number of programs, by proportion."""
        share = programs / self.programs
        return Leg(self.programs, self.passed, self.wall_s * share, self.cpu_s * share)


@dataclass(frozen=True)
class SpeedReport:
    """What the same programs took, run three ways, one after the other."""

    programs: int
    workers: int
    sandbox: Leg
    """Ours: isolated, split grading, from an empty pool to the last verdict, imports included."""
    fresh: Leg
    """One new process a program, no isolation, no split: the authors' way. In proportion to the programs it ran."""
    warm: Leg
    """One process that has imported everything, one program after the other, imports not counted."""

    @property
    def speedup(self) -> float:
        """How many times faster than fresh processes."""
        return self.fresh.wall_s / self.sandbox.wall_s

    @property
    def overhead(self) -> float:
        """The sandbox's time over the limit: the bare work divided among the workers."""
        return self.sandbox.wall_s / (self.warm.wall_s / self.workers)


def measure_speed(
    programs: Sequence[Program],
    runtime: Runtime,
    workers: int,
    grade: Callable[[Sandbox], int],
    say: Callable[[str], None],
    *,
    fresh: int = 0,
) -> SpeedReport:
    """Run the same graded programs three ways, one after the other.

    Args:
        programs: Programs with tests.
        runtime: Whose interpreter runs them.
        workers: Programs at a time, in the sandbox and as fresh processes.
        grade: The scorer under test: grades the same programs in a sandbox and returns how many passed.
        say: Told what is measured next, and each figure as it is known.
        fresh: How many of them, evenly spread, run as fresh processes; 0 for all.
    """
    say(f"1/3 sandbox: {len(programs)} programs, {workers} workers")
    ours = _Stopwatch()
    with Sandbox(runtime, workers, timeout_s=120, memory_bytes=4 << 30) as box:
        passed = grade(box)
    sandbox = ours.leg(len(programs), passed, say)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "programs.json"
        listed = [{"code": p.code, "tests": p.tests, "imports": p.imports()} for p in programs]
        path.write_text(json.dumps(listed))
        say("2/3 pure execution in one warm process")
        said = json.loads(_run(runtime, folder, "warm", str(path)).stdout)
        warm = Leg(len(programs), said["passed"], said["seconds"], said["cpu_seconds"])
        say(f"    {warm.wall_s:.1f} s, {warm.passed} passed")
        places = range(len(programs))[:: max(1, len(programs) // fresh) if fresh else 1]
        say(f"3/3 one fresh process a program: {len(places)} of {len(programs)} programs")
        theirs = _Stopwatch()
        with ThreadPoolExecutor(workers) as threads:
            codes = list(
                threads.map(
                    lambda place: _run(runtime, folder, "one", str(path), str(place)).returncode, places
                )
            )
        alone = theirs.leg(len(places), codes.count(0), say)
    return SpeedReport(len(programs), workers, sandbox, alone.of(len(programs)), warm)


class _Stopwatch:
    """Takes the time from when it is made, of this process and of those that it waits for."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.perf_counter(), self._spent_s()

    def leg(self, programs: int, passed: int, say: Callable[[str], None]) -> Leg:
        wall_s, cpu_s = time.perf_counter() - self._wall_s, self._spent_s() - self._cpu_s
        say(f"    {wall_s:.1f} s, {passed} passed")
        return Leg(programs, passed, wall_s, cpu_s)

    @staticmethod
    def _spent_s() -> float:
        return sum(os.times()[:4])


def _run(runtime: Runtime, home: str, *arguments: str) -> subprocess.CompletedProcess:
    # The yardsticks get the interpreter's usual allocator: the sandbox's choice of it is part of the sandbox.
    environment = {name: value for name, value in runtime.environment.items() if name != "GLIBC_TUNABLES"}
    return subprocess.run(
        [str(runtime.python), "-I", str(_RUNNER), *arguments],
        env={**environment, "HOME": home, "MPLCONFIGDIR": home},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )


@dataclass(frozen=True)
class LeakReport:
    """What a long series of trivial programs left behind, counted in this process and its zygotes."""

    programs: int
    passed: int
    seconds: float
    memory_growth_bytes: tuple[int, int]
    """Resident memory gained by this process and by the zygotes since the first tenth of the programs."""
    processes: int
    """Descendants that are alive once the pool is closed."""
    descriptors: int
    """Open file descriptors gained."""
    folders: int
    """Scratch folders left in the pool's folder just before it is closed."""


def measure_leaks(count: int, workers: int, progress: Callable[[int], None]) -> LeakReport:
    """Run `count` trivial programs through one pool and count what grew."""
    descriptors = _open_descriptors()
    started, passed = time.perf_counter(), 0
    with Sandbox(workers=workers) as box:
        settled = (0, 0)
        for index, verdict in enumerate(box.map("x = 1" for _ in range(count))):
            passed += verdict.passed
            progress(1)
            if index == count // 10:
                settled = _resident()
        seconds, grown = time.perf_counter() - started, _resident()
        folders = box.scratch_folders()
    growth = (grown[0] - settled[0], grown[1] - settled[1])
    left = _open_descriptors() - descriptors
    return LeakReport(count, passed, seconds, growth, len(_descendants()), left, folders)


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _descendants() -> list[int]:
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            children = [int(child) for child in task.read_text().split()]
            found += children
            waiting += children
    return found


def _resident() -> tuple[int, int]:
    """Return the resident bytes of this process and of its descendants together."""
    page = os.sysconf("SC_PAGE_SIZE")

    def of(pid: int) -> int:
        try:
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
        except (OSError, IndexError):
            return 0

    return of(os.getpid()), sum(of(pid) for pid in _descendants())
