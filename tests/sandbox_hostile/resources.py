"""Floods: of memory, of output, of files and descriptors."""

# ruff: noqa: E501 (programs stand as they are run)

from sandbox_hostile.form import Hostile

__all__ = ["RESOURCES"]

_HELD = """
import time
time.sleep(0.7)
print("ESCAPED", "held", held >> 20, "MiB")
"""

_CHILDREN = """\
import os, threading, time
reader, writer = os.pipe()
def spawn():
    for _ in range(6):
        if os.fork() == 0:
            rest = b"x" * (60 << 20)
            os.write(writer, b"x")
            time.sleep(3)
            os._exit(0)
"""

_ALL_HELD = (
    """\
for _ in range(6):
    os.read(reader, 1)
held = 6 * 60 << 20
"""
    + _HELD
)

RESOURCES = (
    Hostile("memory", "one large array of bytes", "bytearray(1 << 30)\n", "memory"),
    Hostile(
        "memory, bit by bit",
        "a list that grows for ever",
        "rest = []\nwhile True:\n    rest.append(bytes(1 << 20))\n",
        "memory",
    ),
    Hostile("memory in numpy", "ones of 2 GiB", "import numpy as np\nnp.ones(1 << 28)\n", "memory"),
    Hostile(
        "memory that is shared",
        "an anonymous shared map, which the limit on data does not see",
        """\
import mmap
held = 600 << 20
area = mmap.mmap(-1, held)
for place in range(0, held, 4096):
    area[place] = 1
"""
        + _HELD,
        "memory",
    ),
    Hostile(
        "memory of many children",
        "each a bit",
        _CHILDREN + "spawn()\n" + _ALL_HELD,
        "memory",
    ),
    Hostile(
        "memory of a thread's children",
        "/proc lists a process's children thread by thread",
        _CHILDREN + "threading.Thread(target=lambda: (spawn(), time.sleep(3))).start()\n" + _ALL_HELD,
        "memory",
    ),
    Hostile(
        "memory of orphans' children",
        "orphans are counted, their children are not",
        _CHILDREN
        + "if os.fork() == 0:\n    if os.fork() == 0:\n        spawn()\n        time.sleep(3)\n    os._exit(0)\n"
        + _ALL_HELD,
        "memory",
    ),
    Hostile(
        "memory file", "memfd_create", "import os\nos.memfd_create('rest')\n", "failed", "PermissionError"
    ),
    Hostile(
        "shared memory folder",
        "/dev/shm",
        "open('/dev/shm/rest', 'wb').write(b'x')\n",
        "failed",
        "PermissionError",
    ),
    Hostile(
        "shared memory by name",
        "multiprocessing's",
        "from multiprocessing import shared_memory\nshared_memory.SharedMemory(create=True, size=1 << 30)\n",
        "failed",
        "File too large",  # a file of its own folder
    ),
    Hostile(
        "memory in sockets",
        "the kernel's buffers of as many socket pairs as there may be",
        """\
import os, socket
held = 0
pairs = []
try:
    while True:
        for end in socket.socketpair():
            pairs.append(end)
            end.setblocking(False)
            try:
                while True:
                    held += end.send(bytes(1 << 16))
            except BlockingIOError:
                pass
except OSError:
    pass
print("at most one limit's worth", held < 256 << 20)
""",
        "passed",
        stdout="True",
    ),
    Hostile(
        "recursion",
        "as deep as Python lets it",
        "def f():\n    return f()\nf()\n",
        "failed",
        "RecursionError",
    ),
    Hostile(
        "recursion in C",
        "the stack, by a raised limit",
        "import sys\nsys.setrecursionlimit(10**9)\nrest = []\nfor _ in range(10**6):\n    rest = [rest]\nrepr(rest)\n",
        ("crashed", "failed", "memory", "timeout"),
    ),
    Hostile("standard output", "without end", "while True:\n    print('x' * 1000)\n", "output"),
    Hostile(
        "standard error", "without end", "import os\nwhile True:\n    os.write(2, b'x' * 1000)\n", "output"
    ),
    Hostile(
        "output at once",
        "more than the limit, and gone before anybody looks",
        "import os\nos.ftruncate(1, 5 << 20)\n",
        "output",
    ),
    Hostile(
        "sparse output",
        "truncates its output to a large size",
        "import os, time\nos.ftruncate(1, 50 << 20)\ntime.sleep(1)\n",
        "output",
    ),
    Hostile(
        "a large file",
        "beyond what a file may have",
        "file = open('large', 'wb')\nwhile True:\n    file.write(bytes(1 << 20))\n",
        ("failed", "output"),
    ),
    Hostile(
        "many large files",
        "each within what a file may have",
        "import time\nfor number in range(20):\n    open(f'{number}', 'wb').write(bytes(16 << 20))\n    time.sleep(0.05)\nprint('ESCAPED')\n",
        "output",
    ),
    Hostile(
        "many files",
        "without end",
        "number = 0\nwhile True:\n    number += 1\n    open(str(number), 'w').close()\n",
        ("output", "timeout"),
    ),
    Hostile(
        "deep folders",
        "without end",
        "import os\nwhile True:\n    os.mkdir('d')\n    os.chdir('d')\n",
        ("output", "timeout", "failed"),
    ),
    Hostile(
        "sparse file",
        "a petabyte of nothing",
        "import os\nos.truncate(open('sparse', 'wb').name, 1 << 50)\n",
        ("failed", "crashed"),
        "File too large",
    ),
    Hostile(
        "files without names",
        "removed while they are open",
        """\
import os
files = []
for _ in range(6):
    files.append(open("rest", "wb"))
    os.unlink("rest")
    files[-1].write(bytes(50 << 20))
held = 6 * 50 << 20
"""
        + _HELD,
        "output",
    ),
    Hostile(
        "files in a closed folder",
        "which the zygote may not look into",
        """\
import os
os.mkdir("closed")
files = [open(f"closed/{number}", "wb") for number in range(6)]
os.chmod("closed", 0)
for file in files:
    file.write(bytes(50 << 20))
held = 6 * 50 << 20
"""
        + _HELD,
        ("output", "failed"),  # the call that closes it is denied
    ),
    Hostile(
        "files beyond the longest path",
        "which the zygote cannot name",
        """\
import os
for _ in range(30):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
for number in range(6):
    with open(str(number), "wb") as file:
        file.write(bytes(50 << 20))
held = 6 * 50 << 20
"""
        + _HELD,
        "output",
    ),
    Hostile(
        "space beyond the end of a file",
        "fallocate without a change of size is not bound by the limit on file sizes",
        """\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.fallocate(1, 1, ctypes.c_long(0), ctypes.c_long(300 << 20)) != 0:
    raise OSError(ctypes.get_errno(), "fallocate")
held = os.fstat(1).st_blocks * 512
print("ESCAPED" if held > 100 << 20 else "none", held >> 20, "MiB")
""",
        ("output", "failed"),
    ),
    Hostile(
        "open files",
        "a billion",
        "import os\nfor _ in range(10**9):\n    os.dup(1)\n",
        "failed",
        "Too many open files",
    ),
    Hostile(
        "pipes",
        "as many as there may be",
        "import os\nwhile True:\n    os.pipe()\n",
        "failed",
        "Too many open files",
    ),
    Hostile(
        "imports without end",
        "makes the zygote look for 20,000 modules",
        "import " + ", ".join(f"no_such_{number}" for number in range(20_000)) + "\n",
        "failed",
        "ModuleNotFoundError",
    ),
)
