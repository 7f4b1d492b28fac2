"""What processes of the sandbox give up before they touch a line of somebody else's code."""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import struct
from collections.abc import Sequence

from . import syscalls
from .landlock import Layer

__all__ = [
    "close_all_but",
    "confine_child",
    "confine_zygote",
    "limit_resources",
    "memory_now_bytes",
    "prepare_children",
]

_PR_SET_PDEATHSIG = 1
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_KILL, _CAP_SETUID, _CAP_SYS_PTRACE = 5, 7, 19
_OWN = ("cgroup", "cmdline", "fd", "limits", "maps", "stat", "statm", "status")
_FIRST_SPARE_UID = 0x70000000  # far above the ids that systems and containers give out


def close_all_but(keep: Sequence[int]) -> None:
    """Close every file descriptor except standard input, output, error and those in `keep`."""
    low = 3
    for fd in sorted(fd for fd in keep if fd >= low):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def memory_now_bytes() -> tuple[int, int, int]:
    """Return (address space, resident, data) of this process in bytes; zeros where it cannot be told."""
    if not os.path.exists("/proc/self/statm"):
        return 0, 0, 0
    with open("/proc/self/statm") as file:
        fields = [int(field) * resource.getpagesize() for field in file.read().split()]
    return fields[0], fields[1], fields[5]


def limit_resources(limits: dict, memory_before: tuple[int, int, int]) -> None:
    """Set the kernel's limits for this process and all that it starts.

    Args:
        limits: `memory_bytes` (beyond what the zygote has loaded), `cpu_s`, `file_bytes` (size of one file)
            and `open_files`.
        memory_before: What `memory_now_bytes` said in the zygote.
    """
    address_space, _, data = memory_before
    memory = limits["memory_bytes"]
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits["cpu_s"],
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_NOFILE: limits["open_files"],
    }
    if data:
        wanted[resource.RLIMIT_DATA] = data + memory
        # Thread stacks and library arenas reserve far more addresses than they use; the watch over resident
        # memory in the zygote is the tighter bound for what is shared.
        wanted[resource.RLIMIT_AS] = address_space + 4 * memory + (4 << 30)
    for kind, value in wanted.items():
        _lower(kind, value)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def confine_zygote(readable: Sequence[str], writable: Sequence[str], shared_piece_bytes: int) -> None:
    """Confine this process and all that it will fork: files, signals, tracing, sockets, privileges.

    Root keeps only what gives a child a user id of its own, what ends processes of that id, and what counts their
    memory and open files: a child that executes another program has no trace of root left, so that root without
    CAP_KILL may not signal it, nor without CAP_SYS_PTRACE look at it. (Landlock keeps it from all others.)
    """
    import sandlock

    _offer_to_the_out_of_memory_killer()
    sandlock.confine(sandlock.Sandbox(fs_readable=list(readable), fs_writable=list(writable)))
    syscalls.deny(syscalls.ZYGOTE)
    prepare_children(shared_piece_bytes)
    kept = 1 << _CAP_SETUID | 1 << _CAP_KILL | 1 << _CAP_SYS_PTRACE
    _keep_capabilities(kept if os.geteuid() == 0 else 0)


def prepare_children(shared_piece_bytes: int) -> None:
    """Do once, for all children, what `confine_child` would do in each."""
    syscalls.compiled(syscalls.CHILD, shared_piece_bytes)
    _own_entries()


def _offer_to_the_out_of_memory_killer() -> None:
    """Where the whole system is out of memory, programs go before what waits for them."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")
    except OSError:
        pass  # a courtesy, no promise


def confine_child(
    layer: Layer, scratch: str, *, processes: int, others: int, slot: int, shared_piece_bytes: int
) -> None:
    """Narrow a freshly forked child for good, on top of what its zygote gave up.

    Args:
        layer: What it may read, besides its own entry of /proc.
        scratch: The one folder it may write.
        processes: Processes and threads it may have at a time.
        others: Processes and threads that its user runs already (they count against the same limit where it
            cannot have a user id of its own).
        slot: A small number that no other child alive has.
        shared_piece_bytes: The largest piece of shared memory without a file that it may have.
    """
    syscalls.libc().prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
    layer.put_on(_own_entries(), [scratch, os.devnull])
    if os.geteuid() == 0:
        others = 0 if _count_apart(slot) else others
    _lower(resource.RLIMIT_NPROC, others + processes)
    _keep_capabilities(0)
    syscalls.deny(syscalls.CHILD, shared_piece_bytes)


@functools.cache
def _own_entries() -> list[str]:
    """List the entries of /proc that tell a process about itself, and not about the host's network and mounts."""
    return [path for name in _OWN if os.path.exists(path := f"/proc/self/{name}")]


def _count_apart(slot: int) -> bool:
    """Give this process a real user id of its own, so that the kernel counts its processes apart.

    The kernel never limits the processes of user 0. The effective id stays, so files open as before.
    """
    try:
        os.setresuid(_FIRST_SPARE_UID + (os.getppid() % (1 << 20)) * 64 + slot % 64, 0, 0)
    except OSError:  # root of a container, without such ids: it is not user 0 to the kernel, and is limited
        return False
    return True


def _keep_capabilities(kept: int) -> None:
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    data = struct.pack("=6I", kept, kept, 0, 0, 0, 0)
    if syscalls.libc().capset(header, data) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"capset: {os.strerror(code)}")
