"""One program under way: its processes, what they may use, and how they ended."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from . import disk
from .cgroup import Group
from .memory import Forked, held_bytes
from .processes import children, family, held_by

__all__ = ["MAX_REPORT_BYTES", "Job"]

MAX_REPORT_BYTES = 1 << 20
_LOOK_EVERY_S, _LOOK_OFTEN_S = 0.25, 0.05
_LOOKING_SHARE = (
    0.5  # of the time, at most: a look at twenty processes with PyTorch takes a quarter of a second
)
_UNKILLABLE_S = 5.0


@dataclass
class Job:
    """The processes of one program, and the evidence about them."""

    id: int
    folder: Path
    graded: bool
    split: bool
    token: str
    started: float
    deadline: float
    slot: int = 0
    has_stdin: bool = False
    control_group: Group | None = None
    """Where the kernel keeps its memory and processes; None where they are added up here."""
    graders_pid: int = 0
    """The zygote that its grader is a fork of; 0 where that is this process, or there is no grader."""
    pids: dict[int, str] = field(default_factory=dict)
    groups: list[int] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    evidence: dict[str, int] = field(default_factory=dict)
    raw_report: bytearray = field(default_factory=bytearray)
    report_closed: bool = True
    report_fd: int = -1
    trouble_fd: int = -1
    overrun: str = ""
    reason: str = ""
    trouble: str = ""
    closed: set[int] = field(default_factory=set)
    finished: float = 0.0
    peak_bytes: int = 0
    next_look: float = field(init=False)

    def __post_init__(self) -> None:
        self.next_look = (
            self.started + _LOOK_EVERY_S
        )  # a look costs the zygote milliseconds: most are over by then

    @property
    def leader(self) -> str:
        """The process whose word ends the job."""
        return "grader" if self.graded else "solution"

    def report(self) -> dict | None:
        """Return the report sent so far, where it is whole; an unreadable one as {"unreadable": True}."""
        header = struct.calcsize("<Q")
        if len(self.raw_report) < header:
            return None
        (size,) = struct.unpack_from("<Q", self.raw_report)
        if size > MAX_REPORT_BYTES:
            return {"unreadable": True}
        if len(self.raw_report) < header + size:
            return None
        try:
            report = json.loads(self.raw_report[header : header + size])
        except (ValueError, RecursionError):
            return {"unreadable": True}
        if not isinstance(report, dict) or not isinstance(report.get("modules"), list):
            return {"unreadable": True}
        return report

    def is_over(self, now: float) -> bool:
        """Whether the job can be judged: its leader has spoken or ended (its end seen by then)."""
        report = self.report()
        if report is None:
            return self.leader in self.statuses
        if report.get("gone") and "solution" in self.pids.values():
            # The grader saw the solution process hang up: wait a moment for the exit status that says why.
            return self.finished != 0.0 and now > self.finished + 0.2
        return True

    def overrun_of(self, limits: dict, now: float) -> str:
        """Name the limit that the job is beyond, or return an empty string."""
        if now > self.deadline:
            return "timeout"
        if self.output_bytes() > limits["output_bytes"]:
            return "output"
        if now < self.next_look:
            return ""
        began = time.thread_time()
        overrun, busy = self._look(limits)
        spent = time.thread_time() - began  # not what others took of the processor meanwhile
        self.next_look = now + max(_LOOK_OFTEN_S if busy else _LOOK_EVERY_S, spent / _LOOKING_SHARE)
        return overrun

    def _look(self, limits: dict) -> tuple[str, bool]:
        """Count memory and files; return the limit that is passed, and whether the next look should be soon."""
        of_graders = self.graders_pid
        graders = [pid for pid, role in self.pids.items() if of_graders and role == "grader"]
        orphans = filter(self._owns, children(os.getpid()))  # they come to the zygote
        roots = {*self.pids, *orphans} - {*graders}
        with self._standing_still(graders, alone=len(family(roots)) == 1):
            return self._count(limits, roots, graders)

    @contextmanager
    def _standing_still(self, graders: list[int], *, alone: bool) -> Iterator[None]:
        """Stop the program's processes while they are counted: on a busy machine many could outrun the count.

        One alone is held by the kernel's limit. In a control group all are.
        """
        groups = (
            [] if alone or self.control_group else [group for group in self.groups if group not in graders]
        )
        for group in groups:
            _signal(group, signal.SIGSTOP)
        try:
            yield
        finally:
            for group in groups:
                _signal(group, signal.SIGCONT)

    def _count(self, limits: dict, roots: set[int], graders: list[int]) -> tuple[str, bool]:
        of_graders = self.graders_pid
        mine = family(roots)
        # What a grader does that has no answer's code in it is the tests' doing: only its memory counts.
        held = held_by(mine, self.folder / "solution")
        limit = limits["memory_bytes"]
        processes = [Forked(os.getpid(), mine, lambda: _family_of(os.getpid(), {*roots, of_graders}))]
        if graders:
            processes.append(Forked(of_graders, family(graders), lambda: _family_of(of_graders, {*graders})))
        memory = 0 if self.control_group else held_bytes(processes, held, limit)
        if memory > limit:
            return "memory", True
        held.closed, self.closed = held.closed & self.closed, held.closed  # at two looks: no passing state
        self.reason = disk.fault_of(self.folder / "solution", limits["disk_bytes"], held)
        return "output" if self.reason else "", bool(self.closed) or memory > limit // 4

    def output_bytes(self) -> int:
        """Return how much the program has written to its standard output and error."""
        total = 0
        for name in ("stdout", "stderr"):
            try:
                total += (self.folder / name).stat().st_size
            except OSError:
                pass
        return total

    def _owns(self, pid: int) -> bool:
        try:
            return os.getpgid(pid) in self.groups
        except ProcessLookupError:
            return False

    def check_end(self, limits: dict) -> None:
        """Look once more at what is on the disk, now that nothing moves: it can all be written between two looks."""
        if self.overrun or self.trouble:
            return
        if self.control_group and self.control_group.ran_out:
            self.overrun = "memory"
            return
        scratch = self.folder / "solution"
        if os.listdir(scratch):  # of few programs
            self.reason = disk.fault_of(scratch, limits["disk_bytes"])
        if self.reason or self.output_bytes() > limits["output_bytes"]:
            self.overrun = "output"

    def kill(self) -> bool:
        """Kill everything the program started, its groups being closed to leaving; tell whether any is left."""
        left = False
        if self.control_group:
            self.control_group.kill()
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
                left = True
            except ProcessLookupError:
                pass
            except PermissionError:
                left = True
        return left

    def is_gone(self, now: float) -> bool:
        """Whether no process of it is left; those are killed that are, until they have had time to die."""
        return not self.pids and (not self.kill() or now > self.finished + _UNKILLABLE_S)


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _family_of(pid: int, without: set[int]) -> list[int]:
    """List the processes that descend from one, without some of its children and all that descend from these."""
    return family(child for child in children(pid) if child not in without)
