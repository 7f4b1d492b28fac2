"""Isolation by the operating system: what it needs, what it lets a program see. Fails closed."""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import SandboxUnavailableError, SettingsError
from workbench.sandbox.inside import syscalls

__all__ = ["check", "readable_paths", "tasks_of_user", "without"]

# The parts of the system that an interpreter and its libraries read. /etc is not given as a whole.
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
)


@dataclass(frozen=True)
class _Missing:
    what: str
    fix: str


def _missing() -> _Missing | None:
    if sys.platform != "linux":
        return _Missing(
            f"{platform.system()}, which has no Landlock", "run on Linux 6.12 or newer, or in a Linux VM"
        )
    if not syscalls.supported():
        return _Missing(f"a {platform.machine()} processor", "run on x86-64 or 64-bit Arm")
    try:
        import sandlock
    except ImportError as error:
        return _Missing(f"no sandlock ({error})", "pip install sandlock")
    have, need = sandlock.landlock_abi_version(), sandlock.min_landlock_abi()
    if have < need:
        kernel = platform.release()
        return _Missing(
            f"Landlock ABI {have} (kernel {kernel})", f"a kernel with Landlock ABI {need}: Linux 6.12 on"
        )
    return None


def check(isolation: str) -> None:
    """Refuse where programs cannot be isolated as asked.

    Raises:
        SettingsError: for an unknown kind of isolation.
        SandboxUnavailableError: where this machine lacks what "sandlock" needs. Nothing falls back silently.
    """
    if isolation not in ("sandlock", "none"):
        raise SettingsError(f"isolation={isolation!r}", '"sandlock" or "none"', 'use isolation="sandlock"')
    if isolation == "none":
        warnings.warn(
            'isolation="none": programs run with all your rights, on your files and your network',
            stacklevel=3,
        )
        return
    missing = _missing()
    if missing is not None:
        raise SandboxUnavailableError(
            f"this machine has {missing.what}",
            "Landlock and seccomp, to keep programs away from your files and your network",
            f'{missing.fix}; or ask for isolation="none" by name, for programs that you trust',
        )


def readable_paths(extra: Sequence[str]) -> list[str]:
    """List what a sandboxed interpreter may read: the system's libraries and `extra`, where they exist."""
    return [path for path in dict.fromkeys([*_SYSTEM, *extra]) if Path(path).exists()]


def without(readable: Sequence[str], hidden: Path) -> tuple[list[str], list[str]]:
    """Take a folder out of what programs may read, where it lies within that.

    Landlock allows a folder with all that is below it, and takes nothing back. So a folder around the hidden one
    is given entry by entry, and itself may only be listed, which imports need. Links count as where they lead.

    Args:
        readable: Paths to read; those below the hidden folder stay.
        hidden: The folder to take out, resolved.

    Returns:
        The paths to read, and the folders to list.
    """
    read: list[str] = []
    listed: dict[str, None] = {}
    waiting = list(readable)
    while waiting:
        path = waiting.pop()
        real = Path(path).resolve()
        if not hidden.is_relative_to(real):
            read.append(path)
        elif real != hidden and str(real) not in listed:
            listed[str(real)] = None
            waiting += [entry.path for entry in os.scandir(real) if not entry.is_symlink()]
    return read, list(listed)


def tasks_of_user() -> int:
    """Count the processes and threads that this user runs now.

    The kernel's limit on processes is a user's, not a program's, so a program's share comes on top of these.
    Root is counted as 0: its programs get user ids of their own.
    """
    if os.geteuid() == 0 or not Path("/proc/self").is_dir():
        return 0
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError, ValueError):
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            total += int(fields["Threads"]) if int(fields["Uid"].split()[0]) == os.getuid() else 0
    return total
