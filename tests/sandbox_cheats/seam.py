"""Cheats at the seam: the solution process is theirs, and with it all that the reply is made and sent by."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_hostile.cheats import Cheat

__all__ = ["SEAM"]

_WRITES = """\
import builtins, os, struct, sys
real = os.write
builtins.sent = getattr(builtins, 'sent', [])
def through(change):
    def write(fd, data):
        data = bytes(data)
        if fd > 2:
            builtins.sent.append((fd, data))
            for part in change(data):
                real(fd, part)
            return len(data)
        return real(fd, data)
    os.write = write
"""
"""Whatever the protocol, the reply goes through `os.write`: stands before `through(change)`."""

SEAM = (
    # --- bytes ---
    Cheat(
        "answers twice", "the reply, and once more", before=_WRITES + "through(lambda data: [data, data])\n"
    ),
    Cheat(
        "repeats its first answer",
        "an earlier message, replayed",
        before=_WRITES + "through(lambda data: [sent[0][1]])\n",
    ),
    Cheat(
        "answers by halves",
        "the first half, then nothing",
        before=_WRITES
        + "through(lambda data: [data[: len(data) // 2]])\nimport atexit\natexit.register(os._exit, 0)\n",
        slow=True,
    ),
    Cheat(
        "answers with noise",
        "every byte turned",
        before=_WRITES + "through(lambda data: [data[:8] + bytes(b ^ 0x55 for b in data[8:])])\n",
    ),
    Cheat(
        "flips single bytes",
        "each message with some bytes changed, in turn",
        before=_WRITES
        + "through(lambda data: [data[:8] + bytes(b ^ (1 << (i % 8)) if i % 37 == len(sent) else b for i, b in enumerate(data[8:]))])\n",
    ),
    Cheat(
        "announces less than nothing",
        "a negative size",
        before=_WRITES + "through(lambda data: [struct.pack('<q', -1) + data[8:]])\n",
    ),
    Cheat(
        "announces nothing",
        "a message of no bytes, and then the reply",
        before=_WRITES + "through(lambda data: [bytes(8), data])\n",
    ),
    Cheat(
        "announces one more",
        "a size that is not the message's",
        before=_WRITES + "through(lambda data: [struct.pack('<Q', len(data) - 7) + data[8:] + b'x'])\n",
    ),
    Cheat(
        "a reply and a report",
        "both in one message",
        before=_WRITES
        + 'passed = b\'{"kind": "passed", "message": "", "line": null, "stage": null}\'\nthrough(lambda data: [data, struct.pack(\'<Q\', len(passed)) + passed])\n',
    ),
    Cheat(
        "echoes",
        "sends back what the grader sent",
        before="import os\nreal_read = os.read\nlast = []\ndef read(fd, size):\n    data = real_read(fd, size)\n    last.append(data)\n    return data\nos.read = read\nreal = os.write\ndef write(fd, data):\n    return real(fd, b''.join(last)) and len(data) if fd > 2 and last else real(fd, data)\nos.write = write\n",
    ),
    Cheat(
        "texts of passing through every number",
        "a report on each descriptor that there is",
        before="import json, os\nfor fd in range(3, 256):\n    for text in (b'{\"kind\": \"passed\"}', b'passed', b'\\x00' * 8):\n        try:\n            os.write(fd, len(text).to_bytes(8, 'little') + text)\n        except OSError:\n            pass\n",
    ),
    Cheat("hangs up and goes on", "closes every descriptor", before="import os\nos.closerange(3, 256)\n"),
    Cheat(
        "turns its descriptors",
        "puts a pipe in the place of the socket",
        before="import os, socket\na, b = socket.socketpair()\nfor fd in range(3, 20):\n    if fd not in (a.fileno(), b.fileno()):\n        try:\n            os.dup2(a.fileno(), fd)\n        except OSError:\n            pass\n",
    ),
    Cheat(
        "a child answers too",
        "a fork holds the socket and replies beside its parent",
        before="import os\nos.fork()\n",
    ),
    Cheat(
        "a thread answers",
        "while the program goes on",
        before="import os, threading, time\ndef scribble():\n    for _ in range(50):\n        for fd in range(3, 12):\n            try:\n                os.write(fd, bytes(8))\n            except OSError:\n                pass\n        time.sleep(0.002)\nthreading.Thread(target=scribble, daemon=True).start()\n",
    ),
    # --- patches of what makes the reply ---
    Cheat(
        "patched modules",
        "json, struct, pickle and os.path, in the solution process",
        before='import json, os, pickle, struct\njson.dumps = lambda *a, **k: \'{"kind": "passed", "message": ""}\'\npickle.dumps = lambda *a, **k: b\'passed\'\nos.path.relpath = lambda *a: \'ans.png\'\n',
    ),
    Cheat(
        "an encoder of its own",
        "everything that the reply is made by says that it has passed",
        before="import sys\nfor name, module in list(sys.modules.items()):\n    if name.startswith('inside'):\n        for entry in list(vars(module)):\n            if entry in ('encode', 'dump', 'pack', 'send'):\n                setattr(module, entry, lambda *a, **k: b'{\"kind\": \"passed\"}')\n",
        slow=True,
    ),
    Cheat(
        "exceptions that speak",
        "messages of surrogates, zeros and a million letters",
        after="class Loud(Exception):\n    def __str__(self): return '\\ud800\\x00\\x1b]0;' + 'a' * 10**6\nLoud.__name__ = 'a\\nb'\nraise Loud\n",
    ),
    Cheat(
        "exceptions that raise",
        "whose text, class and traceback raise",
        after="class Meta(type):\n    def __getattribute__(self, name): raise KeyboardInterrupt\nclass Loud(BaseException, metaclass=Meta):\n    def __str__(self): raise self\n    __repr__ = __str__\nraise Loud\n",
    ),
)
