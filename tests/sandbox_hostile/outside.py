"""Attacks on files and networks outside: reading, writing, deleting, calling home."""

# ruff: noqa: E501 (programs stand as they are run)

from sandbox_hostile.form import Hostile

__all__ = ["OUTSIDE"]

_NUMBER = 'x86 = os.uname().machine == "x86_64"\n'

OUTSIDE = (
    Hostile(
        "writes outside",
        "a file in every place that an attacker thinks of",
        """\
for place in ("@OUTSIDE@", "@PROJECT@", "@PROJECT@/data", "@HOME@", "/tmp", "/var/tmp", "/dev/shm", "/etc", "/usr/lib", "/run", "..", "../.."):
    attempt(place, lambda: open(os.path.join(place, "hostile"), "w"))
    attempt(place + " folder", lambda: os.mkdir(os.path.join(place, "hostile.d")))
    attempt(place + " link", lambda: os.symlink("x", os.path.join(place, "hostile.l")))
    attempt(place + " nameless", lambda: os.open(place, os.O_TMPFILE | os.O_RDWR))
attempt("append", lambda: open("@OUTSIDE@/secret.txt", "a"))
attempt("truncate", lambda: os.truncate("@OUTSIDE@/secret.txt", 0))
attempt("interpreter", lambda: open(sys.executable, "ab"))
attempt("a library", lambda: open(os.__file__, "a"))
""",
        "passed",
        stdout="denied @OUTSIDE@",
        attempts=True,
    ),
    Hostile(
        "deletes outside",
        "files and folders",
        """\
import shutil
attempt("unlink", lambda: os.unlink("@OUTSIDE@/secret.txt"))
attempt("rmdir", lambda: os.rmdir("@OUTSIDE@/empty"))
attempt("rmtree", lambda: shutil.rmtree("@OUTSIDE@"))
attempt("rename away", lambda: os.rename("@OUTSIDE@/secret.txt", "mine"))
attempt("rename there", lambda: os.rename("@OUTSIDE@/secret.txt", "@OUTSIDE@/gone.txt"))
open("mine", "w").close()
attempt("rename over", lambda: os.rename("mine", "@OUTSIDE@/secret.txt"))
attempt("hard link here", lambda: os.link("@OUTSIDE@/secret.txt", "linked"))
attempt("hard link there", lambda: os.link("mine", "@OUTSIDE@/linked"))
attempt("its scratch folder", lambda: os.rmdir(os.getcwd()))
""",
        "passed",
        stdout="denied unlink",
        attempts=True,
    ),
    Hostile(
        "reads outside",
        "the user's files, the project's answers, other users' folders",
        """\
for path in ("@OUTSIDE@/secret.txt", "@PROJECT@/data/ds1000/suite.jsonl", "@PROJECT@/pyproject.toml", "@PROJECT@/workbench/errors.py", "/etc/shadow", "/etc/hosts", "/proc/1/environ", "/dev/vda", "/dev/mem", "/dev/kmsg"):
    attempt(path, lambda: open(path, "rb").read(10))
for folder in ("@OUTSIDE@", "@PROJECT@", "@HOME@", "/", "/tmp", "/proc", "..", "../.."):
    attempt(folder, lambda: os.listdir(folder))
""",
        "passed",
        stdout="denied @OUTSIDE@/secret.txt",
        attempts=True,
    ),
    Hostile(
        "roads around a path",
        "links, /proc, relative names, folders opened by number",
        """\
os.symlink("@OUTSIDE@/secret.txt", "link")
os.symlink("@OUTSIDE@", "folder")
os.symlink("/", "root")
attempt("symbolic link", lambda: open("link").read())
attempt("write by link", lambda: open("link", "w"))
attempt("linked folder", lambda: open("folder/secret.txt").read())
attempt("write by linked folder", lambda: open("folder/hostile", "w"))
attempt("linked root", lambda: open("root@OUTSIDE@/secret.txt").read())
attempt("/proc/self/root", lambda: open("/proc/self/root@OUTSIDE@/secret.txt").read())
attempt("/proc/self/cwd", lambda: open("/proc/self/cwd/../grader.json").read())
attempt("/proc/self/cwd, writing", lambda: open("/proc/self/cwd/../hostile", "w"))
attempt("/proc/thread-self", lambda: open("/proc/thread-self/root@OUTSIDE@/secret.txt").read())
attempt("folder by number", lambda: os.open("secret.txt", os.O_RDONLY, dir_fd=os.open("@OUTSIDE@", os.O_PATH)))
attempt("path only", lambda: open(f"/proc/self/fd/{os.open('@OUTSIDE@/secret.txt', os.O_PATH)}").read())
os.chdir("@OUTSIDE@")  # not denied by Landlock, and no use
attempt("relative", lambda: open("secret.txt").read())
attempt("relative, writing", lambda: open("hostile", "w"))
""",
        "passed",
        stdout="denied relative",
        attempts=True,
    ),
    Hostile(
        "changes what it cannot write",
        "modes, times and attributes of the user's files",
        """\
attempt("chmod", lambda: os.chmod("@OUTSIDE@/attributes.txt", 0o777))
attempt("utime", lambda: os.utime("@OUTSIDE@/attributes.txt", (1, 1)))
attempt("setxattr", lambda: os.setxattr("@OUTSIDE@/attributes.txt", "user.hostile", b"1"))
attempt("chown", lambda: os.chown("@OUTSIDE@/attributes.txt", os.getuid(), -1))
""",
        "passed",
        stdout="denied",
        attempts=True,
    ),
    Hostile(
        "watches outside",
        "names of files that the user opens, by inotify",
        'attempt("inotify", lambda: system_call(254 if os.uname().machine == "x86_64" else 27, system_call(294 if os.uname().machine == "x86_64" else 26, 0), b"@OUTSIDE@", 0xFFF))\n',
        "passed",
        attempts=True,
    ),
    Hostile(
        "opens by handle",
        "a file's number instead of its name",
        _NUMBER
        + """\
handle = ctypes.create_string_buffer((128).to_bytes(4, "little") + bytes(132))
mount = ctypes.c_int()
attempt("name_to_handle_at", lambda: system_call(303 if x86 else 264, -100, b"@OUTSIDE@/secret.txt", handle, ctypes.byref(mount), 0))
attempt("open_by_handle_at", lambda: system_call(304 if x86 else 265, os.open(".", os.O_RDONLY), handle, 0))
""",
        "passed",
        stdout="denied open_by_handle_at",
        attempts=True,
    ),
    Hostile(
        "other programs' folders",
        "those of the pool, by number and by listing",
        """\
root = os.path.dirname(os.path.dirname(os.getcwd()))
mine = int(os.path.basename(os.path.dirname(os.getcwd())))
attempt("list", lambda: os.listdir(root))
for number in range(max(0, mine - 5), mine + 5):
    for name in ("grader.json", "solution.json", "stdout", "grader/report.json", "grader/ans.png"):
        attempt(f"{number}/{name}", lambda: open(f"{root}/{number}/{name}").read(10))
        attempt(f"{number}/{name}, writing", lambda: open(f"{root}/{number}/{name}", "w"))
attempt("the zygote's log", lambda: open(f"{root}/zygote-0.log").read())
attempt("the zygote's home", lambda: open(f"{root}/zygote-0.home/x", "w"))
""",
        "passed",
        stdout="denied list",
        attempts=True,
    ),
    Hostile(
        "memory of others",
        "by /proc, ptrace, process_vm_readv, pidfd_getfd, kcmp",
        _NUMBER
        + """\
for name, pid in (("zygote", os.getppid()), ("parent", @PARENT@), ("user", @VICTIM@)):
    for entry in ("mem", "environ", "cmdline", "maps", "fd", "fd/0", "cwd/x", "root/etc/hosts", "stack", "status"):
        path = f"/proc/{pid}/{entry}"
        attempt(f"{name} {entry}", lambda: os.listdir(path) if entry == "fd" else open(path, "rb").read(4))
    for entry in ("fd/0", "exe", "cwd", "root"):
        attempt(f"{name} {entry} link", lambda: os.readlink(f"/proc/{pid}/{entry}"))
    attempt(f"{name} ptrace", lambda: system_call(101 if x86 else 117, 16, pid, 0, 0))
    attempt(f"{name} seize", lambda: system_call(101 if x86 else 117, 0x4206, pid, 0, 0))
    vector = (ctypes.c_size_t * 2)(0, 8)
    attempt(f"{name} process_vm_readv", lambda: system_call(310 if x86 else 270, pid, vector, 1, vector, 1, 0))
    attempt(f"{name} process_vm_writev", lambda: system_call(311 if x86 else 271, pid, vector, 1, vector, 1, 0))
    attempt(f"{name} pidfd_getfd", lambda: system_call(438, os.pidfd_open(pid), 0, 0))
    attempt(f"{name} kcmp", lambda: system_call(312 if x86 else 272, pid, os.getpid(), 0, 0, 0))
""",
        "passed",
        stdout="denied zygote ptrace",
        attempts=True,
    ),
    Hostile(
        "texts of earlier programs",
        "all objects that the collector knows, all frames, all of its memory",
        """\
import gc
word = "-".join(["EARLIER", "WORD"])
def strings():
    for thing in gc.get_objects():
        for part in gc.get_referents(thing):
            if isinstance(part, (str, bytes, bytearray)):
                yield part if isinstance(part, str) else bytes(part).decode("latin-1")
found = [text[:50] for text in strings() if word in text and text != word]
frame = sys._getframe()
while frame is not None:
    found += [name for name, value in frame.f_locals.items() if name != "found" and word in repr(value) and frame.f_back is not None and frame.f_code.co_filename != "<program>" and name not in ("code", "payload", "module")]
    frame = frame.f_back
raw = 0
needle = "-".join(["EARLIER", "WORD", "SECRET"]).encode()
for line in open("/proc/self/maps"):
    span, mode = line.split()[:2]
    if mode.startswith("rw") and "[v" not in line:
        low, high = (int(part, 16) for part in span.split("-"))
        if high - low < 1 << 28:
            try:
                raw += ctypes.string_at(low, high - low).count(needle) if mode[0] == "r" else 0
            except Exception:
                pass
print("ESCAPED" if found or raw > 1 else "nothing", found, raw)
""",
        "passed",
        stdout="nothing",
        attempts=True,
    ),
    Hostile(
        "calls home",
        "every kind of socket, to servers that are really there",
        """\
import socket
def tcp(): socket.create_connection(("127.0.0.1", @PORT@), 0.3).send(b"tcp")
def tcp6(): socket.create_connection(("::1", @PORT@), 0.3).send(b"tcp6")
def udp(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"udp", ("127.0.0.1", @PORT@))
def unix():
    one = socket.socket(socket.AF_UNIX)
    one.connect("@OUTSIDE@/socket")
    one.send(b"unix")
def abstract():
    one = socket.socket(socket.AF_UNIX)
    one.connect("\\0@ABSTRACT@")
    one.send(b"abstract")
def datagram():
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b"datagram", "@OUTSIDE@/datagrams")
def sequence(): socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
def stream(): socket.socketpair()[0].sendto(b"stream", "@OUTSIDE@/datagrams")
def reconnect(): socket.socketpair()[0].connect("@OUTSIDE@/socket")
def listen(): socket.create_server(("127.0.0.1", 0))
def raw(): socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
def packet(): socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
def netlink(): socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
def vsock(): socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).connect((2, 1024))
def can(): socket.socket(socket.AF_CAN, socket.SOCK_RAW)
def bluetooth(): socket.socket(31, socket.SOCK_RAW, 1)
def algorithm(): socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)
def name(): socket.getaddrinfo("localhost", 80)[0][99]
for call in (tcp, tcp6, udp, unix, abstract, datagram, sequence, stream, reconnect, listen, raw, packet, netlink, vsock, can, bluetooth, algorithm, name):
    attempt(call.__name__, call)
""",
        "passed",
        stdout="denied tcp ",
        attempts=True,
    ),
    Hostile(
        "calls home by another program",
        "bash's /dev/tcp, and an interpreter started anew",
        """\
import subprocess
shell = subprocess.run(["/bin/bash", "-c", "echo shell > /dev/tcp/127.0.0.1/@PORT@"], capture_output=True)
print("ESCAPED" if shell.returncode == 0 else "denied shell", shell.returncode)
text = "import socket; socket.create_connection(('127.0.0.1', @PORT@)).send(b'python')"
python = subprocess.run([sys.executable, "-S", "-c", text], capture_output=True)
print("ESCAPED" if python.returncode == 0 else "denied python", python.returncode)
""",
        "passed",
        stdout="denied shell",
        attempts=True,
    ),
    Hostile(
        "calls home by the kernel's own ring",
        "io_uring opens sockets without the calls for it",
        'attempt("io_uring_setup", lambda: system_call(425, 8, ctypes.create_string_buffer(120)))\n',
        "passed",
        stdout="denied io_uring_setup",
        attempts=True,
    ),
    Hostile(
        "system calls of another architecture",
        "x32's numbers, which a list of x86-64's does not hold",
        """\
if os.uname().machine == "x86_64":
    attempt("x32 socket", lambda: system_call(0x40000000 + 41, 2, 1, 0))
    attempt("x32 ptrace", lambda: system_call(0x40000000 + 521, 16, os.getppid(), 0, 0))
""",
        "passed",
        attempts=True,
    ),
    Hostile(
        "hands a descriptor over",
        "its own socket pair to somebody else, by a message",
        """\
import array, socket
left, right = socket.socketpair()
attempt("to itself", lambda: left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))]))
attempt("to a path", lambda: left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))], 0, "@OUTSIDE@/datagrams"))
""",
        "passed",
        stdout="denied to a path",
        attempts=True,
    ),
)
