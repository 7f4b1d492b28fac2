"""System calls that a sandboxed process gives up: a seccomp filter, installed by the process itself.

Landlock (through sandlock) guards files, signals and tracing; this filter takes away every kind of socket, the
calls that reach into other processes or reconfigure the system, and those by which a program could leave the
process group or the user id by which it is limited and killed. sandlock's supervised sandbox would do most of
this, but it answers each `open`, `stat` and `lseek` in another process: measured, that doubled the time of
Matplotlib and PyTorch programs and made calls fail that a signal interrupts.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import platform
import struct
from collections.abc import Iterable

__all__ = ["CHILD", "ZYGOTE", "compiled", "deny", "libc", "supported"]

_NUMBERS = {  # name: (x86-64, 64-bit Arm); None where the architecture has no such call
    # sockets of any family; `socketpair` is looked at more closely below
    **{"socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201)},
    **{"accept": (43, 202), "accept4": (288, 242)},
    # descriptors on their way in a message, where nobody counts what they keep alive
    **{"sendmsg": (46, 211), "sendmmsg": (307, 269)},
    # other processes' memory and descriptors
    **{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271)},
    **{
        "process_madvise": (440, 440),
        "process_mrelease": (448, 448),
        "kcmp": (312, 272),
        "pidfd_getfd": (438, 438),
    },
    # roads around the checks of other calls, and the kernel's own machinery
    **{"io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427)},
    **{"bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282)},
    **{"keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218)},
    # mounts, roots and namespaces
    **{"mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51)},
    **{"fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433)},
    **{"move_mount": (429, 429), "open_tree": (428, 428), "mount_setattr": (442, 442)},
    **{"unshare": (272, 97), "setns": (308, 268)},
    **{"open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262)},
    # the system as a whole
    **{"kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "acct": (163, 89)},
    **{
        "init_module": (175, 105),
        "finit_module": (313, 273),
        "delete_module": (176, 106),
        "syslog": (103, 116),
    },
    **{"swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "quotactl_fd": (443, 443)},
    **{
        "settimeofday": (164, 170),
        "clock_settime": (227, 112),
        "clock_adjtime": (305, 266),
        "adjtimex": (159, 171),
    },
    **{
        "sethostname": (170, 161),
        "setdomainname": (171, 162),
        "vhangup": (153, 58),
        "personality": (135, 92),
    },
    **{"iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "lookup_dcookie": (212, 18)},
    **{"mknod": (133, None), "mknodat": (259, 33)},
    # modes, owners, times and attributes of files, which Landlock does not guard, and names of files others open
    **{"chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452)},
    **{"chown": (92, None), "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54)},
    **{"utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88)},
    **{"setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7)},
    **{"removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16)},
    **{"inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27)},
    # the priorities of other processes
    **{"setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setaffinity": (203, 122)},
    **{"sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274)},
    # memory that no limit counts, and objects that outlive the program
    **{"memfd_create": (319, 279), "memfd_secret": (447, 447), "vmsplice": (278, 75)},
    **{
        "shmget": (29, 194),
        "shmat": (30, 196),
        "shmctl": (31, 195),
        "mq_open": (240, 180),
        "mq_unlink": (241, 181),
    },
    **{"msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188)},
    **{"semget": (64, 190), "semop": (65, 193), "semctl": (66, 191)},
    # the process group and the user id by which a program is killed and counted
    **{"setpgid": (109, 154), "setsid": (112, 157)},
    **{"setuid": (105, 146), "setreuid": (113, 145), "setresuid": (117, 147), "setfsuid": (122, 151)},
    **{"setgid": (106, 144), "setregid": (114, 143), "setresgid": (119, 149), "setfsgid": (123, 152)},
    "setgroups": (116, 159),
}
_FOR_THE_FORK = frozenset(["setpgid", "setsid", "setuid", "setreuid", "setresuid", "setfsuid"])
ZYGOTE = frozenset(_NUMBERS) - _FOR_THE_FORK
"""What a zygote gives up as soon as it starts."""
CHILD = _FOR_THE_FORK
"""What a child gives up on top, once it is in its own process group."""

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH_*
_SPECIAL = {
    **{"socketpair": (53, 199), "clone": (56, 220), "clone3": (435, 435), "prlimit64": (302, 261)},
    **{"mmap": (9, 222), "prctl": (157, 167), "setsockopt": (54, 208)},
    "fallocate": (285, 47),  # takes room on the disk at once, beyond what the limit on file sizes counts
}
_NAMESPACE_FLAGS = 0x7E020080
_X32_BIT = 0x40000000  # x86-64's second table of the same calls; no other call has so high a number
_AF_UNIX, _SOCK_STREAM = 1, 1
_SHARED_WITHOUT_FILE = 0x21  # MAP_ANONYMOUS, and the bit that MAP_SHARED and MAP_SHARED_VALIDATE have
_PR_SET_DUMPABLE = 4
_SOL_SOCKET, _SO_SNDBUF = 1, 7

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_JUMP_EQUAL, _JUMP_NOT_LESS, _JUMP_MORE, _JUMP_ANY_BIT = 0x15, 0x35, 0x25, 0x45
_NUMBER, _ARCHITECTURE = (
    0,
    4,
)  # offsets in struct seccomp_data; each argument's lower half, then its upper one
_FIRST_ARGUMENT, _SECOND_ARGUMENT, _THIRD_ARGUMENT, _FOURTH_ARGUMENT, _UPPER = 16, 24, 32, 40, 4
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_STEP = struct.Struct("=HBBI")


@functools.cache  # loaded by the zygote, once for all its children
def libc() -> ctypes.CDLL:
    """Return the C library of this process, with its `errno`."""
    return ctypes.CDLL(None, use_errno=True)


def supported() -> bool:
    """Whether the filter knows this machine's processor."""
    return platform.machine() in _ARCHITECTURES


def deny(names: Iterable[str], shared_piece_bytes: int | None = None) -> None:
    """Give up system calls for good: they fail with EPERM from here on, in all descendants too.

    Also denies creating namespaces by `clone`, changing the limits of other processes, hiding from /proc, larger
    buffers of sockets, and sockets by `socketpair` other than connected local streams, which can reach nobody else.

    Args:
        names: Of the calls.
        shared_piece_bytes: The largest piece of shared memory without a file that may be had at a time; a larger
            one fails as if there were no memory. With a bound, the filter is one to come on top of one without:
            it is short, because each child pays for its own, and denies nothing but the calls and such pieces.

    Raises:
        OSError: where the kernel refuses the filter; the caller must not go on.
    """
    _install(compiled(frozenset(names), shared_piece_bytes))


@functools.cache
def compiled(names: frozenset[str], shared_piece_bytes: int | None = None) -> bytes:
    """Return the filter that denies these calls, as the kernel takes it."""
    column, audit = _ARCHITECTURES[platform.machine()]
    numbers = sorted(number for name in names if (number := _NUMBERS[name][column]) is not None)
    special = {name: pair[column] for name, pair in _SPECIAL.items()}
    return _packed(_program(numbers, audit, special, shared_piece_bytes))


def _program(numbers: list[int], audit: int, special: dict[str, int], piece: int | None) -> list[tuple]:
    """Write the filter as (code, jump if true, jump if false, operand); jumps by label are resolved later."""
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 0, "deny", audit),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_NOT_LESS, "deny", 0, _X32_BIT),
        *((_JUMP_EQUAL, "deny", 0, number) for number in numbers),
        *(_looking_closer(special) if piece is None else _small_pieces(special["mmap"], piece)),
        (_JUMP_EQUAL, "allow", "allow", 0),
        ("allow", _RETURN, 0, 0, _ALLOW),
        ("deny", _RETURN, 0, 0, _ERRNO | errno.EPERM),
        ("no such call", _RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        ("not supported", _RETURN, 0, 0, _ERRNO | errno.EOPNOTSUPP),
        ("no memory", _RETURN, 0, 0, _ERRNO | errno.ENOMEM),
    ]


def _looking_closer(special: dict[str, int]) -> list[tuple]:
    """Judge those calls by their arguments that are harmless with some."""
    return [
        (_JUMP_EQUAL, "not supported", 0, special["fallocate"]),  # the C library writes instead
        # its flags are in memory: the C library uses clone
        (_JUMP_EQUAL, "no such call", 0, special["clone3"]),
        (_JUMP_EQUAL, 0, 2, special["clone"]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_ANY_BIT, "deny", "allow", _NAMESPACE_FLAGS),
        (_JUMP_EQUAL, 0, 2, special["prlimit64"]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_EQUAL, "allow", "deny", 0),  # its own limits, not another process's
        (_JUMP_EQUAL, 0, 2, special["prctl"]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_EQUAL, "deny", "allow", _PR_SET_DUMPABLE),
        (_JUMP_EQUAL, 0, 4, special["setsockopt"]),  # a larger buffer than is counted
        (_LOAD, 0, 0, _SECOND_ARGUMENT),
        (_JUMP_EQUAL, 0, "allow", _SOL_SOCKET),
        (_LOAD, 0, 0, _THIRD_ARGUMENT),
        (_JUMP_EQUAL, "deny", "allow", _SO_SNDBUF),
        (_JUMP_EQUAL, 0, "allow", special["socketpair"]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_EQUAL, 0, "deny", _AF_UNIX),
        (_LOAD, 0, 0, _SECOND_ARGUMENT),
        (_AND, 0, 0, 0xF),
        (_JUMP_EQUAL, "allow", "deny", _SOCK_STREAM),
    ]


def _small_pieces(mmap: int, piece: int) -> list[tuple]:
    """Refuse maps that are shared, without a file, and larger than a piece."""
    return [
        (_JUMP_EQUAL, 0, 7, mmap),
        (_LOAD, 0, 0, _FOURTH_ARGUMENT),
        (_AND, 0, 0, _SHARED_WITHOUT_FILE),
        (_JUMP_EQUAL, 0, "allow", _SHARED_WITHOUT_FILE),
        (_LOAD, 0, 0, _SECOND_ARGUMENT + _UPPER),
        (_JUMP_EQUAL, 0, "no memory", 0),
        (_LOAD, 0, 0, _SECOND_ARGUMENT),
        (_JUMP_MORE, "no memory", "allow", min(piece, 0xFFFFFFFF)),
    ]


def _packed(program: list[tuple]) -> bytes:
    places = {step[0]: index for index, step in enumerate(program) if isinstance(step[0], str)}
    packed = b""
    for index, step in enumerate(program):
        code, *jumps, operand = step[1:] if isinstance(step[0], str) else step
        distances = [places[jump] - index - 1 if isinstance(jump, str) else jump for jump in jumps]
        packed += _STEP.pack(code, *distances, operand)
    return packed


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def _install(packed: bytes) -> None:
    described = _Filter(len(packed) // _STEP.size, packed)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(described), 0, 0),
    ):
        if libc().prctl(*arguments) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"prctl({arguments[0]}): {os.strerror(code)}")
