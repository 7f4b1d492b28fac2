"""The forks of a zygote: what each becomes before it runs a line of somebody else's code."""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import confine, sharing
from .job import Job
from .landlock import Layer
from .memory import shared_piece_bytes

__all__ = ["Forks", "named"]


class Forks:
    """Forks this process, a zygote, for the programs to come.

    Args:
        settings: `limits` (see `Limits` in the parent), `isolated`, and for programs the paths that they may
            read, `program_readable`, and the folders that they may list, `program_listed`.
        preloader: Imports what programs need before they are forked.
    """

    def __init__(self, settings: dict, preloader: Any) -> None:
        self._settings, self._limits, self._preloader = settings, settings["limits"], preloader
        self._memory = confine.memory_now_bytes()
        self._shared_piece_bytes = shared_piece_bytes(self._limits["memory_bytes"])
        self.modules = frozenset(sys.modules)
        """What is imported here."""
        self._layer = (
            Layer(settings["program_readable"], settings["program_listed"]) if settings["isolated"] else None
        )

    def load(self, names: list[str]) -> None:
        """Import packages by the names that programs import them under."""
        self._import(self._preloader.load, names)

    def learn(self, names: list[str]) -> None:
        """Import modules that a fork has loaded lazily."""
        self._import(self._preloader.learn, names)

    def _import(self, load: Callable[[list[str]], bool], names: list[str]) -> None:
        if load(names):
            if self._layer:
                sharing.adapt_torch()
            self._memory = confine.memory_now_bytes()
            self.modules = frozenset(sys.modules)

    def fork(
        self, job: Job, role: str, keep: list[int], troubles: int, work: Callable[[dict], None]
    ) -> tuple[int, int]:
        """Start the process of a role.

        Args:
            job: The program.
            role: "solution" or "grader".
            keep: Descriptors that it keeps.
            troubles: The pipe by which it tells what kept it from becoming what it should be.
            work: What it does then, given what it has to run.

        Returns:
            Its process id, and a descriptor that becomes readable when it ends; -1 where there is no such thing.
        """
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # what an import printed is not the program's
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                payload = self._become_or_tell(job, role, [*keep, troubles], troubles)
                work(payload)
                code = 0
            except BaseException as error:
                os.write(2, f"{role}: {type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(code)
        try:
            os.setpgid(pid, pid)
        except (PermissionError, ProcessLookupError):
            pass  # the child was quicker
        # Rather than a SIGCHLD handler, which would interrupt whatever call the zygote is in.
        return pid, os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1

    def _become_or_tell(self, job: Job, role: str, keep: list[int], troubles: int) -> dict:
        """Become the process of a role; what fails before a line of a program ran is the machine's trouble.

        The program finds the pipe closed by which that is told.
        """
        try:
            payload = self._become(job, role, keep)
        except BaseException as error:
            os.write(troubles, named(error).encode())
            raise
        os.close(troubles)
        return payload

    def _become(self, job: Job, role: str, keep: list[int]) -> dict:
        """Turn the forked copy into the process of a role, with nothing of the zygote's in its hands."""
        os.setpgid(0, 0)
        if job.control_group:
            job.control_group.join(role)
        outputs = ("stdout", "stderr") if role == "solution" else ("log", "log")
        for standard, name in zip((1, 2), outputs):  # noqa: B905 (two and two)
            _open_as(standard, job.folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        if role == "solution" and job.has_stdin:
            _open_as(0, job.folder / "stdin", os.O_RDONLY)
        # A graded solution has no file to read: its grader tells it what to run.
        payload = json.loads((job.folder / f"{role}.json").read_bytes()) if role == job.leader else {}
        confine.close_all_but([*keep, *(self._layer.descriptors if self._layer else ())])
        scratch = str(job.folder / role)
        if role == "grader":  # its report lies beside the files that it takes from the solution
            os.mkdir(f"{scratch}/work")
            os.chdir(f"{scratch}/work")
        else:
            os.chdir(scratch)
        os.environ.update({"HOME": scratch, "TMPDIR": scratch})
        tempfile.tempdir = None  # a module imported in the zygote may have fixed it to the zygote's
        gc.enable()

        if self._layer:  # before the limits: the layer's folders are open files too
            confine.confine_child(
                self._layer,
                scratch,
                processes=self._limits["processes"],
                others=self._settings["tasks_of_user"],
                slot=2 * job.slot + (role == "grader"),
                shared_piece_bytes=self._shared_piece_bytes,
            )
        confine.limit_resources({**self._limits, "cpu_s": int(job.deadline - job.started) + 2}, self._memory)
        return payload


def named(error: BaseException) -> str:
    """Say what failed as "number: words"; the number is the system's, or 0."""
    number = (
        error.errno if isinstance(error, OSError) else errno.ENOMEM if isinstance(error, MemoryError) else 0
    )
    return f"{number or 0}: {type(error).__name__}: {error}"


def _open_as(standard: int, path: Path, flags: int) -> None:
    fd = os.open(path, flags, 0o600)
    os.dup2(fd, standard)
    os.close(fd)
