"""What a cluster costs beside processes of this machine, and from these figures how far it would scale."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from workbench.datasets import load_problems
from workbench.sandbox import ClusterSandbox, Program, Sandbox
from workbench.store import atomic
from workbench.store.cluster import Cluster, connect
from workbench.store.jobs import run_jobs

__all__ = ["LOADS", "Costs", "Load", "Scaled", "measure_costs", "scaled", "suite_programs"]

_RESULT_BYTES = 1 << 20
_STORE_BYTES = 64 << 20
_TIMEOUT_S = 120.0
_MEMORY_BYTES = 4 << 30


@dataclass(frozen=True)
class Costs:
    """What was measured, in seconds; medians over the rounds."""

    job_here_s: float
    """A job that does nothing, in this process: its result on disk."""
    job_there_s: float
    """The same on the cluster, one after the other."""
    job_driver_s: float
    """Of that, processor time of this process."""
    program_here_s: float
    """A program of the benchmark, by `Sandbox`: wall time, with as many at a time as the cluster has processors."""
    program_there_s: float
    """The same by `ClusterSandbox`."""
    program_driver_s: float
    """Of that, processor time of this process."""
    store_s_a_mib: float
    """A MiB from the object store to this process."""
    write_s_a_mib: float
    """A MiB written to this disk, whole and flushed."""

    @property
    def job_overhead_s(self) -> float:
        """What the cluster adds to a job."""
        return self.job_there_s - self.job_here_s

    @property
    def program_overhead(self) -> float:
        """What the cluster adds to a program, as a share of what it takes here."""
        return self.program_there_s / self.program_here_s - 1


def measure_costs(
    address: str,
    programs: Sequence[Program],
    folder: Path,
    *,
    jobs: int,
    rounds: int,
    say: Callable[[str], None] = print,
) -> Costs:
    """Measure on a cluster whose nodes are this machine's, in turn with this machine alone.

    Args:
        address: Of the cluster.
        programs: What to grade, all of which pass.
        folder: Where results go.
        jobs: Jobs that do nothing.
        rounds: How often each is done; a first time beside them does not count.
        say: Gets a line a round.

    Raises:
        ClusterError: There is no such cluster.
    """
    ray = connect(address)
    cluster = Cluster(address)
    cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
    empty = {str(number): number for number in range(jobs)}
    run_jobs(_nothing, empty, folder / "warm", workers=cluster, progress=False)
    times: dict[str, list[float]] = {name: [] for name in ("here", "there", "driver")}
    for number in range(rounds):
        begin = time.perf_counter()
        run_jobs(_nothing, empty, folder / f"here-{number}", progress=False)
        times["here"].append((time.perf_counter() - begin) / jobs)
        begin, spent = time.perf_counter(), time.process_time()
        run_jobs(_nothing, empty, folder / f"there-{number}", workers=cluster, progress=False)
        times["there"].append((time.perf_counter() - begin) / jobs)
        times["driver"].append((time.process_time() - spent) / jobs)
        here_ms, there_ms = (1e3 * times[name][-1] for name in ("here", "there"))
        say(f"jobs, round {number + 1}: {here_ms:.1f} ms here, {there_ms:.1f} ms there")
    graded = _graded(cluster, programs, cpus, rounds, say) if programs else (math.nan, math.nan, math.nan)
    content = bytes(_STORE_BYTES)
    made = ray.remote(num_cpus=0)(_zeros)
    ray.get(made.remote(1))  # starts its worker
    reference = made.remote(_STORE_BYTES)
    ray.wait([reference], fetch_local=False)
    begin = time.perf_counter()
    ray.get(reference)
    store_s = (time.perf_counter() - begin) / (_STORE_BYTES >> 20)
    begin = time.perf_counter()
    atomic.write_bytes(folder / "written", content)
    write_s = (time.perf_counter() - begin) / (_STORE_BYTES >> 20)
    here_s, there_s, driver_s = (median(times[name]) for name in ("here", "there", "driver"))
    return Costs(here_s, there_s, driver_s, *graded, store_s, write_s)


def suite_programs(count: int) -> list[Program]:
    """Return about so many references of our suite as graded programs, evenly spread; TensorFlow's left out."""
    chosen = [problem for problem in load_problems("suite") if problem.library != "Tensorflow"]
    chosen = chosen[:: max(1, len(chosen) // count)] if count else []
    return [Program(one.reference_code, tests=one.code_context, group=one.library) for one in chosen]


def _nothing(number: int) -> int:
    return number


def _zeros(count: int) -> bytes:
    return bytes(count)


def _graded(
    cluster: Cluster, programs: Sequence[Program], cpus: int, rounds: int, say: Callable[[str], None]
) -> tuple[float, float, float]:
    """Return the seconds of a program here, there, and of this process's processor there. Interpreters are warm."""
    times: dict[str, list[float]] = {name: [] for name in ("here", "there", "driver")}
    with (
        Sandbox("main", cpus, _TIMEOUT_S, _MEMORY_BYTES) as here,
        ClusterSandbox(cluster, "main", _TIMEOUT_S, _MEMORY_BYTES) as there,
    ):
        for number in range(rounds + 1):
            here_s = _passed(here.map(programs), len(programs))
            spent = time.process_time()
            there_s = _passed(there.map(programs), len(programs))
            driver_s = (time.process_time() - spent) / len(programs)
            if number:  # the first starts the interpreters
                for name, seconds in (("here", here_s), ("there", there_s), ("driver", driver_s)):
                    times[name].append(seconds)
                say(f"programs, round {number}: {1e3 * here_s:.1f} ms here, {1e3 * there_s:.1f} ms there")
    return median(times["here"]), median(times["there"]), median(times["driver"])


def _passed(verdicts: Iterator, count: int) -> float:
    begin = time.perf_counter()
    passed = sum(verdict.passed for verdict in verdicts)
    if passed != count:
        raise AssertionError(f"{count - passed} of {count} programs that are right did not pass")
    return (time.perf_counter() - begin) / count


@dataclass(frozen=True)
class Load:
    """Work for a cluster, of a paper profile's kind."""

    name: str
    jobs: int
    job_s: float
    """Of one job or program, on what it runs on."""
    at_a_time: int
    """Of them on one node."""
    result_bytes: int
    build_s: float = 0.0
    """What a node builds before its first: the pinned runtime."""
    programs: bool = False
    """Whether they are programs, which go in batches, and not jobs."""


LOADS = (
    Load("75 trainings of 2 h, one GPU each, 8 a node", 75, 7200.0, 8, 8 << 20),
    Load(
        "40,000 programs of 1 s, 32 at a time a node, runtime built in 10 min",
        40_000,
        1.0,
        32,
        2 << 10,
        600.0,
        True,
    ),
    Load("10,000 jobs of 10 s, 32 at a time a node", 10_000, 10.0, 32, 64 << 10),
)
"""Of the paper profiles: HaF-RM's trainings, DS-1000's answers; and a sweep's small jobs. Durations are assumed."""


@dataclass(frozen=True)
class Scaled:
    """A load on so many nodes, on paper."""

    nodes: int
    seconds: float
    efficiency: float
    """Seconds that the work itself takes on all places, over those that it takes here."""
    limit: str
    """What keeps it from being faster."""


def scaled(load: Load, nodes: int, costs: Costs) -> Scaled:
    """Return how long a load takes by what was measured: the nodes' work, or the driver's, whichever is longer.

    The driver's work for a result is its processor time, the transfer from the object store, and the write to disk.
    """
    places = nodes * load.at_a_time
    rounds_s = math.ceil(load.jobs / places) * load.job_s
    mib = load.result_bytes / 2**20
    own = costs.program_driver_s if load.programs else costs.job_driver_s
    parts = {
        "the driver's processor": own,
        "the object store": mib * costs.store_s_a_mib,
        "the driver's disk": mib * costs.write_s_a_mib,
    }
    driver_s = load.jobs * sum(parts.values())
    seconds = load.build_s + max(rounds_s, driver_s)
    shares = {
        "fewer jobs than places": rounds_s - load.jobs * load.job_s / places,
        "each node's build of the runtime": load.build_s,
    }
    limit = max(shares, key=lambda name: shares[name])
    if driver_s > rounds_s:
        limit = max(parts, key=lambda name: parts[name])
    elif shares[limit] < seconds / 20:
        limit = "the work itself"
    return Scaled(nodes, seconds, load.jobs * load.job_s / places / seconds, limit)
