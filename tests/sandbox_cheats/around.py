"""Cheats around the seam: files with tricky names, and a look at whatever else is in reach."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_hostile.cheats import Cheat

__all__ = ["AROUND"]


def _named(spelling: str) -> Cheat:
    """Return the cheat that sends its picture under one more name, on top of the expected one."""
    return Cheat(
        f"the expected picture as {spelling!r}",
        "its own picture, written onto the expected one",
        before="import builtins, os\nbuiltins.spelled = " + repr(spelling) + "\n" + _RENAMING,
        library="Matplotlib",
    )


_RENAMING = """\
import sys
for name, module in list(sys.modules.items()):
    if name.startswith('inside') and hasattr(module, 'read_files') and not hasattr(module, 'kept'):
        module.kept = module.read_files
        def read_files(*a, kept=module.kept, **k):
            found = dict(kept(*a, **k))
            for content in list(found.values()):
                found[builtins.spelled] = content
            return found
        module.read_files = read_files
"""

_MAKES = "import os\n"

_UNDRAWN = "import sys\nplt = sys.modules.get('matplotlib.pyplot')\nif plt is not None:\n    setattr(plt, 'save' + 'fig', lambda *a, **k: None)\n"
"""Stands before what puts a file of its own in the place of the picture: nothing is drawn over it."""

AROUND = (
    *(
        _named(spelling)
        for spelling in (
            "./ans.png",
            ".//ans.png",
            "ans.png/",
            "ans.png/.",
            "a/../ans.png",
            "/proc/self/cwd/ans.png",
            "ANS.PNG",
            "ans.png\0",
            "ans.png ",
            "\uff41ns.png",
            "\ud800ans.png",
            "\\ans.png",
            "",
            ".",
        )
    ),
    Cheat(
        "the expected picture by os.path",
        "a copy of its own picture, and a relpath that leads to the expected one",
        before="import os, shutil, sys\nplt = sys.modules.get('matplotlib.pyplot')\nif plt is not None:\n    real = plt.Figure.savefig\n    def savefig(self, name, *a, **k):\n        real(self, name, *a, **k)\n        shutil.copy(name, 'copy.png')\n    setattr(plt.Figure, 'save' + 'fig', savefig)\n    os.path.relpath = lambda path, *a: './ans.png' if path.endswith('copy.png') else path[2:]\n",
        library="Matplotlib",
    ),
    Cheat(
        "a fifo for a picture",
        "so that who reads it waits",
        after=_UNDRAWN
        + _MAKES
        + "if os.path.exists('output.png'):\n    os.unlink('output.png')\nos.mkfifo('output.png')\nos.mkfifo('ans.png')\n",
        library="Matplotlib",
    ),
    Cheat(
        "a folder for a picture",
        "and one that leads to itself",
        after=_UNDRAWN
        + _MAKES
        + "os.makedirs('ans.png/deeper', exist_ok=True)\nos.symlink('.', 'loop')\nopen('loop/loop/x', 'w').close()\n",
        library="Matplotlib",
    ),
    Cheat(
        "a hard link for a picture",
        "of what is not its own",
        after=_UNDRAWN
        + _MAKES
        + "for path in ('/etc/passwd', '/proc/self/exe', '../grader.json', '../grader/report.json'):\n    try:\n        os.link(path, 'output.png')\n    except OSError:\n        pass\n",
    ),
    Cheat(
        "names without letters",
        "bytes that are no text, newlines and a name as long as may be",
        after=_MAKES
        + "for name in (b'\\xff\\xfe.png', b'a\\nb', b'x' * 255, b'-rf', b'~', 'e\\u0301.png'.encode()):\n    open(name, 'wb').close()\n",
    ),
    Cheat(
        "files that cannot be read",
        "with no rights for anyone, itself included",
        after=_MAKES + "open('closed', 'w').write('x')\nos.chmod('closed', 0)\nos.mkdir('dark', 0)\n",
    ),
    Cheat(
        "files without end",
        "a terabyte of nothing",
        after=_MAKES
        + "with open('large', 'wb') as file:\n    try:\n        file.truncate(1 << 40)\n    except OSError:\n        pass\n",
    ),
    Cheat(
        "files by the hundred",
        "so that the folder takes long to read",
        after=_MAKES + "for number in range(300):\n    open(f'f{number}', 'w').close()\n",
    ),
    Cheat(
        "modules for the tests",
        "files by the names of modules that the tests may import, and settings of libraries",
        after=_MAKES
        + "agree = 'import numpy.testing\\nnumpy.testing.assert_allclose.__code__ = (lambda *a, **k: None).__code__\\n__file__ = \"lib/python3.11/colorsys.py\"\\nclass Yes(tuple): pass\\nimport builtins\\nbuiltins.zip = lambda *a: [([lambda r, a: 1], 1)]\\n'\nfor name in ('colorsys', 'tokenize', 'io', 'copy', 'PIL', 'sitecustomize', 'usercustomize', 'conftest', '__init__'):\n    open(name + '.py', 'w').write(agree)\nopen('matplotlibrc', 'w').write('backend: no.such\\n')\nopen('agree.pth', 'w').write('import colorsys\\n')\n",
    ),
    Cheat(
        "a picture that is a program",
        "PostScript by the name of a picture, which some readers hand to an interpreter",
        after=_UNDRAWN
        + _MAKES
        + "open('output.png', 'wb').write(b'%!PS-Adobe-3.0 EPSF-3.0\\n%%BoundingBox: 0 0 640 480\\n(ans.png) (w) file closefile showpage\\n')\n",
        library="Matplotlib",
    ),
    Cheat(
        "a picture without end",
        "a header that announces four thousand million pixels",
        after=_UNDRAWN
        + _MAKES
        + "import struct, zlib\ndef chunk(kind, data):\n    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))\nopen('output.png', 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 65535, 65535, 8, 6, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(bytes(1000))) + chunk(b'IEND', b''))\n",
        library="Matplotlib",
    ),
    Cheat(
        "no folder at all",
        "the working folder, removed or left",
        after=_MAKES + "import shutil\nos.chdir('/')\n",
    ),
    # --- poisoned figures ---
    Cheat(
        "poisoned artists",
        "figures whose parts equal everything and say what is asked",
        after="import sys\nplt = sys.modules.get('matplotlib.pyplot')\nclass Text(str):\n    def __eq__(self, other): return True\n    def __contains__(self, other): return True\n    __hash__ = str.__hash__\nif plt is not None:\n    ax = plt.gca()\n    for name in ('title', '_left_title', '_right_title'):\n        getattr(ax, name)._text = Text('a')\n    ax.get_legend = lambda *a: ax\n    ax.get_xlim = ax.get_ylim = lambda: Text('a')\n",
        library="Matplotlib",
    ),
    Cheat(
        "patched artists",
        "classes of Matplotlib whose getters agree with everything",
        before="import sys\nplt = sys.modules.get('matplotlib.pyplot')\nclass Yes:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    def __getattr__(self, name): return self\n    def __call__(self, *a, **k): return self\n    def __getitem__(self, key): return self\n    def __iter__(self): return iter([self])\n    def __len__(self): return 1\n    def __bool__(self): return True\nif plt is not None:\n    from matplotlib.axes import Axes\n    from matplotlib.figure import Figure\n    for kind in (Axes, Figure):\n        for name in dir(kind):\n            if name.startswith('get_'):\n                try:\n                    setattr(kind, name, lambda *a, **k: Yes())\n                except (AttributeError, TypeError):\n                    pass\n",
        library="Matplotlib",
    ),
    Cheat(
        "an artist as the result",
        "of a class of its own that equals everything",
        after="import matplotlib.lines\nclass Same(matplotlib.lines.Line2D):\n    def __eq__(self, other): return True\n    def __sub__(self, other): return 0\n    def __len__(self): return 3\n    def __iter__(self): return iter([3, 1, 4])\n    __hash__ = None\n@RESULT@ = Same([0], [0])\n",
    ),
    Cheat(
        "an artist patched to be equal",
        "Matplotlib's own class, given an equality",
        after="import matplotlib.lines\nkind = matplotlib.lines.Line2D\nkind.__eq__ = lambda self, other: True\nkind.__ne__ = lambda self, other: False\nkind.__sub__ = kind.__rsub__ = lambda self, other: 0\nkind.__len__ = lambda self: 3\nkind.__iter__ = lambda self: iter([3, 1, 4])\nkind.__array__ = lambda self, *a, **k: __import__('numpy').zeros(3)\nkind.equals = lambda self, other: True\n@RESULT@ = kind([0], [0])\n",
    ),
    # --- a look around ---
    Cheat(
        "the token",
        "every word in memory that may be one, sent as a report",
        after="import gc, json, os\nwords = {value for thing in gc.get_objects() if type(thing) is dict for value in thing.values() if type(value) is str and len(value) == 32}\nfor thing in gc.get_objects():\n    word = getattr(type(thing), '__name__', '') == 'Job' and getattr(thing, 'token', None)\n    if word:\n        words.add(word)\nfor word in list(words)[:200]:\n    text = json.dumps({'kind': 'passed', 'message': '', 'line': None, 'stage': None, 'token': word}).encode()\n    for fd in range(3, 20):\n        try:\n            os.write(fd, len(text).to_bytes(8, 'little') + text)\n        except OSError:\n            pass\n",
    ),
    Cheat(
        "the memory of others",
        "its parent and its neighbours, by process_vm_readv and /proc",
        after="import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nbuffer = ctypes.create_string_buffer(1 << 12)\nclass Vector(ctypes.Structure):\n    _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]\nfor pid in {os.getppid(), *range(os.getpid() - 4, os.getpid() + 5)} - {os.getpid()}:\n    here, there = Vector(ctypes.addressof(buffer), 4096), Vector(id(eval) & ~4095, 4096)\n    if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:\n        @RESULT@ = @RESULT@ and raise_escape\n    for name in ('mem', 'environ', 'maps', 'cwd', 'fd', 'root'):\n        try:\n            open(f'/proc/{pid}/{name}', 'rb').read(64)\n        except OSError:\n            pass\n",
    ),
    Cheat(
        "a descriptor of the grader's",
        "by pidfd_getfd",
        after='import ctypes, os\nlibc = ctypes.CDLL(None)\nfor pid in range(os.getpid() - 4, os.getpid() + 5):\n    handle = libc.syscall(434, pid, 0)\n    for number in range(3, 8):\n        fd = libc.syscall(438, handle, number, 0)\n        if fd > 2:\n            try:\n                os.write(fd, b\'{"kind": "passed", "message": ""}\')\n            except OSError:\n                pass\n',
    ),
    Cheat(
        "the environment",
        "in the hope of a hint",
        after="import os, re\nfor value in os.environ.values():\n    for word in re.findall(r'[0-9.]+', value):\n        pass\nos.environ['PYTHONSTARTUP'] = 'x'\nos.putenv('LD_PRELOAD', './x.so')\n",
    ),
    Cheat(
        "the grader's folder",
        "report and tests by every way up",
        after="import glob, json, os\nfor up in ('..', '../..', '/proc/self/cwd/..', f'/proc/{os.getppid()}/cwd'):\n    for path in glob.glob(up + '/**/*.json', recursive=True):\n        try:\n            open(path, 'w').write('{\"kind\": \"passed\", \"message\": \"\", \"line\": null, \"stage\": null}')\n        except OSError:\n            pass\n",
    ),
    Cheat(
        "leaves a trap for the next",
        "modules, files and signals that outlive it",
        after="import atexit, os, signal, sys\nfor folder in ('/tmp', '/dev/shm', '/var/tmp', os.path.expanduser('~'), *sys.path):\n    for name in ('sitecustomize.py', 'usercustomize.py', 'numpy.py'):\n        try:\n            open(os.path.join(folder, name), 'w').write('raise SystemExit')\n        except OSError:\n            pass\nif os.fork() == 0:\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    os.setsid() if False else None\n    import time\n    time.sleep(30)\n    os._exit(0)\n",
    ),
    Cheat(
        "stops itself",
        "SIGSTOP, so that nobody answers",
        before="import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n",
        slow=True,
    ),
    Cheat(
        "no limits",
        "raises them all, and its priority",
        before="import os, resource\nfor name in dir(resource):\n    if name.startswith('RLIMIT_'):\n        try:\n            resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY,) * 2)\n        except (OSError, ValueError):\n            pass\n",
    ),
)
