"""Starts the processes of a program, watches them against their limits, and reports how they ended."""

from __future__ import annotations

import ctypes
import gc
import os
import secrets
import selectors
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from . import channel, graders, solution
from .cgroup import Group
from .forking import Forks, named
from .graders import Graders
from .job import MAX_REPORT_BYTES, Job

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
        script: What to execute for the zygote of the graders.
    """

    def __init__(self, settings: dict, incoming: int, outgoing: int, preloader: Any, script: str) -> None:
        self._settings, self._limits = settings, settings["limits"]
        self._incoming, self._outgoing, self._script = incoming, outgoing, script
        self._jobs: dict[int, Job] = {}
        self._ending: list[Job] = []
        self._pid_fds: dict[int, int] = {}
        self._served = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(incoming, selectors.EVENT_READ, None)
        self._forks = Forks(settings, preloader)
        self._graders: Graders | None = None
        self._told: list[tuple[str, list[str]]] = []
        self._preloader = preloader
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def serve(self) -> None:
        """Handle requests and children until the parent hangs up."""
        while True:
            for key, _ in self._selector.select(self._patience_s()):
                if key.fd == self._incoming:
                    if not self._accept():
                        if self._graders is not None:
                            self._graders.end()
                        return
                elif isinstance(key.data, Job):
                    self._read_report(key.data)
            self._reap()
            self._judge_all()

    def _patience_s(self) -> float | None:
        """Return how long nothing needs to be looked at unless something happens; orphans that die tell nobody."""
        if self._graders is not None and self._graders.has_news:
            return 0
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
        if request.get("split"):
            with suppress(OSError):  # it is tried again where the program starts, and told there
                self._start_graders()
        self._preload("load", request["imports"])
        if "id" in request:
            self._start(request)
        self._served += 1
        if self._served % _TIDY_EVERY == 0:
            gc.collect()
            gc.freeze()
        return True

    def _start(self, request: dict) -> None:
        now, folder = time.monotonic(), self._settings["control_group"]
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
            control_group=Group(Path(folder) / f"{os.getpid()}-{request['id']}") if folder else None,
        )
        with _noting_trouble(job):
            self._launch(job)
        self._jobs[job.id] = job

    def _launch(self, job: Job) -> None:
        with ExitStack() as ours_alone:  # the children's ends are closed here, whatever comes
            job.report_fd, report_fd = os.pipe()
            ours_alone.callback(os.close, report_fd)
            os.set_blocking(job.report_fd, False)
            self._selector.register(job.report_fd, selectors.EVENT_READ, job)
            job.report_closed = False
            job.trouble_fd, troubles = os.pipe()
            ours_alone.callback(os.close, troubles)
            os.set_blocking(job.trouble_fd, False)
            if job.control_group:
                job.control_group.make(
                    ("solution", "grader"),
                    memory_bytes=self._limits["memory_bytes"],
                    processes=self._limits["processes"],
                )
            if job.graded:
                self._launch_graded(job, report_fd, troubles, ours_alone)
            else:
                self._fork(
                    job,
                    "solution",
                    [report_fd],
                    troubles,
                    lambda payload: solution.run_plain(
                        payload["code"], report_fd, job.token, self._forks.modules
                    ),
                )

    def _launch_graded(self, job: Job, report_fd: int, troubles: int, ours_alone: ExitStack) -> None:
        (answers, to_grader), (requests, to_solution) = (_pipe(ours_alone) for _ in range(2))
        if job.split:
            self._start_graders()
        if self._graders is None or not job.split:
            if job.split:
                self._fork_solution(job, requests, to_grader, troubles)
            ends, modules = (answers, to_solution), self._forks.modules
            self._fork(
                job,
                "grader",
                [*ends, report_fd],
                troubles,
                lambda payload: graders.grade(payload, job, ends, report_fd, modules),
            )
            return
        self._graders.start(job, (answers, to_solution, report_fd, troubles))
        try:
            self._fork_solution(job, requests, to_grader, troubles)
        finally:  # it has taken the pipes by then
            self._add(job, self._graders.pid_of_started(), "grader")
            job.graders_pid = self._graders.pid

    def _fork_solution(self, job: Job, requests: int, answers: int, troubles: int) -> None:
        self._fork(
            job,
            "solution",
            [requests, answers],
            troubles,
            lambda _: solution.serve(requests, answers, self._forks.modules),
        )

    def _fork(
        self, job: Job, role: str, keep: list[int], troubles: int, work: Callable[[dict], None]
    ) -> None:
        pid, pid_fd = self._forks.fork(job, role, keep, troubles, work)
        self._add(job, pid, role)
        if pid_fd >= 0:
            self._pid_fds[pid] = pid_fd
            self._selector.register(pid_fd, selectors.EVENT_READ)

    def _add(self, job: Job, pid: int, role: str) -> None:
        job.pids[pid] = role
        job.groups.append(pid)

    def _start_graders(self) -> None:
        """Start the zygote of the graders, where it is not there yet and addresses are worth keeping apart."""
        if self._graders is None and self._settings["isolated"]:
            self._graders = Graders(self._settings, self._script, self._told)
            self._selector.register(self._graders.fd, selectors.EVENT_READ, self._graders)

    def _preload(self, how: str, names: list[str]) -> None:
        """Import modules here and, at the same time, in the zygote of the graders."""
        new = (self._preloader.unloaded if how == "load" else self._preloader.unlearned)(names)
        if new:
            if self._graders is not None:
                self._graders.tell(how, new)
            (self._forks.load if how == "load" else self._forks.learn)(new)
            self._told.append((how, [name for name in new if name in sys.modules]))
        if self._graders is not None:
            self._graders.wait_until_told()

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
        for ended in self._graders.ended_by_now() if self._graders is not None else ():
            self._note_end(*ended)
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
            if self._graders is not None and pid == self._graders.pid:
                self._graders.end_likewise(status)
            self._note_end(pid, status, usage.ru_maxrss * 1024)

    def _note_end(self, pid: int, status: int, peak_bytes: int) -> None:
        for job in (*self._jobs.values(), *self._ending):
            if pid in job.pids:
                self._read_report(job)  # what it wrote before it ended counts
                job.statuses[job.pids.pop(pid)] = status
                job.peak_bytes = max(job.peak_bytes, peak_bytes)

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
        if job.control_group:
            job.control_group.remove()
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
        self._preload("learn", modules)


def _pipe(held: ExitStack) -> tuple[int, int]:
    """Make a pipe that is closed here with what holds it."""
    ends = os.pipe()
    for end in ends:
        held.callback(os.close, end)
    return ends


@contextmanager
def _noting_trouble(job: Job) -> Iterator[None]:
    """Note what the system refuses the zygote, for want of processes, descriptors or room: no program's doing."""
    try:
        yield
    except OSError as error:
        job.trouble = named(error)
