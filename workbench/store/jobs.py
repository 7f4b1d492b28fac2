"""Many independent jobs: several at a time, each result on disk as it comes."""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import sys
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar

from workbench.store import atomic
from workbench.store.cluster import Cluster
from workbench.store.cluster_jobs import on_cluster
from workbench.store.fingerprint import fingerprint
from workbench.store.job import as_sent, computed
from workbench.store.stored import Damaged, classes_around, decode

__all__ = ["run_jobs"]

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Mapping[str, Job],
    folder: Path,
    *,
    shared: Path | None = None,
    workers: int | Cluster = 1,
    label: str = "jobs",
    progress: bool = True,
) -> dict[str, Result]:
    """Run a function on each job, and keep what it returns, as data: reading it back runs nothing.

    A result that is in the folder is not computed again: killed, the same call goes on. The folder must be of this
    function and these jobs alone, as a step's folder is.

    Args:
        function: What to do. It and the jobs may hold functions of a notebook's cells: other processes get the code.
        jobs: By name; the name is a file's.
        folder: Where results are kept, a file each.
        shared: Where the results of other calls are kept too, each under the fingerprint of its function and job:
            what was done there is not done again, so that a job more costs one job. None: nothing is shared.
        workers: Processes. 1: no process is started. In each of several, torch computes on its share of the cores.
            Or a cluster: the same results in the same files, which this process alone writes.
        label: What the progress bar says.
        progress: Show a bar on a terminal.

    Returns:
        The results by name, in the order of the jobs.

    Raises:
        SettingsError: A result is no data; a job cannot be sent to another process, or, with `shared`, has no
            fingerprint.
        ClusterError: See `workbench.store.cluster_jobs.as_computed`.
    """
    from workbench.core.bars import Bar

    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.result" for name in jobs}
    found: dict[str, Any] = {}
    for name, file in files.items():
        try:
            if file.is_file():
                found[name] = _read(function, file)
        except Damaged as fault:
            Bar.write(
                f"{label}: {file.name} is not read, and the job is done again: it is {fault}", sys.stderr
            )
    missing = [name for name in jobs if name not in found]
    twins = _twins(function, {name: jobs[name] for name in missing}, shared)
    for name in [name for name in missing if name in twins and twins[name].is_file()]:
        with contextlib.suppress(Damaged):
            found[name] = _read(function, twins[name])
            atomic.write_bytes(files[name], twins[name].read_bytes())
            missing.remove(name)
    bar = Bar(
        total=len(jobs), initial=len(jobs) - len(missing), desc=label, disable=None if progress else True
    )
    left = {name: jobs[name] for name in missing}
    unshared = set(left) & set(twins)

    def share(name: str) -> None:
        if name in unshared and files[name].is_file():
            atomic.write_bytes(twins[name], files[name].read_bytes())
            unshared.remove(name)

    try:
        with bar, contextlib.closing(_done(function, left, files, workers)) as done:
            for name in done:
                share(name)  # at once: other calls go on where this one is killed
                bar.update()
    finally:
        for name in left:
            share(name)  # what other processes had done when one failed
    return {name: found[name] if name in found else _read(function, file) for name, file in files.items()}


def _done(
    function: Callable[[Job], Result],
    jobs: Mapping[str, Job],
    files: Mapping[str, Path],
    workers: int | Cluster,
) -> Generator[str, None, None]:
    """Do jobs; yield each one's name when its result is on disk."""
    if isinstance(workers, Cluster):
        yield from on_cluster(function, jobs, files, workers)
    elif workers == 1 or len(jobs) < 2:
        for name, job in jobs.items():
            atomic.write_bytes(files[name], computed(name, function, job))
            yield name
    else:
        yield from _by_processes(function, jobs, files, workers)


def _by_processes(
    function: Callable[[Job], Result], jobs: Mapping[str, Job], files: Mapping[str, Path], workers: int
) -> Generator[str, None, None]:
    # spawned: a fork of a process that has used torch's threads may hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _share_cores, (workers,)) as pool:
        waiting = {
            pool.submit(_compute_sent, as_sent(name, function, job), files[name]): name
            for name, job in jobs.items()
        }
        try:
            for done in as_completed(waiting):
                done.result()
                yield waiting[done]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _twins(
    function: Callable[[Job], Result], jobs: Mapping[str, Job], shared: Path | None
) -> dict[str, Path]:
    """Return by name the file in which all calls that share results keep a job's."""
    if shared is None:
        return {}
    shared.mkdir(parents=True, exist_ok=True)
    return {name: shared / f"{fingerprint([function, job])}.result" for name, job in jobs.items()}


def _compute_sent(content: bytes, file: Path) -> None:
    function, job = pickle.loads(content)  # written by this very call
    atomic.write_bytes(file, computed(file.stem, function, job))


def _read(function: Callable[[Job], Result], file: Path) -> Result:
    result: Result = decode(file.read_bytes(), classes_around(function))
    return result


def _share_cores(workers: int) -> None:
    """Let a process's torch use its share of the cores, so that the processes do not get in each other's way."""
    import torch

    torch.set_num_threads(max(1, torch.get_num_threads() // workers))
