"""Jobs on a cluster: each once, again where its node died, and an error by name where it takes its worker with it."""

from __future__ import annotations

import contextlib
import functools
import importlib
import math
import os
import pickle
import platform
import sys
import time
import traceback
import uuid
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import ClusterError
from workbench.store import atomic
from workbench.store.carried import Carried, FilesWanted, named_below, unpack
from workbench.store.cluster import Cluster, Needs, connect
from workbench.store.code_version import module_version
from workbench.store.job import as_sent, computed

__all__ = ["as_computed", "on_cluster"]

CRASHES = 3
"""So many workers may end under one job."""

_JOIN_S = 600.0
_LOOK_S = 1.0
_AHEAD = 2


def on_cluster(
    function: Callable[[Any], Any], jobs: Mapping[str, Any], files: Mapping[str, Path], cluster: Cluster
) -> Generator[str, None, None]:
    """Do jobs on a cluster; yield each one's name when its result is on this machine's disk, written by us alone.

    What a job names below the cluster's folder (what earlier steps have left, what it writes itself) goes to nodes
    that do not share this disk, and comes back. All else that jobs name has to be on every node.

    Args:
        function: What to do with a job.
        jobs: By name.
        files: By name, where results go: in one folder.
        cluster: Where.

    Raises:
        ClusterError: See `as_computed`; or a node has other code than this machine.
    """
    if not jobs:
        return
    folder = next(iter(files.values())).parent
    root = cluster.folder or folder.parent
    token = folder / f".driver-{uuid.uuid4().hex}"
    module = function.__module__ if function.__module__.startswith("workbench.") else ""
    code = module and module_version(module)

    def sent(name: str, with_files: bool) -> bytes:
        carried = Carried(str(root), str(token), named_below(jobs[name], root))
        carried = carried.packed() if with_files else carried
        return pickle.dumps((name, module, code, carried, as_sent(name, function, jobs[name])))

    makers = {name: functools.partial(sent, name) for name in jobs}
    token.touch()
    try:
        with contextlib.closing(as_computed(cluster, _compute_sent, makers)) as found:
            for name, content in found:
                result, written = pickle.loads(content)  # of our own job
                unpack(written, root)
                atomic.write_bytes(files[name], result)
                yield name
    finally:
        token.unlink(missing_ok=True)


def _compute_sent(content: bytes) -> bytes:
    """Do a job that was sent to this node; return its result and the files that it has written."""
    name, module, code, carried, sent = pickle.loads(content)  # of our own driver
    if module and _code_here(module) != code:
        raise ClusterError(
            got=f"other code of the workbench on the node {platform.node()} than on the driver's machine",
            needed="the same version of the workbench, and of the packages that it uses, on every node",
            fix="install the same there; the same command then continues",
        )
    before = carried.unpack()
    result = computed(name, *pickle.loads(sent))
    return pickle.dumps((result, carried.changed(before)))


@functools.cache
def _code_here(module: str) -> str:
    importlib.import_module(module)
    return module_version(module)


def as_computed(
    cluster: Cluster, function: Callable[[bytes], bytes], jobs: Mapping[str, Callable[[bool], bytes]]
) -> Generator[tuple[str, bytes], None, None]:
    """Yield the jobs' names and what came of them, as they come.

    Twice as many jobs as the cluster has room for are with it at a time; those after them are not made yet. Ended
    early, by an error, Ctrl-C or `close`, nothing of them is left running.

    Args:
        cluster: Where, and what each job asks for.
        function: What to do with a job. Its module is on every node; so are the modules it imports.
        jobs: By name, what makes a job's content, with the files that it names (True) or without: those are sent once
            a node has asked for them by `FilesWanted`, as it does that does not share this machine's disk.

    Raises:
        ClusterError: Three workers ended under one job, or no node has what the jobs ask for, and none joined in
            10 minutes.
        Exception: What the function raised.
    """
    ray = connect(cluster.address)
    remote = ray.remote(max_retries=0, **cluster.needs.options())(_guarded)
    here = (str(Path.cwd()), tuple(sys.path))
    waiting, crashes = deque(jobs), Counter[str]()
    running: dict[Any, str] = {}
    with_files = False
    room = _Room(ray, cluster.needs)
    try:
        while waiting or running:
            room.check()
            while waiting and len(running) < _AHEAD * room.jobs:
                name = waiting.popleft()
                running[remote.remote(function, jobs[name](with_files), here, cluster.needs.cpus)] = name
            if not running:  # no node yet
                time.sleep(_LOOK_S)
                continue
            ended, _ = ray.wait(list(running), timeout=_LOOK_S)
            for reference in ended:
                name = running.pop(reference)
                try:
                    outcome = _outcome(ray, reference, name, crashes)
                except FilesWanted:
                    outcome, with_files = None, True
                if outcome is None:
                    waiting.appendleft(name)
                else:
                    yield name, outcome
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


class _Room:
    """How many jobs the cluster has room for; says so when it has none, and waits for nodes to join."""

    def __init__(self, ray: Any, needs: Needs) -> None:
        self._ray, self._needs = ray, needs
        self._without_since: float | None = None
        self._looked = -math.inf
        self.jobs = 0

    def check(self) -> None:
        """Look at the nodes, once a second.

        Raises:
            ClusterError: None has offered what a job needs for ten minutes.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        nodes = [node["Resources"] for node in self._ray.nodes() if self._needs.offered_by(node)]
        self.jobs = sum(self._needs.times_in(resources) for resources in nodes)
        if nodes:
            self._without_since = None
        elif self._without_since is None:
            from workbench.core.bars import Bar

            self._without_since = now
            Bar.write(
                f"no node of the cluster has {self._needs} for a job: waiting for one to join", sys.stderr
            )
        elif now - self._without_since > _JOIN_S:
            raise ClusterError(
                got=f"no node with {self._needs} in {_JOIN_S / 60:.0f} minutes",
                needed="a node that has what one job asks for",
                fix="add one: `ray start --address HOST:PORT` on it; the same command then continues",
            )


def _outcome(ray: Any, reference: Any, name: str, crashes: Counter[str]) -> bytes | None:
    """Return what came of a job; None where it has to be done again."""
    lost = ray.exceptions
    try:
        value, fault = ray.get(reference)
    except (lost.NodeDiedError, lost.ObjectLostError):
        return None
    except (lost.WorkerCrashedError, lost.OutOfMemoryError) as crash:
        crashes[name] += 1
        if crashes[name] < CRASHES:
            return None
        memory = isinstance(crash, lost.OutOfMemoryError)
        raise ClusterError(
            got=f"job {name!r} has ended its worker process {CRASHES} times"
            + (", each time out of memory" if memory else ""),
            needed="a job that leaves its process alive (a crash in compiled code, or the system's memory, ends one)",
            fix="run that job on this machine to see why, without --cluster; the others' results are kept",
        ) from crash
    except lost.RayError as trouble:
        said = str(trouble).strip().splitlines() or [type(trouble).__name__]
        raise ClusterError(
            got=f"job {name!r}: {said[0]}",
            needed="a cluster that runs its jobs",
            fix="see `ray status`; the same command then continues with the jobs that are left",
        ) from trouble
    if fault is not None:
        content, trace = fault
        raised: BaseException = pickle.loads(content)  # of our own job, as a local process pool hands it over
        raise raised from RuntimeError(f"on the cluster, job {name!r}:\n{trace}")
    result: bytes = value
    return result


def _guarded(
    function: Callable[[bytes], bytes], content: bytes, here: tuple[str, tuple[str, ...]], cpus: float
) -> tuple[bytes | None, tuple[bytes, str] | None]:
    """Do a job in a worker of the cluster, as a process of the driver's machine would."""
    folder, search = here
    if Path(folder).is_dir():
        os.chdir(folder)
    sys.path.extend(place for place in search if place not in sys.path)
    threads = max(1, int(cpus))
    os.environ["OMP_NUM_THREADS"] = str(threads)  # what torch goes by where it is not loaded yet
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)
    try:
        return function(content), None
    except Exception as fault:
        return None, (_sendable(fault), traceback.format_exc())


def _sendable(fault: Exception) -> bytes:
    import cloudpickle

    try:
        content: bytes = cloudpickle.dumps(fault)
        pickle.loads(content)
    except Exception:  # whatever the error's own pickling raises
        content = cloudpickle.dumps(RuntimeError(f"{type(fault).__name__}: {fault}"))
    return content
