"""The zygote of the graders: an interpreter of its own, so that no address in a grader is one in a solution.

Forks of one process have the same addresses. What an answer knows of its own process would be true of the one that
reads its result. So a program's grader is forked from another process than its solution, executed anew, whose
addresses the kernel has drawn apart. The zygote of the solutions starts it when a program is graded for the first
time, and tells it what to import; it reads no program, no test and no answer either.

No descriptor can be sent to it (see `syscalls`): it opens the pipes of a job by their place among those of the
zygote of the solutions, which only processes in that zygote's own Landlock domain can, and no program.
"""

from __future__ import annotations

import gc
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import channel, grader, solution
from .cgroup import Group
from .forking import Forks
from .job import Job

__all__ = ["Ended", "Graders", "grade", "serve"]

Ended = tuple[int, int, int]
"""A process that has ended: its id, its status as `os.wait4` gives it, the most memory it had in bytes."""

_TIDY_EVERY = 1_000
_MODES = (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY, os.O_WRONLY)


class Graders:
    """What the zygote of the solutions holds of the zygote of the graders.

    Where that one ends, this process ends likewise: without graders nothing is judged.

    Args:
        settings: As the parent gave them.
        script: What is executed, with the word `graders`.
        told: What has been imported here, in this order.
    """

    def __init__(self, settings: dict, script: str, told: Sequence[tuple[str, list[str]]]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-s", "-B", script, "graders"]
            self._process = subprocess.Popen(command, stdin=theirs.fileno())
        self.pid, self.fd = self._process.pid, self._socket.fileno()
        self._untold = 0
        self._ended: list[Ended] = []
        self._say(settings)
        for how, names in told:
            self.tell(how, names)

    def tell(self, how: str, names: list[str]) -> None:
        """Let it import modules, by "load" or "learn" as `Forks` does; this process need not wait for it."""
        self._say({"import": how, "names": names})
        self._untold += 1

    def wait_until_told(self) -> None:
        """Wait until it has imported what it was told."""
        while self._untold:
            self._note(self._hear())

    def start(self, job: Job, descriptors: Sequence[int]) -> None:
        """Start the grader of a job; `pid_of_started` tells when it has taken the descriptors.

        Args:
            job: The program.
            descriptors: Of this process: where the solution's words come from, where words to it go, where the report
                goes, and where trouble is told.
        """
        fields = {name: getattr(job, name) for name in ("id", "token", "started", "deadline", "slot")}
        group = str(job.control_group.folder) if job.control_group else ""
        self._say(
            {
                "job": {**fields, "folder": str(job.folder)},
                "control_group": group,
                "of": os.getpid(),
                "descriptors": list(descriptors),
            }
        )

    def pid_of_started(self) -> int:
        """Return the process id of the grader that was started last.

        Raises:
            OSError: The system refused to start it.
        """
        while True:
            answer = self._hear()
            if "trouble" in answer:
                raise OSError(answer["number"], answer["trouble"])
            if "pid" in answer:
                return int(answer["pid"])
            self._note(answer)

    def ended_by_now(self) -> list[Ended]:
        """Return the graders that have ended, each once."""
        while select.select([self.fd], [], [], 0)[0]:
            self._note(self._hear())
        ended, self._ended = self._ended, []
        return ended

    @property
    def has_news(self) -> bool:
        """Whether graders have ended that `ended_by_now` has not returned, though `fd` is not readable for them."""
        return bool(self._ended)

    def _note(self, answer: dict) -> None:
        if "ended" in answer:
            pid, status, peak_bytes = answer["ended"]
            self._ended.append((pid, status, peak_bytes))
        else:
            self._untold -= 1

    def end(self) -> None:
        """End it, and the graders that are left with it."""
        self._process.kill()
        self._process.wait()

    def end_likewise(self, status: int) -> None:
        """End this process as that one ended, which is what `os.wait4` says: killed, where it was killed."""
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(2, f"the zygote of the graders ended: {status}\n".encode())
        os._exit(1)

    def _say(self, message: dict) -> None:
        try:
            channel.send_json(self.fd, message)
        except channel.ChannelClosed:
            self.end_likewise(os.waitpid(self.pid, 0)[1])

    def _hear(self) -> dict:
        try:
            return channel.receive_json(self.fd)
        except channel.ChannelClosed:
            self.end_likewise(os.waitpid(self.pid, 0)[1])
            raise


def grade(payload: dict, job: Job, ends: tuple[int, int], report_fd: int, loaded: Collection[str]) -> None:
    """Be the grader of a job, and report.

    Args:
        payload: {code, tests}.
        job: The program.
        ends: Where the solution's words come from, and where words to it go.
        report_fd: Where the report goes.
        loaded: The modules that the zygote has imported.
    """
    report = grader.grade(payload["code"], payload["tests"], ends, split=job.split, deadline=job.deadline)
    modules = solution.new_modules(loaded) + report.pop("modules")
    # The report may quote expected values: it goes to the parent by file, past the memory that the next
    # programs are forked from.
    # Both carry the job's token: a report that lies there without it, or a grader that died, says nothing.
    Path("../report.json").write_text(json.dumps({**report, "token": job.token}))
    channel.send_json(report_fd, {"gone": report["kind"] == "gone", "modules": modules, "token": job.token})


class _Server:
    """The zygote of the graders.

    Args:
        control: The socket to the zygote of the solutions.
        forks: Forks this process.
    """

    def __init__(self, control: int, forks: Forks) -> None:
        self._control, self._forks = control, forks
        self._pid_fds: dict[int, int] = {}
        self._served = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def serve(self) -> None:
        """Handle requests and children until the other end hangs up, which is a `channel.ChannelClosed`."""
        while True:
            if any(key.fd == self._control for key, _ in self._selector.select()):
                channel.send_json(self._control, self._answer(channel.receive_json(self._control)))
            while self._pid_fds:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    break
                self._selector.unregister(self._pid_fds[pid])
                os.close(self._pid_fds.pop(pid))
                channel.send_json(self._control, {"ended": (pid, status, usage.ru_maxrss * 1024)})

    def _answer(self, request: dict) -> dict:
        if "import" in request:
            (self._forks.load if request["import"] == "load" else self._forks.learn)(request["names"])
            return {"told": True}
        self._served += 1
        if self._served % _TIDY_EVERY == 0:
            gc.collect()
            gc.freeze()
        try:
            return {"pid": self._start(request)}
        except OSError as error:
            return {"number": error.errno or 0, "trouble": str(error)}

    def _start(self, request: dict) -> int:
        fields, group = request["job"], request["control_group"]
        fields["folder"] = Path(fields["folder"])
        job = Job(**fields, control_group=Group(Path(group)) if group else None, graded=True, split=True)
        with ExitStack() as ours_alone:
            ends = []
            for number, mode in zip(request["descriptors"], _MODES):  # noqa: B905 (four and four)
                ends.append(os.open(f"/proc/{request['of']}/fd/{number}", mode))
                ours_alone.callback(os.close, ends[-1])
            *kept, troubles = ends
            answers, requests, report_fd = kept

            def work(payload: dict) -> None:
                grade(payload, job, (answers, requests), report_fd, self._forks.modules)

            pid, pid_fd = self._forks.fork(job, "grader", kept, troubles, work)
        self._pid_fds[pid] = pid_fd
        self._selector.register(pid_fd, selectors.EVENT_READ)
        return pid


def serve(control: int, settings: dict, preloader: Any) -> None:
    """Be the zygote of the graders until the other one hangs up, which is a `channel.ChannelClosed`."""
    _Server(control, Forks(settings, preloader)).serve()
