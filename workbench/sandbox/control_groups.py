"""Control groups for programs, where this machine delegates any: memory and processes are exact by the kernel then.

Nothing is changed that was there: a group is made below the nearest one above this process that already hands memory
and processes on to its children, and that this user may write. Elsewhere what programs hold is added up.

Source: Linux, Documentation/admin-guide/cgroup-v2.rst (delegation, the memory and pids controllers).
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ControlGroup", "find", "make", "remove"]

_NEEDED = frozenset({"memory", "pids"})
_PREFIX = "workbench-sandbox"


@dataclass(frozen=True)
class ControlGroup:
    """Where groups can be made, or why there is no such place."""

    parent: Path | None
    """A group that hands memory and processes on to its children; None where there is none."""
    why: str = ""
    """What is missing, in a line."""


def _can_join(group: Path) -> bool:
    """Whether a process of this user may enter a group: one is started, and tries."""
    script = 'echo 0 > "$0"/cgroup.procs'
    return subprocess.run(["sh", "-c", script, str(group)], check=False, capture_output=True).returncode == 0


def find(
    own: Path = Path("/proc/self/cgroup"),
    mounts: Path = Path("/proc/self/mountinfo"),
    *,
    can_join: Callable[[Path], bool] = _can_join,
) -> ControlGroup:
    """Look for a place for the groups of programs.

    Args:
        own: Tells the groups of this process.
        mounts: Tells where the file systems of groups are.
        can_join: Whether a process of this user may enter a group.
    """
    mount, group = _mount_of(mounts), _group_of(own)
    if mount is None or group is None:
        return ControlGroup(None, "no cgroup v2 is mounted")
    folder = mount / group
    why = f"cgroup v2 hands no memory and processes on at {folder} or above"
    while folder.is_relative_to(mount):
        if _words(folder / "cgroup.subtree_control") >= _NEEDED:
            return _tried(folder, can_join)
        if folder == mount:
            break
        folder = folder.parent
    return ControlGroup(None, why)


def _tried(parent: Path, can_join: Callable[[Path], bool]) -> ControlGroup:
    try:
        group = make(parent)
    except OSError as error:
        return ControlGroup(None, f"cgroup v2 may not be written at {parent} ({error.strerror})")
    try:
        if not can_join(group):
            return ControlGroup(None, f"no process may enter a control group below {parent}")
    finally:
        remove(group)
    return ControlGroup(parent)


def make(parent: Path) -> Path:
    """Make the group of one pool, and clear away those of pools whose process was killed.

    Raises:
        OSError: The system refuses it.
    """
    for stale in parent.glob(f"{_PREFIX}-*-*"):
        match = re.fullmatch(rf"{_PREFIX}-(\d+)-\w+", stale.name)
        if match and not Path(f"/proc/{match[1]}").exists():
            remove(stale)
    group = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-", dir=parent))
    try:
        (group / "cgroup.subtree_control").write_text("+memory +pids")
    except OSError:
        remove(group)
        raise
    return group


def remove(group: Path) -> None:
    """Remove a group with all below it. Its files are the kernel's, and go with it."""
    for folder, _, _ in os.walk(group, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()


def _words(file: Path) -> frozenset[str]:
    try:
        return frozenset(file.read_text().split())
    except OSError:
        return frozenset()


def _group_of(own: Path) -> str | None:
    """Return the path of this process's group in the hierarchy of version 2, relative to its mount."""
    with suppress(OSError):
        for line in own.read_text().splitlines():
            if line.startswith("0::/") and ".." not in line.split(
                "/"
            ):  # else it lies outside what is mounted
                return line.removeprefix("0::/").removesuffix(" (deleted)")
    return None


def _mount_of(mounts: Path) -> Path | None:
    with suppress(OSError):
        for line in mounts.read_text().splitlines():
            place, _, kind = line.partition(" - ")
            if kind.startswith("cgroup2 "):
                return Path(place.split()[4])
    return None
