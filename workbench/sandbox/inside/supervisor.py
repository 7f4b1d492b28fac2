"""Forks the processes of a program, watches them against their limits, and reports how they ended."""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import os
import secrets
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from . import channel, confine, grader, sharing, solution
from .job import MAX_REPORT_BYTES, Job
from .landlock import Layer
from .memory import shared_piece_bytes

__all__ = ["Supervisor"]

_PR_SET_CHILD_SUBREAPER = 36
_TICK_S, _ORPHANS_S = 0.05, 0.002
_TIDY_EVERY = 1_000
_SLOTS = 32  # two user ids each


class Supervisor:
    """The zygote's event loop.

    Args:
        settings: `limits` (see `Limits` in the parent), `isolated`, and for programs the paths that they may
            read, `program_readable`, and the folders that they may list, `program_listed`.
        incoming: File descriptor of the parent's requests.
        outgoing: File descriptor of the answers.
        preloader: Imports what programs need before they are forked.
    """

    def __init__(self, settings: dict, incoming: int, outgoing: int, preloader: Any) -> None:
        self._settings, self._limits = settings, settings["limits"]
        self._incoming, self._outgoing, self._preloader = incoming, outgoing, preloader
        self._jobs: dict[int, Job] = {}
        self._ending: list[Job] = []
        self._pid_fds: dict[int, int] = {}
        self._served = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(incoming, selectors.EVENT_READ, None)
        self._memory = confine.memory_now_bytes()
        self._shared_piece_bytes = shared_piece_bytes(self._limits["memory_bytes"])
        self._modules = frozenset(sys.modules)
        self._layer = (
            Layer(settings["program_readable"], settings["program_listed"]) if settings["isolated"] else None
        )
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def serve(self) -> None:
        """Handle requests and children until the parent hangs up."""
        while True:
            for key, _ in self._selector.select(self._patience_s()):
                if key.fd == self._incoming:
                    if not self._accept():
                        return
                elif isinstance(key.data, Job):
                    self._read_report(key.data)
            self._reap()
            self._judge_all()

    def _patience_s(self) -> float | None:
        """Return how long nothing needs to be looked at unless something happens; orphans that die tell nobody."""
        if any(not job.pids for job in self._ending):
            return _ORPHANS_S
        return _TICK_S if self._jobs or self._ending else None

    # --- starting ---

    def _accept(self) -> bool:
        try:
            request = channel.receive_json(self._incoming)
        except channel.ChannelClosed:
            for job in self._jobs.values():
                job.kill()
            return False
        self._preload(self._preloader.load, request["imports"])
        if "id" in request:
            self._start(request)
        self._served += 1
        if self._served % _TIDY_EVERY == 0:
            gc.collect()
            gc.freeze()
        return True

    def _start(self, request: dict) -> None:
        now = time.monotonic()
        job = Job(
            id=request["id"],
            folder=Path(request["folder"]),
            graded=request["graded"],
            split=request["split"],
            token=secrets.token_hex(16),
            started=now,
            deadline=now + request["timeout_s"],
            slot=min(
                set(range(_SLOTS)) - {other.slot for other in (*self._jobs.values(), *self._ending)},
                default=0,
            ),
            has_stdin=request["stdin"],
        )
        with _noting_trouble(job):
            self._launch(job)
        self._jobs[job.id] = job

    def _launch(self, job: Job) -> None:
        with ExitStack() as ours_alone:  # the children's ends are closed here, whatever comes
            job.report_fd, writer = os.pipe()
            ours_alone.callback(os.close, writer)
            os.set_blocking(job.report_fd, False)
            self._selector.register(job.report_fd, selectors.EVENT_READ, job)
            job.report_closed = False
            job.trouble_fd, troubles = os.pipe()
            ours_alone.callback(os.close, troubles)
            os.set_blocking(job.trouble_fd, False)
            if not job.graded:
                run = lambda payload: solution.run_plain(payload["code"], writer, job.token, self._modules)  # noqa: E731
                self._fork(job, "solution", [writer], troubles, run)
                return
            ours, theirs = socket.socketpair()
            ours_alone.callback(ours.close)
            ours_alone.callback(theirs.close)
            if job.split:
                serve = lambda _: solution.serve(theirs.fileno(), self._modules)  # noqa: E731
                self._fork(job, "solution", [theirs.fileno()], troubles, serve)
            grade = lambda payload: _grade(payload, job, ours.fileno(), writer, self._modules)  # noqa: E731
            self._fork(job, "grader", [ours.fileno(), writer], troubles, grade)

    def _fork(
        self, job: Job, role: str, keep: list[int], troubles: int, work: Callable[[dict], None]
    ) -> None:
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
        job.pids[pid] = role
        job.groups.append(pid)
        # Rather than a SIGCHLD handler, which would interrupt whatever call the zygote is in.
        if hasattr(os, "pidfd_open"):
            self._pid_fds[pid] = os.pidfd_open(pid)
            self._selector.register(self._pid_fds[pid], selectors.EVENT_READ)

    def _become_or_tell(self, job: Job, role: str, keep: list[int], troubles: int) -> dict:
        """Become the process of a role; what fails before a line of a program ran is the machine's trouble.

        The program finds the pipe closed by which that is told.
        """
        try:
            payload = self._become(job, role, keep)
        except BaseException as error:
            os.write(troubles, _named(error).encode())
            raise
        os.close(troubles)
        return payload

    def _become(self, job: Job, role: str, keep: list[int]) -> dict:
        """Turn the forked copy into the process of a role, with nothing of the zygote's in its hands."""
        os.setpgid(0, 0)
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

    # --- watching ---

    def _read_report(self, job: Job) -> None:
        """Take what the report channel holds by now."""
        while not job.report_closed:
            try:
                data = os.read(job.report_fd, 1 << 16)
            except BlockingIOError:
                return
            job.raw_report += data
            if not data or len(job.raw_report) > 2 * MAX_REPORT_BYTES:
                self._close_report(job)

    def _close_report(self, job: Job) -> None:
        if not job.report_closed:
            job.report_closed = True
            self._selector.unregister(job.report_fd)
            os.close(job.report_fd)

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._pid_fds:
                self._selector.unregister(self._pid_fds[pid])
                os.close(self._pid_fds.pop(pid))
            for job in (*self._jobs.values(), *self._ending):
                if pid in job.pids:
                    self._read_report(job)  # what it wrote before it ended counts
                    job.statuses[job.pids.pop(pid)] = status
                    job.peak_bytes = max(job.peak_bytes, usage.ru_maxrss * 1024)

    def _judge_all(self) -> None:
        now = time.monotonic()
        for job in list(self._jobs.values()):
            if job.report() is not None and not job.finished:
                job.finished = now
            if not job.is_over(now):
                with _noting_trouble(job):
                    job.overrun = job.overrun_of(self._limits, now)
            if job.overrun or job.trouble or job.is_over(now):
                self._end(job, now)
        for job in list(self._ending):
            if job.is_gone(now):
                self._ending.remove(job)
                told = self._trouble_of(job)
                job.trouble = job.trouble or told
                with _noting_trouble(job):
                    job.check_end(self._limits)
                self._answer(job)

    def _end(self, job: Job, now: float) -> None:
        """Take the evidence as it stands, then kill whatever is left and wait for it to be gone."""
        self._jobs.pop(job.id, None)
        job.finished = job.finished or now
        job.evidence = dict(job.statuses)
        job.kill()
        self._close_report(job)
        self._ending.append(job)

    def _trouble_of(self, job: Job) -> str:
        """Return what kept the job's processes from becoming what they should be."""
        if job.trouble_fd < 0:
            return ""
        with open(job.trouble_fd, "rb") as pipe:
            return (pipe.read(1 << 12) or b"").decode(errors="replace")

    def _answer(self, job: Job) -> None:
        report = job.report() or {}
        modules = [name for name in report.pop("modules", []) if isinstance(name, str)]
        told = report.pop("token", None) == job.token
        channel.send_json(
            self._outgoing,
            {
                "id": job.id,
                "trouble": job.trouble,
                "overrun": job.overrun,
                "reason": job.reason,
                "report": report if told else {},
                "scribbled": bool(report) and not told and not job.graded,
                "word": job.token if told else "",
                "statuses": job.evidence,
                "seconds": job.finished - job.started,
                "peak_memory_bytes": job.peak_bytes,
            },
        )
        self._preload(self._preloader.learn, modules)

    def _preload(self, load: Callable[[list[str]], bool], names: list[str]) -> None:
        if load(names):
            if self._layer:
                sharing.adapt_torch()
            self._memory = confine.memory_now_bytes()
            self._modules = frozenset(sys.modules)


@contextmanager
def _noting_trouble(job: Job) -> Iterator[None]:
    """Note what the system refuses the zygote, for want of processes, descriptors or room: no program's doing."""
    try:
        yield
    except OSError as error:
        job.trouble = _named(error)


def _named(error: BaseException) -> str:
    """Say what failed as "number: words"; the number is the system's, or 0."""
    number = (
        error.errno if isinstance(error, OSError) else errno.ENOMEM if isinstance(error, MemoryError) else 0
    )
    return f"{number or 0}: {type(error).__name__}: {error}"


def _open_as(standard: int, path: Path, flags: int) -> None:
    fd = os.open(path, flags, 0o600)
    os.dup2(fd, standard)
    os.close(fd)


def _grade(payload: dict, job: Job, solution_fd: int, report_fd: int, loaded: Collection[str]) -> None:
    report = grader.grade(
        payload["code"], payload["tests"], solution_fd, split=job.split, deadline=job.deadline
    )
    modules = solution.new_modules(loaded) + report.pop("modules")
    # The report may quote expected values: it goes to the parent by file, past the memory that the next
    # programs are forked from.
    # Both carry the job's token: a report that lies there without it, or a grader that died, says nothing.
    Path("../report.json").write_text(json.dumps({**report, "token": job.token}))
    channel.send_json(report_fd, {"gone": report["kind"] == "gone", "modules": modules, "token": job.token})
