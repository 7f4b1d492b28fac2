"""Many independent jobs: several at a time, each result on disk as it comes."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TypeVar

from workbench.runs import atomic

__all__ = ["run_jobs"]

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Mapping[str, Job],
    folder: Path,
    *,
    workers: int = 1,
    label: str = "jobs",
    progress: bool = True,
) -> dict[str, Result]:
    """Run a function on each job, and keep what it returns.

    A result that is in the folder is not computed again: killed, the same call goes on. The folder must be of this
    function and these jobs alone, as a step's folder is.

    Args:
        function: What to do; with several workers it has a name in a module, and so do its arguments' classes.
        jobs: By name; the name is a file's.
        folder: Where results are kept, a file each.
        workers: Processes. 1: no process is started. In each of several, torch computes on its share of the cores.
        label: What the progress bar says.
        progress: Show a bar on a terminal.

    Returns:
        The results by name, in the order of the jobs.
    """
    from tqdm.auto import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.result" for name in jobs}
    missing = [name for name in jobs if not files[name].is_file()]
    bar = tqdm(
        total=len(jobs), initial=len(jobs) - len(missing), desc=label, disable=None if progress else True
    )
    with bar:
        if workers == 1 or len(missing) < 2:
            for name in missing:
                _compute(function, jobs[name], files[name])
                bar.update()
        else:
            # spawned: a fork of a process that has used torch's threads may hang
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(workers, context, _share_cores, (workers,)) as pool:
                waiting = [pool.submit(_compute, function, jobs[name], files[name]) for name in missing]
                try:
                    for done in as_completed(waiting):
                        done.result()
                        bar.update()
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
    return {name: pickle.loads(file.read_bytes()) for name, file in files.items()}


def _compute(function: Callable[[Job], Result], job: Job, file: Path) -> None:
    """Do one job and write its result, whole."""
    atomic.write_bytes(file, pickle.dumps(function(job), protocol=5))


def _share_cores(workers: int) -> None:
    """Let a process's torch use its share of the cores, so that the processes do not get in each other's way."""
    import torch

    torch.set_num_threads(max(1, torch.get_num_threads() // workers))
