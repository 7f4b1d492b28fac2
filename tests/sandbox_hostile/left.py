"""What a program tries to leave behind, or to turn against whoever comes after: queues, locks, marks, handles, words."""

# ruff: noqa: E501 (programs stand as they are run)

from sandbox_hostile.form import Hostile

__all__ = ["LEFT"]

_NUMBER = 'x86 = os.uname().machine == "x86_64"\n'

LEFT = (
    Hostile(
        "message queues of POSIX",
        "which outlive their maker, and have a name for all",
        _NUMBER
        + """\
attempt("mq_open", lambda: system_call(240 if x86 else 180, b"hostile", 0o102, 0o666, None))
attempt("mq_unlink", lambda: system_call(241 if x86 else 181, b"hostile"))
""",
        "passed",
        stdout="denied mq_open",
        attempts=True,
    ),
    Hostile(
        "segments, semaphores and queues of System V",
        "by every key that is not its own, and by private ones",
        _NUMBER
        + """\
for key in (0, 1, 0x31337):
    attempt("shmget", lambda: system_call(29 if x86 else 194, key, 1 << 20, 0o1666))
    attempt("semget", lambda: system_call(64 if x86 else 190, key, 4, 0o1666))
    attempt("msgget", lambda: system_call(68 if x86 else 186, key, 0o1666))
""",
        "passed",
        stdout="denied msgget",
        attempts=True,
    ),
    Hostile(
        "marks on files",
        "extended attributes of files outside, with words for the next",
        """\
for path in ("@OUTSIDE@/secret.txt", "@PROJECT@/README.md", "/tmp", "/"):
    attempt(f"setxattr {path}", lambda: os.setxattr(path, "user.hostile", b"x" * 1000))
    attempt(f"removexattr {path}", lambda: os.removexattr(path, "user.hostile"))
""",
        "passed",
        stdout="denied setxattr",
        attempts=True,
    ),
    Hostile(
        "a file that may not be removed",
        "immutable and append-only, by ioctl",
        """\
import fcntl
file = open("kept", "w")
for flags in (0x10, 0x20):
    attempt(f"flags {flags}", lambda: fcntl.ioctl(file, 0x40086602, flags.to_bytes(8, "little")))
""",
        "passed",
        stdout="denied flags 16",
        attempts=True,
    ),
    Hostile(
        "folders that may not be entered",
        "with no rights, sticky bits and an identity that is handed on",
        """\
import os
for mode in (0, 0o1000, 0o2000, 0o7000):
    os.makedirs(f"m{mode}/a/b")
    open(f"m{mode}/a/file", "w").close()
    for path in (f"m{mode}/a/b", f"m{mode}/a/file", f"m{mode}/a", f"m{mode}"):
        try:
            os.chmod(path, mode)
        except OSError:
            pass
print("made")
""",
        "passed",
        stdout="made",
    ),
    Hostile(
        "pipes with names, and sockets",
        "of which whoever reads the folder would wait",
        """\
import socket
os.mkdir("deep")
attempt("mkfifo", lambda: os.mkfifo("fifo"))
attempt("mkfifo below", lambda: os.mkfifo("deep/fifo"))
attempt("mknod", lambda: os.mknod("node", 0o10666))
attempt("mknod of a socket", lambda: os.mknod("socket", 0o140666))
attempt("bind", lambda: socket.socket(socket.AF_UNIX).bind("socket"))
""",
        "passed",
        stdout="denied mkfifo",
        attempts=True,
    ),
    Hostile(
        "links that lead everywhere",
        "out of the folder, to itself and to devices, for whoever follows",
        """\
import os
for number, target in enumerate(("/", "..", ".", "@OUTSIDE@/secret.txt", "/dev/zero", "/proc/self/fd/0", "loop", "x" * 4000)):
    try:
        os.symlink(target, f"link{number}")
    except OSError:
        pass
os.symlink("loop", "loop")
print("made")
""",
        "passed",
        stdout="made",
    ),
    Hostile(
        "times from another age",
        "files of the far past and the far future",
        "import os\nfor number, moment in enumerate((0, -(2**31), 2**33, 2**62 // 10**9)):\n    open(f't{number}', 'w').close()\n    try:\n        os.utime(f't{number}', (moment, moment))\n    except (OSError, OverflowError):\n        pass\nprint('made')\n",
        "passed",
        stdout="made",
    ),
    Hostile(
        "locks and leases that are held",
        "on its own interpreter, its own output and its folder",
        """\
import fcntl, os, sys
for path in (sys.executable, os.__file__, ".", "/proc/self/exe"):
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        continue
    for call in (lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB), lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)):
        try:
            call()
        except OSError:
            pass
for standard in (1, 2):
    try:
        fcntl.lockf(standard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass
print("held", flush=True)
if os.fork() == 0:
    import time
    time.sleep(60)
""",
        "passed",
        stdout="held",
    ),
    Hostile(
        "its output turned",
        "made non-blocking, appended to, owned and signalled by others",
        """\
import fcntl, os
for standard in (0, 1, 2):
    for call in (
        lambda: fcntl.fcntl(standard, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND | os.O_ASYNC),
        lambda: fcntl.fcntl(standard, fcntl.F_SETOWN, @PARENT@),
        lambda: fcntl.fcntl(standard, 10, 9),
        lambda: os.ftruncate(standard, 0),
        lambda: os.lseek(standard, 1 << 40, 0),
    ):
        try:
            call()
        except OSError:
            pass
os.lseek(1, 0, 0)
os.write(1, b"turned")
""",
        "passed",
        stdout="turned",
    ),
    Hostile(
        "words of a verdict on its output",
        "reports, markers and codes for the terminal, before the interpreter ends early",
        """\
import os, sys
for text in ('{"kind": "passed", "message": "", "token": ""}', "PASSED", "OK", "\\x1b]0;passed\\x07", "\\0" * 8, "@@passed@@"):
    print(text, flush=True)
    print(text, file=sys.stderr, flush=True)
os._exit(3)
""",
        "failed",
        "ended the interpreter early",
    ),
    Hostile(
        "traces itself",
        "PTRACE_TRACEME, and its own child",
        _NUMBER
        + """\
attempt("traceme", lambda: system_call(101 if x86 else 117, 0, 0, 0, 0))
child = os.fork()
if child == 0:
    import time
    time.sleep(5)
    os._exit(0)
attempt("attach", lambda: system_call(101 if x86 else 117, 16, child, 0, 0))
attempt("seize", lambda: system_call(101 if x86 else 117, 0x4206, child, 0, 0))
os.kill(child, 9)
os.waitpid(child, 0)
""",
        "passed",
        stdout="denied attach",
        attempts=True,
    ),
    Hostile(
        "takes in the children of others",
        "a reaper of orphans, which never reaps",
        """\
import ctypes, os, time
libc = ctypes.CDLL(None)
libc.prctl(36, 1, 0, 0, 0)
for _ in range(10):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            time.sleep(0.05)
        os._exit(0)
time.sleep(0.3)
print("reaper")
""",
        "passed",
        stdout="reaper",
    ),
    Hostile(
        "another name",
        "its own name and words as those of a process of the sandbox's",
        """\
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.prctl(15, b"zygote", 0, 0, 0)
libc.prctl(4, 1, 0, 0, 0)
libc.prctl(1, 0, 0, 0, 0)
libc.prctl(29, 1000000000, 0, 0, 0)
try:
    open("/proc/self/comm", "w").write("supervisor")
except OSError:
    pass
print("named")
""",
        "passed",
        stdout="named",
    ),
    Hostile(
        "is killed last, or not at all",
        "the score by which the system chooses, and what it dumps",
        """\
for name, value in (("oom_score_adj", "-1000"), ("oom_score_adj", "-1"), ("oom_adj", "-17"), ("autogroup", "-20"), ("timens_offsets", "1 1 1"), ("uid_map", "0 0 1"), ("loginuid", "0")):
    attempt(name, lambda: open(f"/proc/self/{name}", "w").write(value))
for name in ("kernel/core_pattern", "kernel/randomize_va_space", "vm/drop_caches", "kernel/sysrq", "net/ipv4/ip_forward"):
    attempt(name, lambda: open(f"/proc/sys/{name}", "w").write("1"))
""",
        "passed",
        stdout="denied oom_score_adj",
        attempts=True,
    ),
    Hostile(
        "before all others",
        "real time, deadlines, niceness below zero, the first class of the disk",
        _NUMBER
        + """\
attempt("fifo", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)))
attempt("round robin", lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)))
attempt("deadline", lambda: system_call(314 if x86 else 274, 0, (ctypes.c_uint64 * 6)(48 | 6 << 32, 0, 0, 1000000, 2000000, 2000000), 0))
attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -10))
attempt("disk", lambda: system_call(251 if x86 else 30, 1, 0, 1 << 13))
""",
        "passed",
        stdout="denied nice",
        attempts=True,
    ),
    Hostile(
        "memory that stays",
        "locked, so that nothing of it is ever put away",
        """\
import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
held = 0
pieces = []
for _ in range(40):
    piece = mmap.mmap(-1, 16 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    piece.write(b"x" * (16 << 20))
    libc.mlock(ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(piece))), ctypes.c_size_t(16 << 20))
    pieces.append(piece)
print("ESCAPED")
""",
        "memory",
    ),
    Hostile(
        "a picture of itself",
        "a crash that would leave its memory on the disk",
        """\
import os, resource
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
try:
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    open("/proc/self/coredump_filter", "w").write("0xff")
except (OSError, ValueError):
    pass
rest = b"x" * (100 << 20)
os.abort()
""",
        "crashed",
        "SIGABRT",
    ),
    Hostile(
        "handles without end",
        "timers, events, polls and signals as descriptors, until there are no more",
        """\
import ctypes, os, select, signal
libc = ctypes.CDLL(None, use_errno=True)
made = []
def some():
    yield lambda: select.epoll().fileno()
    yield lambda: libc.eventfd(0, 0)
    yield lambda: libc.timerfd_create(1, 0)
    yield lambda: libc.inotify_init()
    yield lambda: os.pidfd_open(os.getpid())
    yield lambda: os.pipe()[0]
for _ in range(2000):
    for make in some():
        try:
            made.append(make())
        except OSError:
            pass
keep = [select.epoll.fromfd(fd) if False else fd for fd in made if fd >= 0]
print("ESCAPED" if len(set(keep)) > 1000 else "bounded", len(set(keep)))
""",
        ("passed", "failed", "crashed"),
    ),
    Hostile(
        "filters itself",
        "a filter of system calls of its own, that would stop its end from being told",
        """\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
class Filter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32)]
class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]
number = 1 if os.uname().machine == "x86_64" else 64
lines = (Filter * 4)(Filter(0x20, 0, 0, 0), Filter(0x15, 0, 1, number), Filter(0x06, 0, 0, 0x00050001), Filter(0x06, 0, 0, 0x7FFF0000))
print("filtered", flush=True)
libc.prctl(22, 2, ctypes.byref(Program(4, lines)), 0, 0)
""",
        ("failed", "passed", "forbidden", "crashed"),
        stdout="filtered",
    ),
    Hostile(
        "robust lists that lead nowhere",
        "what the kernel walks when a thread ends",
        """\
import ctypes, os, threading
libc = ctypes.CDLL(None, use_errno=True)
head = (ctypes.c_uint64 * 3)(0xDEADBEEF000, 0, 0)
head[0] = ctypes.addressof(head)
def wild():
    libc.syscall(273 if os.uname().machine == "x86_64" else 99, head, 24)
thread = threading.Thread(target=wild)
thread.start()
thread.join()
print("walked")
""",
        "passed",
        stdout="walked",
    ),
    Hostile(
        "a program in memory",
        "an executable without a file, by every way there is",
        """\
attempt("memfd", lambda: os.memfd_create("x"))
attempt("memfd_secret", lambda: system_call(447, 0))
attempt("execveat", lambda: os.execve(os.open("/tmp", os.O_TMPFILE | os.O_RDWR), ["x"], {}))
attempt("uselib", lambda: system_call(134, b"/bin/true") if os.uname().machine == "x86_64" else 1 / 0)
""",
        "passed",
        stdout="denied memfd ",
        attempts=True,
    ),
    Hostile(
        "a terminal of its own",
        "pseudo-terminals, and words pushed into those that are there",
        """\
import fcntl
attempt("openpty", lambda: os.openpty())
attempt("ptmx", lambda: os.open("/dev/ptmx", os.O_RDWR))
attempt("tty", lambda: os.open("/dev/tty", os.O_RDWR))
for standard in (0, 1, 2):
    attempt("push", lambda: fcntl.ioctl(standard, 0x5412, b"x"))
""",
        "passed",
        stdout="denied push",
        attempts=True,
    ),
    Hostile(
        "exchanges names",
        "renames that swap, cover and leave a mark, across the border of its folder",
        """\
open("mine", "w").close()
for flags in (0, 1, 2, 4):
    attempt(f"renameat2 {flags} out", lambda: system_call(316 if os.uname().machine == "x86_64" else 276, -100, b"mine", -100, b"@OUTSIDE@/hostile", flags))
    attempt(f"renameat2 {flags} in", lambda: system_call(316 if os.uname().machine == "x86_64" else 276, -100, b"@OUTSIDE@/secret.txt", -100, b"mine", flags))
attempt("link out", lambda: os.link("mine", "@OUTSIDE@/hostile"))
attempt("link in", lambda: os.link("@OUTSIDE@/secret.txt", "theirs"))
""",
        "passed",
        stdout="denied link in",
        attempts=True,
    ),
)
