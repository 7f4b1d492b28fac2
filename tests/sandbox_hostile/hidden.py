"""Floods where nobody looks: memory without pages, files without names, buffers of the kernel."""

# ruff: noqa: E501 (programs stand as they are run)

from sandbox_hostile.form import Hostile

__all__ = ["HIDDEN"]

_HELD = """
import time
time.sleep(2)
print("ESCAPED", held >> 20, "MiB")
"""

_FILL = """\
import ctypes, mmap, os
pieces = []
def fill(area):
    for place in range(0, len(area), 4096):
        area[place] = 1
"""

HIDDEN = (
    Hostile(
        "shared memory in one piece",
        "more than a piece may be, so that it is refused before it is filled",
        "import mmap\nmmap.mmap(-1, 600 << 20)\n",
        "memory",
        "Cannot allocate memory",
    ),
    Hostile(
        "shared memory out of sight",
        "touched, then dropped from the process's pages by MADV_DONTNEED",
        _FILL
        + """\
for _ in range(400):
    pieces.append(mmap.mmap(-1, 1 << 20))
    fill(pieces[-1])
    pieces[-1].madvise(mmap.MADV_DONTNEED)
held = 400 << 20
"""
        + _HELD,
        "memory",
    ),
    Hostile(
        "shared memory of the departed",
        "filled by children that end",
        _FILL
        + """\
pieces += [mmap.mmap(-1, 1 << 20) for _ in range(400)]
for start in range(0, 400, 50):
    if os.fork() == 0:
        for area in pieces[start : start + 50]:
            fill(area)
        os._exit(0)
    os.wait()
held = 400 << 20
"""
        + _HELD,
        "memory",
    ),
    Hostile(
        "shared memory by its last page",
        "all of a piece is unmapped but one page, which keeps the rest alive",
        _FILL
        + """\
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
for _ in range(400):
    place = libc.mmap(None, 1 << 20, 3, 0x21, -1, 0)
    ctypes.memset(place, 1, 1 << 20)
    libc.munmap(place + 4096, (1 << 20) - 4096)
held = 400 << 20
"""
        + _HELD,
        "memory",
    ),
    Hostile(
        "memory of children after a large import",
        "each child's own part is smaller than the libraries that it shares",
        """\
import numpy, os, time
reader, writer = os.pipe()
for _ in range(16):
    if os.fork() == 0:
        rest = b"x" * (30 << 20)
        os.write(writer, b"x")
        time.sleep(60)
        os._exit(0)
for _ in range(16):
    os.read(reader, 1)
held = 16 * 30 << 20
"""
        + _HELD,
        "memory",
    ),
    Hostile(
        "memory of other interpreters",
        "each smaller than the zygote",
        """\
import subprocess, sys
text = "rest = b'x' * (60 << 20)\\nprint(flush=True)\\nimport time\\ntime.sleep(60)"
others = [subprocess.Popen([sys.executable, "-S", "-c", text], stdout=subprocess.PIPE) for _ in range(8)]
for other in others:
    other.stdout.readline()
held = 8 * 60 << 20
"""
        + _HELD,
        "memory",
    ),
    Hostile(
        "memory in sockets of many",
        "each process fills the buffers of all the socket pairs that it may have",
        """\
import os, socket, time
reader, writer = os.pipe()
for _ in range(30):
    if os.fork() == 0:
        pairs = []
        try:
            while True:
                for end in socket.socketpair():
                    pairs.append(end)
                    end.setblocking(False)
                    try:
                        while True:
                            end.send(bytes(1 << 16))
                    except BlockingIOError:
                        pass
        except OSError:
            pass
        os.write(writer, b"x")
        time.sleep(60)
        os._exit(0)
for _ in range(30):
    os.read(reader, 1)
held = 30 * 200 * 200_000
"""
        + _HELD,
        "memory",
    ),
    Hostile(
        "larger buffers",
        "than are counted for a socket",
        'import socket\nleft, right = socket.socketpair()\nattempt("SO_SNDBUF", lambda: left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24))\n',
        "passed",
        stdout="denied SO_SNDBUF",
        attempts=True,
    ),
    Hostile(
        "memory lent to a pipe",
        "vmsplice keeps pages alive that are unmapped",
        'attempt("vmsplice", lambda: system_call(278 if os.uname().machine == "x86_64" else 75, os.pipe()[1], (ctypes.c_size_t * 2)(0, 0), 1, 0))\n',
        "passed",
        stdout="denied vmsplice",
        attempts=True,
    ),
    Hostile(
        "hides from the count",
        "a process that is not dumpable shows its maps and files to nobody",
        'attempt("PR_SET_DUMPABLE", lambda: system_call(157 if os.uname().machine == "x86_64" else 167, 4, 0, 0, 0, 0))\n',
        "passed",
        stdout="denied PR_SET_DUMPABLE",
        attempts=True,
    ),
    Hostile(
        "a folder for writing only",
        "its owner may not look into it, and so nobody without more rights may",
        """\
import os
os.mkdir("d", 0o300)
for number in range(6):
    with open(f"d/{number}", "wb") as file:
        file.write(bytes(50 << 20))
""",
        "output",
        "nobody may look into",
    ),
    Hostile(
        "a folder for listing only",
        "names without sizes",
        "import os\nos.mkdir('d', 0o600)\nimport time\ntime.sleep(0.6)\n",
        ("output", "passed"),
    ),
    Hostile(
        "files without names, held by children",
        "who do nothing else",
        """\
import os, time
reader, writer = os.pipe()
for number in range(6):
    if os.fork() == 0:
        file = open(f"rest {number}", "wb")
        os.unlink(f"rest {number}")
        file.write(bytes(50 << 20))
        file.flush()
        os.write(writer, b"x")
        time.sleep(60)
        os._exit(0)
for _ in range(6):
    os.read(reader, 1)
held = 6 * 50 << 20
"""
        + _HELD,
        "output",
    ),
    Hostile(
        "files of which a page is mapped",
        "removed and closed: no name, no descriptor",
        """\
import ctypes, os
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
for _ in range(6):
    with open("rest", "wb+") as file:
        file.write(bytes(50 << 20))
        file.flush()
        assert libc.mmap(None, 4096, 1, 1, file.fileno(), 0) != 2**64 - 1
    os.unlink("rest")
held = 6 * 50 << 20
"""
        + _HELD,
        "output",
        "still mapped",
    ),
    Hostile(
        "files on their way",
        "descriptors in messages, which no process has open",
        """\
import array, socket
left, right = socket.socketpair()
file = open("rest", "wb")
rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))]
attempt("sendmsg", lambda: left.sendmsg([b"x"], rights))
number = 307 if os.uname().machine == "x86_64" else 269
attempt("sendmmsg", lambda: system_call(number, left.fileno(), None, 0, 0))
""",
        "passed",
        stdout="denied sendmmsg",
        attempts=True,
    ),
    Hostile(
        "all at once in the end",
        "files that are written between two looks, by a program that then ends",
        "for number in range(4):\n    open(str(number), 'wb').write(bytes(20 << 20))\n",
        "output",
        "bytes of files",
    ),
    Hostile(
        "names without end",
        "hard links take no room of their own, but their names do",
        "import os\nopen('x', 'w').close()\nfor number in range(20_000):\n    os.link('x', str(number))\n",
        "output",
        "files and folders",
    ),
    Hostile(
        "links without end",
        "symbolic links, long enough to take a block each",
        "import os\nfor number in range(12_000):\n    os.symlink('x' * 200, str(number))\n",
        "output",
    ),
    Hostile(
        "folders without end",
        "side by side, with nothing in them",
        "import os\nfor number in range(12_000):\n    os.mkdir(str(number))\n",
        "output",
        "files and folders",
    ),
)
