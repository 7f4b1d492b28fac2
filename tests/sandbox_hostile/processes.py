"""Attacks by processes, threads and signals: bombs, orphans, loops, killing others."""

from sandbox_hostile.form import Hostile

__all__ = ["PROCESSES"]

PROCESSES = (
    Hostile(
        "fork bomb",
        "doubles itself for ever",
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
        "timeout",
    ),
    Hostile(
        "fork bomb by double fork",
        "leaves orphans that fork on",
        """\
import os
while True:
    try:
        if os.fork() == 0:
            if os.fork() == 0:
                continue
            os._exit(0)
    except OSError:
        pass
""",
        "timeout",
    ),
    Hostile(
        "spawn bomb",
        "starts programs by posix_spawn until it may not",
        """\
import os
count = 0
try:
    while count < 500:
        os.posix_spawn("/bin/sleep", ["sleep", "31337.1"], {})
        count += 1
except OSError as error:
    print("stopped", count < 100, type(error).__name__)
else:
    print("ESCAPED", count)
""",
        "passed",
        stdout="stopped True BlockingIOError",
    ),
    Hostile(
        "subprocess bomb",
        "starts programs by vfork and exec until it may not",
        """\
import subprocess
count = 0
try:
    while count < 500:
        subprocess.Popen(["/bin/sleep", "31337.2"])
        count += 1
except OSError:
    print("stopped", count < 100)
else:
    print("ESCAPED", count)
""",
        "passed",
        stdout="stopped True",
    ),
    Hostile(
        "thread bomb",
        "starts threads that never end until it may not",
        """\
import threading, time
count = 0
try:
    while count < 1000:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        count += 1
except RuntimeError:
    print("stopped", count < 100)
else:
    print("ESCAPED", count)
""",
        "passed",
        stdout="stopped True",
    ),
    Hostile(
        "daemon left behind",
        "a grandchild that closes everything and stays",
        """\
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        os.closerange(0, 50)
        os.chdir("/usr")
        time.sleep(31337)
    os._exit(0)
os.wait()
""",
        "passed",
    ),
    Hostile(
        "executed program left behind",
        "a child of another binary, which has none of the interpreter's credentials",
        'import subprocess\nsubprocess.Popen(["/bin/sleep", "31337.3"])\nprint("left")\n',
        "passed",
        stdout="left",
    ),
    Hostile(
        "becomes another program",
        "exec of a program that sleeps for ever",
        'import os\nos.execv("/bin/sleep", ["sleep", "31337.4"])\n',
        "timeout",
    ),
    Hostile(
        "zombies",
        "children that nobody waits for",
        "import os\nfor _ in range(30):\n    if os.fork() == 0:\n        os._exit(0)\n",
        "passed",
    ),
    Hostile(
        "leaves the process group",
        "setsid and setpgid, in itself and in a child",
        """\
attempt("setsid", os.setsid)
attempt("setpgid", lambda: os.setpgid(0, 0) if os.getpgid(0) != os.getpid() else os.setpgid(0, os.getppid()))
child = os.fork()
if child == 0:
    attempt("setsid", os.setsid)
    attempt("setpgid", lambda: os.setpgid(0, 0))
    attempt("setpgid by number", lambda: system_call(109 if os.uname().machine == "x86_64" else 154, 0, 0))
    os._exit(0)
attempt("setpgid of a child", lambda: os.setpgid(child, child))
os.wait()
""",
        "passed",
        stdout="denied setsid",
        attempts=True,
    ),
    Hostile(
        "kills others",
        "signals to the zygote, the parent, a process of the user, all, by every call",
        """\
import signal
harmless = signal.SIGURG  # what may not be sent at all is not tried with what would end the tests
attempt("zygote", lambda: os.kill(os.getppid(), harmless))
attempt("zygote's group", lambda: os.killpg(os.getpgid(os.getppid()), harmless))
attempt("parent", lambda: os.kill(@PARENT@, harmless))
attempt("init", lambda: os.kill(1, harmless))
attempt("a process of the user", lambda: os.kill(@VICTIM@, signal.SIGKILL))
attempt("stopping one", lambda: os.kill(@VICTIM@, signal.SIGSTOP))
attempt("asking for one", lambda: os.kill(@VICTIM@, 0))
attempt("pidfd", lambda: signal.pidfd_send_signal(os.pidfd_open(@VICTIM@), signal.SIGKILL))
attempt("tgkill", lambda: system_call(234 if os.uname().machine == "x86_64" else 131, @VICTIM@, @VICTIM@, 9))
""",
        "passed",
        stdout="denied zygote",
        attempts=True,
    ),
    Hostile(
        "kills everyone",
        "SIGKILL to process -1",
        """\
import os
try:
    os.kill(@VICTIM@, 0)
except PermissionError:
    os.kill(-1, 9)  # finds nobody
else:
    print("ESCAPED")
os.kill(0, 9)
""",
        "crashed",
    ),
    Hostile("kills its group", "SIGKILL to group 0", "import os\nos.kill(0, 9)\n", "crashed", "SIGKILL"),
    Hostile(
        "signals by a descriptor's owner",
        "F_SETOWN on a pipe so that the kernel signals somebody else",
        """\
import fcntl, signal, time
reader, writer = os.pipe()
def own():
    fcntl.fcntl(reader, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(reader, fcntl.F_SETOWN, @VICTIM@)
    fcntl.fcntl(reader, fcntl.F_SETFL, fcntl.fcntl(reader, fcntl.F_GETFL) | os.O_ASYNC)
    os.write(writer, b"x")
own()
time.sleep(0.1)
""",
        ("passed", "failed"),
        attempts=True,
    ),
    Hostile(
        "reconfigures other processes",
        "limits, priorities, processors and schedulers of a process of the user",
        """\
import resource
attempt("prlimit", lambda: resource.prlimit(@VICTIM@, resource.RLIMIT_NOFILE, (9, 9)))
attempt("setpriority", lambda: os.setpriority(os.PRIO_PROCESS, @VICTIM@, 19))
attempt("sched_setaffinity", lambda: os.sched_setaffinity(@VICTIM@, [0]))
attempt("sched_setscheduler", lambda: os.sched_setscheduler(@VICTIM@, os.SCHED_IDLE, os.sched_param(0)))
attempt("ioprio_set", lambda: system_call(251 if os.uname().machine == "x86_64" else 30, 1, @VICTIM@, 3 << 13))
""",
        "passed",
        stdout="denied",
        attempts=True,
    ),
    Hostile("endless loop", "pure Python", "while True:\n    pass\n", "timeout", "3 s"),
    Hostile("endless C", "one multiplication that takes hours", "pow(3, 10**9)\n", ("timeout", "memory")),
    Hostile(
        "endless regular expression",
        "catastrophic backtracking, in C without the eval loop",
        "import re\nre.match(r'(a+)+$', 'a' * 64 + 'b')\n",
        "timeout",
    ),
    Hostile(
        "blocks every signal",
        "so that only SIGKILL ends it",
        """\
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True:
    pass
""",
        "timeout",
    ),
    Hostile(
        "handles every signal",
        "SIGTERM and SIGXCPU as if nothing were",
        """\
import signal
for number in range(1, 65):
    try:
        signal.signal(number, lambda *_: None)
    except (OSError, ValueError):
        pass
while True:
    pass
""",
        "timeout",
    ),
    Hostile("sleeps", "no processor time at all", "import time\ntime.sleep(10**6)\n", "timeout"),
    Hostile("waits for nothing", "select for ever", "import select\nselect.select([], [], [])\n", "timeout"),
    Hostile(
        "stops itself", "SIGSTOP", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n", "timeout"
    ),
    Hostile(
        "a thread that never ends",
        "the main thread comes to its end",
        "import threading, time\nthreading.Thread(target=lambda: [time.sleep(1) for _ in iter(int, 1)]).start()\n",
        "timeout",
    ),
    Hostile(
        "a daemon thread that never ends",
        "left running at the end of the program",
        """\
import threading, time
def work():
    while True:
        time.sleep(0.01)
threading.Thread(target=work, daemon=True).start()
""",
        "failed",
        "still running",
    ),
    Hostile(
        "timer",
        "an alarm that nobody handles",
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.05)\nwhile True:\n    pass\n",
        "crashed",
        "SIGALRM",
    ),
)
