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

__all__ = ["LeakReport", "SpeedReport", "measure_leaks", "measure_speed"]

_RUNNER = Path(__file__).with_name("plain_runner.py")


@dataclass(frozen=True)
class SpeedReport:
    """Wall times of one run, all on the same programs with the same workers."""

    programs: int
    workers: int
    passed: tuple[int, int, int]
    """How many passed in the sandbox, in fresh processes, in the warm process."""
    sandbox_s: float
    """Ours: isolated, split grading, from an empty pool to the last verdict, imports included."""
    fresh_s: float
    """One new process a program, no isolation, no split: the authors' way."""
    warm_s: float
    """One process that has imported everything, one program after the other, imports not counted."""

    @property
    def speedup(self) -> float:
        """How many times faster than fresh processes."""
        return self.fresh_s / self.sandbox_s

    @property
    def overhead(self) -> float:
        """The sandbox's time over the limit: the bare work divided among the workers."""
        return self.sandbox_s / (self.warm_s / self.workers)


def measure_speed(
    programs: Sequence[Program],
    runtime: Runtime,
    workers: int,
    grade: Callable[[Sandbox], int],
    say: Callable[[str], None],
) -> SpeedReport:
    """Run the same graded programs three ways, one after the other.

    Args:
        programs: Programs with tests.
        runtime: Whose interpreter runs them.
        workers: Programs at a time, in the sandbox and as fresh processes.
        grade: The scorer under test: grades the same programs in a sandbox and returns how many passed.
        say: Told what is measured next, and each figure as it is known.
    """
    say(f"1/3 sandbox: {len(programs)} programs, {workers} workers")
    started = time.perf_counter()
    with Sandbox(runtime, workers, timeout_s=120, memory_bytes=4 << 30) as box:
        sandbox_passed = grade(box)
    sandbox_s = time.perf_counter() - started
    say(f"    {sandbox_s:.1f} s, {sandbox_passed} passed")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "programs.json"
        listed = [{"code": p.code, "tests": p.tests, "imports": p.imports()} for p in programs]
        path.write_text(json.dumps(listed))
        say("2/3 pure execution in one warm process")
        warm = json.loads(_run(runtime, folder, "warm", str(path)).stdout)
        say(f"    {warm['seconds']:.1f} s, {warm['passed']} passed")
        say("3/3 one fresh process a program")
        started = time.perf_counter()
        with ThreadPoolExecutor(workers) as threads:
            codes = list(
                threads.map(
                    lambda i: _run(runtime, folder, "one", str(path), str(i)).returncode, range(len(programs))
                )
            )
        fresh_s = time.perf_counter() - started
        say(f"    {fresh_s:.1f} s, {codes.count(0)} passed")
    passed = (sandbox_passed, codes.count(0), warm["passed"])
    return SpeedReport(len(programs), workers, passed, sandbox_s, fresh_s, warm["seconds"])


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
