"""Attacks by word: what the host tells, what a program claims of the machine, what programs might tell each other."""

# ruff: noqa: E501 (programs stand as they are run)

from sandbox_hostile.form import Hostile

__all__ = ["TELLING"]

TELLING = (
    Hostile(
        "the host's network and mounts",
        "through its own entries of /proc, and those of its threads",
        """\
thread = f"/proc/self/task/{os.getpid()}"
for place in ("/proc/self", thread, "/proc/thread-self", "/proc"):
    for name in ("net/tcp", "net/unix", "net/route", "net/arp", "net/dev", "mounts", "mountinfo", "mountstats"):
        attempt(f"{place}/{name}", lambda: open(f"{place}/{name}", "rb").read(10))
    attempt(f"{place}/net", lambda: os.listdir(f"{place}/net"))
print(open("/proc/self/status").readline(), open("/proc/self/maps").readline()[:0])
""",
        "passed",
        stdout="denied /proc/self/net/tcp",
        attempts=True,
    ),
    Hostile(
        "the sandbox's own text",
        "how it judges, read from the files of the zygote",
        """\
import sys
folder = os.path.dirname(sys.modules["inside.channel"].__file__)
for name in ("grader.py", "job.py", "supervisor.py", "channel.py", "admitted.json"):
    attempt(name, lambda: open(os.path.join(folder, name)).read(10))
attempt("list", lambda: os.listdir(folder))
""",
        "passed",
        stdout="denied grader.py",
        attempts=True,
    ),
    Hostile(
        "every family of socket pairs",
        "the kernel's code for each of them, reached by a call that looks harmless",
        """\
import socket
number = 53 if os.uname().machine == "x86_64" else 199
for family in range(46):
    for kind in (1, 2, 3, 5):
        if (family, kind) != (socket.AF_UNIX, socket.SOCK_STREAM):
            ends = (ctypes.c_int * 2)()
            attempt(f"{family} {kind}", lambda: system_call(number, family, kind, 0, ends))
left, right = socket.socketpair()
print("unix", left.send(b"x"))
""",
        "passed",
        stdout="unix 1",
        attempts=True,
    ),
    Hostile(
        "every family refused by permission",
        "which tells that the filter did it, before the kernel's code was reached",
        """\
number = 53 if os.uname().machine == "x86_64" else 199
ends = (ctypes.c_int * 2)()
for family in (2, 10, 16, 30, 43):
    attempt(f"{family}", lambda: system_call(number, family, 1, 0, ends))
    print("refused", ctypes.get_errno())
""",
        "passed",
        stdout="refused 1\ndenied 43 PermissionError",
        attempts=True,
    ),
    Hostile(
        "claims that the disk is full",
        "so that its failure is taken for the machine's",
        "import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n",
        "failed",
        "No space left on device",
    ),
    Hostile(
        "cries that the disk is full",
        "on its standard error, and fails",
        "import sys\nprint('No space left on device, Disk quota exceeded', file=sys.stderr)\nraise SystemExit(3)\n",
        "failed",
        "exit code 3",
    ),
    Hostile(
        "claims to be out of memory",
        "by its last words",
        "raise OSError(12, 'Cannot allocate memory')\n",
        "memory",
    ),
    Hostile(
        "claims trouble on every channel",
        "in the form in which a child of the zygote tells that the machine is at fault",
        """\
import os
for fd in range(3, 64):
    try:
        os.write(fd, b"28: OSError: No space left on device")
    except OSError:
        pass
""",
        ("forbidden", "failed"),
    ),
    Hostile(
        "ends with the zygote's own code",
        "by which a child's failure to start was told",
        "import os\nos._exit(70)\n",
        "failed",
        "exit code 70",
    ),
    Hostile(
        "the last to be killed",
        "asks the system to spare it when memory runs out",
        """\
for name in ("oom_score_adj", "oom_adj"):
    attempt(name, lambda: open(f"/proc/self/{name}", "w").write("-17"))
    attempt(f"{name} of a thread", lambda: open(f"/proc/thread-self/{name}", "w").write("-17"))
""",
        "passed",
        stdout="denied oom_score_adj",
        attempts=True,
    ),
    Hostile(
        "semaphores for everybody",
        "the C library's own, in /dev/shm",
        """\
libc.sem_open.restype = ctypes.c_void_p
def sem_open():
    if not libc.sem_open(b"/hostile", os.O_CREAT, 0o600, 1):
        raise OSError(ctypes.get_errno(), "sem_open")
def shm_open():
    if libc.shm_open(b"/hostile", os.O_CREAT | os.O_RDWR, 0o600) < 0:
        raise OSError(ctypes.get_errno(), "shm_open")
attempt("sem_open", sem_open)
attempt("shm_open", shm_open)
""",
        "passed",
        stdout="denied shm_open",
        attempts=True,
    ),
    Hostile(
        "shared memory elsewhere",
        "names that lead out of its folder",
        """\
import _posixshmem
for name in ("/../hostile", "../../../tmp/hostile", "/@OUTSIDE@/hostile", "/", ""):
    attempt(f"name {name}", lambda: _posixshmem.shm_open(name, os.O_CREAT | os.O_RDWR, 0o600))
""",
        "passed",
        stdout="denied name /../hostile",
        attempts=True,
    ),
    Hostile(
        "shared memory left behind",
        "which nobody unlinks",
        "from multiprocessing import shared_memory\nshared_memory.SharedMemory('hostile', create=True, size=4096)\nprint('made')\n",
        "passed",
        stdout="made",
    ),
    Hostile(
        "semaphores without end",
        "each takes two descriptors",
        "import multiprocessing\nrest = []\nwhile True:\n    rest.append(multiprocessing.Lock())\n",
        "failed",
        "Too many open files",
    ),
    Hostile(
        "a pool without end",
        "of worker processes",
        "import multiprocessing\npool = multiprocessing.Pool(500)\n",
        ("failed", "timeout"),
    ),
    Hostile(
        "workers left behind",
        "a pool that nobody closes, with tasks that never end",
        "import multiprocessing, os, time\npool = multiprocessing.Pool(4)\npool.map_async(time.sleep, [31337] * 8)\ntime.sleep(0.5)\nprint('left', flush=True)\nos.kill(os.getpid(), 9)\n",
        "crashed",
        stdout="left",
    ),
    Hostile(
        "a server for managers",
        "multiprocessing's, which listens on a socket",
        "import multiprocessing\nmultiprocessing.Manager()\n",
        "failed",
    ),
    Hostile(
        "a server for forks",
        "multiprocessing's, which listens on a socket",
        "import multiprocessing\nmultiprocessing.get_context('forkserver').Process(target=print).start()\n",
        "failed",
        "PermissionError",
    ),
)
