"""`ClusterSandbox`: programs graded by the nodes of a Ray cluster, each with a `Sandbox` of its own."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from workbench.core.errors import ClusterError, WorkbenchError
from workbench.sandbox.node import Grader, data_folders, holdings
from workbench.sandbox.pool import Sandbox
from workbench.sandbox.program import Limits, Program
from workbench.sandbox.runtimes import Runtime, find_runtime
from workbench.sandbox.verdict import Verdict
from workbench.store.cluster import Cluster, connect

__all__ = ["AnySandbox", "ClusterSandbox", "open_on"]

_BATCHES = 3
"""Batches that a node has at a time: one ends while the next runs and another lies ready."""
_BATCH = 4
"""Programs of a batch, at least; else as many as the node runs at a time."""
_AHEAD = 16
"""Batches a node that may be known before the one that is waited for, where verdicts come in order."""
_LOSSES = 3
_LOOK_S = 5.0


class ClusterSandbox:
    """A sandbox on every node of a cluster, with as many programs at a time as the node has processors.

    Has `run`, `map`, `as_judged` and `warm` of `Sandbox`. Programs go out in batches, and verdicts come back as each
    batch ends: little of either is on this machine at a time. A node that dies costs the batches that it had, which
    other nodes do again; nodes that join get work.

    Args:
        cluster: Which one.
        runtime: "main", "ds1000", or a `Runtime` whose folders are on every node alike. A node builds its own.
            Folders of data that variables name here (`SEABORN_DATA`) are looked for in the same place there.
        timeout_s, memory_bytes, isolation: See `Sandbox`.

    Raises:
        ClusterError: There is no such cluster.
        SandboxUnavailableError: While programs run: a node cannot isolate them, or has no memory left.
        RuntimeMissingError: While programs run: a node lacks packages or data of this machine, or has others.
    """

    def __init__(
        self,
        cluster: Cluster,
        runtime: str | Runtime = "main",
        timeout_s: float = 10.0,
        memory_bytes: int = 2**30,
        *,
        isolation: str = "sandlock",
    ) -> None:
        self.limits = Limits(timeout_s, memory_bytes)
        self.runtime = runtime if isinstance(runtime, Runtime) else find_runtime(runtime)
        self.isolation = isolation
        self._asked = _for_nodes(self.runtime)
        self._expected = data_folders(self.runtime), holdings(self.runtime)
        self._ray = connect(cluster.address)
        self._nodes: dict[str, _Node] = {}
        self._losses = Counter[int]()
        self._hire()

    def __enter__(self) -> ClusterSandbox:
        return self

    def __exit__(self, *ended: object) -> None:
        self.close()

    @property
    def workers(self) -> int:
        """Programs at a time, on all nodes together."""
        return sum(node.workers for node in self._nodes.values())

    def close(self) -> None:
        """End all programs on all nodes."""
        leaving = [node.actor.close.remote() for node in self._nodes.values()]
        self._ray.wait(leaving, num_returns=len(leaving), timeout=_LOOK_S) if leaving else None
        for node in self._nodes.values():
            self._ray.kill(node.actor)
        self._nodes = {}

    def run(self, program: str | Program) -> Verdict:
        """Run one program and wait for its verdict."""
        return next(self.map([program]))

    def map(self, programs: Iterable[str | Program]) -> Iterator[Verdict]:
        """Run programs as they come; yield their verdicts in the same order."""
        for _, verdicts in self._judged(programs, ordered=True):
            yield from verdicts

    def as_judged(self, programs: Iterable[str | Program]) -> Iterator[tuple[int, Verdict]]:
        """Run programs as they come; yield each one's position and verdict as soon as its batch is known."""
        for first, verdicts in self._judged(programs, ordered=False):
            yield from enumerate(verdicts, first)

    def warm(self, group: str, imports: Sequence[str]) -> None:
        """Let every node start the zygote of a group while other programs run."""
        for node in list(self._nodes.values()):
            node.actor.warm.remote(group, list(imports))

    def _judged(
        self, programs: Iterable[str | Program], *, ordered: bool
    ) -> Iterator[tuple[int, list[Verdict]]]:
        """Yield batches of verdicts, each with the position of its first; in order, or as they come."""
        source, again = enumerate(programs), deque[_Batch]()
        running: dict[Any, tuple[_Batch, _Node]] = {}
        known: dict[int, list[Verdict]] = {}
        due, looked = 0, time.monotonic()
        while True:
            for node in self._with_room(running):
                full = len(known) >= _AHEAD * len(self._nodes)
                batch = again.popleft() if again else None if full else _next_batch(source, node.workers)
                if batch is not None:
                    running[node.actor.judge.remote(batch.programs)] = batch, node
            if not running:
                return
            ended, _ = self._ray.wait(list(running), timeout=_LOOK_S)
            for reference in ended:
                batch, node = running.pop(reference)
                verdicts = self._verdicts(reference, batch, node)
                if verdicts is None:
                    again.append(batch)
                elif ordered:
                    known[batch.first] = verdicts
                else:
                    yield batch.first, verdicts
            while due in known:
                verdicts = known.pop(due)
                yield due, verdicts
                due += len(verdicts)
            if time.monotonic() - looked > _LOOK_S:
                looked = time.monotonic()
                self._hire()  # on nodes that have joined

    def _with_room(self, running: Mapping[Any, tuple[_Batch, _Node]]) -> Iterator[_Node]:
        """Yield nodes that may get a batch, those with the fewest first: no node waits while another has a queue."""
        has = Counter(node for _, node in running.values())
        for level in range(_BATCHES):
            yield from (node for node in list(self._nodes.values()) if has[node] <= level)

    def _verdicts(self, reference: Any, batch: _Batch, node: _Node) -> list[Verdict] | None:
        """Return what came of a batch; None where its node was lost, and it has to be done again."""
        lost = self._ray.exceptions
        try:
            found, fault = self._ray.get(reference)
        except (
            lost.RayActorError,
            lost.ActorUnschedulableError,  # its node had left before it began
            lost.NodeDiedError,
            lost.ObjectLostError,
        ) as crash:
            if self._nodes.get(node.name) is node:  # the first that is heard of it
                self._ray.kill(self._nodes.pop(node.name).actor)
            there = any(one["NodeID"] == node.name and one["Alive"] for one in self._ray.nodes())
            if there and isinstance(crash, lost.ActorDiedError):  # not the node, but what ran on it
                self._losses[batch.first] += 1
            if self._losses[batch.first] >= _LOSSES:
                raise ClusterError(
                    got=f"the grading process of a node ended {_LOSSES} times under the same programs",
                    needed="nodes with memory for the programs that they run at a time",
                    fix="see `ray status` and the nodes' memory; verdicts that are known are kept",
                ) from crash
            self._hire()
            return None
        if fault is not None:
            raise type(fault)(f"node {node.address}: {fault.got}", fault.needed, fault.fix) from fault
        verdicts: list[Verdict] = found
        return verdicts

    def _hire(self) -> None:
        """Start a sandbox on every node that has none yet."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        for node in self._ray.nodes():
            name, cpus = node["NodeID"], int(node["Resources"].get("CPU", 0))
            if not node["Alive"] or not cpus or name in self._nodes:
                continue
            there = NodeAffinitySchedulingStrategy(name, soft=False)
            options = {"num_cpus": cpus, "max_concurrency": _BATCHES + 2, "scheduling_strategy": there}
            limits = {"timeout_s": self.limits.timeout_s, "memory_bytes": self.limits.memory_bytes}
            how = {"runtime": self._asked, "workers": cpus, "isolation": self.isolation, **limits}
            actor = self._ray.remote(**options)(Grader).remote(how, str(Path.cwd()), *self._expected)
            self._nodes[name] = _Node(name, actor, cpus, str(node["NodeManagerAddress"]))
        if not self._nodes:
            raise ClusterError(
                got="a cluster without a node that has processors",
                needed="a node to run programs on",
                fix="add one: `ray start --address HOST:PORT` on it; the same command then continues",
            )


AnySandbox: TypeAlias = Sandbox | ClusterSandbox
"""Where programs can be graded: on this machine, or on the nodes of a cluster."""


def open_on(
    workers: int | Cluster,
    runtime: str | Runtime,
    timeout_s: float,
    memory_bytes: int,
    *,
    isolation: str = "sandlock",
) -> AnySandbox:
    """Open a sandbox of this machine for so many programs at a time, or one on every node of a cluster.

    Raises:
        WorkbenchError: See `Sandbox` and `ClusterSandbox`.
    """
    if isinstance(workers, Cluster):
        return ClusterSandbox(workers, runtime, timeout_s, memory_bytes, isolation=isolation)
    return Sandbox(runtime, workers, timeout_s, memory_bytes, isolation=isolation)


@dataclass(frozen=True, eq=False)
class _Node:
    name: str
    actor: Any
    workers: int
    address: str


@dataclass(frozen=True)
class _Batch:
    first: int
    """Position of its first program."""
    programs: list[str | Program]


def _for_nodes(runtime: Runtime) -> str | Runtime:
    """Return a runtime's name where each node finds its own; one with packages or tools of the user's has paths."""
    with suppress(WorkbenchError):
        if find_runtime(runtime.name, build=False) == runtime:
            return runtime.name
    return runtime


def _next_batch(source: Iterator[tuple[int, str | Program]], workers: int) -> _Batch | None:
    given = list(itertools.islice(source, max(_BATCH, workers)))
    return _Batch(given[0][0], [program for _, program in given]) if given else None
