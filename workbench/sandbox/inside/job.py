"""One program under way: its processes, what they may use, and how they ended."""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["MAX_REPORT_BYTES", "Job"]

MAX_FILES = 10_000
MAX_REPORT_BYTES = 1 << 20
_LOOK_EVERY_S = 0.25
_PAGE_BYTES = resource.getpagesize()


def _resident_bytes(pid: int) -> int:
    """Return the resident memory of a process in bytes, 0 where it is gone or cannot be told."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _children(pid: int) -> list[int]:
    """List the children of all threads of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_bytes().split()]
        except OSError:
            pass
    return found


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
    report_fd: int
    base_bytes: int
    slot: int = 0
    has_stdin: bool = False
    pids: dict[int, str] = field(default_factory=dict)
    groups: list[int] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    evidence: dict[str, int] = field(default_factory=dict)
    raw_report: bytearray = field(default_factory=bytearray)
    report_closed: bool = False
    overrun: str = ""
    finished: float = 0.0
    peak_bytes: int = 0
    next_look: float = field(init=False)

    def __post_init__(self) -> None:
        self.next_look = self.started + _LOOK_EVERY_S  # a look costs the zygote 3 ms: most are over by then

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
        self.next_look = now + _LOOK_EVERY_S
        if self._resident_growth() > limits["memory_bytes"]:
            return "memory"
        return self._disk_overrun(limits["disk_bytes"])

    def output_bytes(self) -> int:
        """Return how much the program has written to its standard output and error."""
        total = 0
        for name in ("stdout", "stderr"):
            try:
                total += (self.folder / name).stat().st_size
            except OSError:
                pass
        return total

    def _resident_growth(self) -> int:
        """Add up what the processes of the job hold beyond the zygote's own pages."""
        total, seen = 0, set()
        waiting = [*self.pids, *filter(self._owns, _children(os.getpid()))]  # orphans come to the zygote
        while waiting:
            pid = waiting.pop()
            if pid not in seen:
                seen.add(pid)
                total += max(0, _resident_bytes(pid) - self.base_bytes)
                waiting += _children(pid)
        return total

    def _owns(self, pid: int) -> bool:
        try:
            return os.getpgid(pid) in self.groups
        except ProcessLookupError:
            return False

    def _disk_overrun(self, limit_bytes: int) -> str:
        total = count = 0
        try:
            # By descriptors: names may be longer than a path can be.
            for _, _, names, folder in os.fwalk(self.folder / "solution"):
                count += 1 + len(names)
                if count > MAX_FILES:
                    return "output"
                for name in names:
                    try:
                        total += os.stat(name, dir_fd=folder, follow_symlinks=False).st_blocks * 512
                    except OSError:
                        pass
        except (RecursionError, OSError):  # too deep to follow
            return "output"
        return "output" if total > limit_bytes else ""

    def kill(self) -> None:
        """Kill everything the program started: its groups are closed to leaving."""
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
