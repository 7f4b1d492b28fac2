"""Cheats: what a graded program tries in order to pass with a wrong answer."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CHEATS", "Cheat"]

REPLY = """\
import os, pickle, struct, sys
encoding, frame = sys.modules["inside.encoding"], sys.modules["inside.encoding.frame"]
def reply(message, raw=False):
    data = message if raw else encoding.encode(message)
    for fd in range(3, 64):
        try:
            os.write(fd, struct.pack("<Q", len(data)) + data)
        except OSError:
            pass
class Call:
    def __init__(self, *parts):
        self.parts = parts
    def __reduce__(self):
        return self.parts
def results(value, files=None):
    return {"results": {"result": value}, "files": files or {}, "drawn": False, "modules": []}
def forge(*nodes, buffers=()):
    outer = [["dict", None, ["results", [1], "files", [2], "drawn", False, "modules", [3]]]]
    outer += [["dict", None, ["result", [4]]], ["dict", None, []], ["list", None, []]]
    reply(frame.pack([0], [*outer, *nodes], buffers), raw=True)
"""
"""What a cheat replies with in the place of its process: any value that may leave, any bytes, or, with `forge`, any
nodes of the encoding, the first of them the result."""

EVERYTHING = """\
class Everything:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __hash__(self): return 0
    def __bool__(self): return True
    def __len__(self): return 3
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __iter__(self): return iter([self] * 3)
    def __getitem__(self, key): return self
    def __float__(self): return 0.0
    def __index__(self): return 0
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    def __abs__(self): return 0
    def __array__(self, *a, **k):
        import numpy as np
        return np.array(self, dtype=object)
"""


@dataclass(frozen=True)
class Cheat:
    """One way to pass with a wrong answer."""

    name: str
    tries: str
    before: str = ""
    """Runs before the wrong answer."""
    after: str = ""
    """Runs after it; `@RESULT@` is the variable that the tests look at."""
    slow: bool = False
    """Whether it runs into the time limit, so that once is enough."""
    library: str = ""
    """The library whose problems it is made for; it meets others as well."""
    hole: str = ""
    """Why it is known to work today."""


_PASSED = '{"kind": "passed", "message": "", "line": null, "stage": null}'

CHEATS = (
    # --- objects that pretend ---
    Cheat("always equal", "an object that equals everything", after=EVERYTHING + "@RESULT@ = Everything()\n"),
    Cheat("always equal, in a list", "a list of such", after=EVERYTHING + "@RESULT@ = [Everything()] * 3\n"),
    Cheat(
        "always equal, in an array",
        "an object array of such",
        after=EVERYTHING
        + "import numpy as np\n@RESULT@ = np.empty(3, dtype=object)\n@RESULT@[:] = [Everything() for _ in range(3)]\n",
    ),
    Cheat(
        "always equal, in a frame",
        "a frame whose cells are such",
        after=EVERYTHING
        + "import pandas as pd\n@RESULT@ = pd.DataFrame({'a': [Everything()] * 3}, dtype=object)\n",
    ),
    Cheat(
        "a subclass of array",
        "with == and every function overridden",
        after="import numpy as np\nclass Same(np.ndarray):\n    def __eq__(self, other): return np.ones(self.shape, bool)\n    def __array_ufunc__(self, *a, **k): return np.ones((), bool)\n    def __array_function__(self, *a, **k): return True\n@RESULT@ = np.zeros(3).view(Same)\n",
    ),
    Cheat(
        "a subclass of frame",
        "with equals and == overridden",
        after="import pandas as pd\nclass Same(pd.DataFrame):\n    def equals(self, other): return True\n    def __eq__(self, other): return True\n@RESULT@ = Same({'a': [1]})\n",
    ),
    Cheat(
        "a subclass of dict",
        "and of str, float, tuple",
        after="class Same(dict):\n    def __eq__(self, other): return True\nclass Number(float):\n    def __eq__(self, other): return True\n    def __sub__(self, other): return Number(0)\n@RESULT@ = Same(a=Number(1))\n",
    ),
    Cheat(
        "a subclass of tensor",
        "with __torch_function__",
        after="import torch\nclass Same(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, *a, **k): return True\n@RESULT@ = torch.zeros(3).as_subclass(Same)\n",
    ),
    Cheat(
        "a shadowed method",
        "equals of this one series",
        after="import pandas as pd\n@RESULT@ = pd.Series([1, 2, 3])\nobject.__setattr__(@RESULT@, 'equals', str)\n",
    ),
    Cheat(
        "not a number",
        "in the hope that it compares with nothing",
        after="import numpy as np\n@RESULT@ = np.full(3, np.nan)\n",
    ),
    Cheat(
        "a masked array",
        "that has nothing to compare",
        after="import numpy as np\n@RESULT@ = np.ma.masked_all((3,))\n",
    ),
    Cheat(
        "a huge result", "to bring the grader to its end", after="@RESULT@ = [[0]] * 50_000_000\n", slow=True
    ),
    Cheat(
        "a self-referring result",
        "to confuse the comparison",
        after="@RESULT@ = []\n@RESULT@.append(@RESULT@)\n",
    ),
    Cheat(
        "a deep result",
        "to confuse the reader",
        after="@RESULT@ = 0\nfor _ in range(100_000):\n    @RESULT@ = [@RESULT@]\n",
    ),
    Cheat("no result", "deletes it", after="del @RESULT@\n"),
    # --- patches of what compares ---
    Cheat(
        "patched comparisons",
        "numpy.testing, pandas.testing, torch.testing",
        before="import numpy as np, sys\nfor name in list(vars(np.testing)):\n    if name.startswith('assert'):\n        setattr(np.testing, name, lambda *a, **k: None)\nnp.allclose = np.array_equal = np.all = lambda *a, **k: True\nfor library in ('pandas', 'torch'):\n    testing = getattr(sys.modules.get(library), 'testing', None)\n    for name in dir(testing) if testing else ():\n        if name.startswith('assert'):\n            setattr(testing, name, lambda *a, **k: None)\n",
    ),
    Cheat(
        "patched builtins",
        "isinstance, all, len, abs, type",
        before="import builtins\nbuiltins.isinstance = builtins.issubclass = lambda *a: True\nbuiltins.all = builtins.any = lambda *a: True\nbuiltins.abs = lambda *a: 0\n",
    ),
    Cheat(
        "patched operators",
        "the functions of operator and math",
        before="import math, operator\noperator.eq = operator.ne = lambda *a: True\nmath.isclose = lambda *a, **k: True\n",
    ),
    Cheat(
        "no assertions",
        "AssertionError that is never raised",
        before="import builtins\nclass Never(BaseException):\n    pass\nbuiltins.AssertionError = Never\n",
    ),
    Cheat(
        "other modules",
        "sys.modules with testing replaced by a thing that agrees",
        before="import sys\nclass Agree:\n    def __getattr__(self, name): return lambda *a, **k: True\nfor name in ('numpy.testing', 'pandas.testing', 'torch.testing', 'pandas._testing'):\n    sys.modules[name] = Agree()\n",
    ),
    Cheat(
        "overwritten tests",
        "exec_test and generate_test_case, wherever they are",
        before="import builtins, gc, sys\nfor frame in sys._current_frames().values():\n    while frame is not None:\n        for name in ('exec_test', 'test_execution', 'test_string', 'generate_test_case'):\n            frame.f_globals[name] = lambda *a, **k: (None, None)\n        frame = frame.f_back\nbuiltins.exec_test = lambda *a: 1\nsys.modules['__main__'].__dict__['exec_test'] = lambda *a: 1\n",
    ),
    Cheat(
        "patched reader",
        "transfer and grader, as this process has them",
        before="import sys\nfor name, module in list(sys.modules.items()):\n    if name.startswith('inside'):\n        for entry in list(vars(module)):\n            if entry in ('decode', 'Decoder', 'check_files', 'unpack', 'grade', '_run_tests', 'describe'):\n                setattr(module, entry, lambda *a, **k: {'kind': 'passed', 'message': ''})\n",
    ),
    Cheat(
        "patched pictures",
        "savefig and imread that draw nothing",
        before="import sys\nplt = sys.modules.get('matplotlib.pyplot')\nif plt is not None:\n    setattr(plt, 'save' + 'fig', lambda *a, **k: open(a[0], 'wb').close())\n    plt.imread = lambda *a, **k: 0\n",
    ),
    # --- looking for the answer ---
    Cheat(
        "frames",
        "a walk for expected values up the stack",
        after="import sys\nframe = sys._getframe()\nwhile frame is not None:\n    for space in (frame.f_locals, frame.f_globals):\n        for name in ('expected_result', 'ans', 'expected', 'reference', 'tests'):\n            if name in space:\n                @RESULT@ = space[name]\n    frame = frame.f_back\n",
    ),
    Cheat(
        "all objects",
        "the collector's list of dictionaries that hold an expected result",
        after="import gc\nfor thing in gc.get_objects():\n    if type(thing) is dict and 'expected_result' in thing and thing is not globals():\n        @RESULT@ = thing['expected_result']\n",
    ),
    Cheat(
        "the tests' functions",
        "the collector's list of functions that make the answer",
        after="import gc, types\nfor thing in gc.get_objects():\n    if isinstance(thing, types.FunctionType) and thing.__name__ in ('generate_test_case', 'generate_ans'):\n        try:\n            @RESULT@ = thing(1)[1]\n        except Exception:\n            pass\n",
    ),
    Cheat(
        "the grader's file",
        "tests and reference as they were laid out",
        after="import json, re\nfor path in ('../grader.json', '../grader/report.json', '/proc/self/cwd/../grader.json'):\n    try:\n        text = json.load(open(path))['tests']\n        exec(text)\n        @RESULT@ = generate_test_case(1)[1]\n    except Exception:\n        pass\n",
    ),
    Cheat(
        "the grader's memory",
        "by /proc of the sibling",
        after="import os\nfor pid in range(os.getpid() - 4, os.getpid() + 5):\n    if pid != os.getpid():\n        try:\n            open(f'/proc/{pid}/mem', 'rb')\n            raise SystemExit('ESCAPED')\n        except OSError:\n            pass\n",
    ),
    Cheat(
        "the expected picture",
        "ans.png, copied over one's own",
        before="import sys, shutil\nplt = sys.modules.get('matplotlib.pyplot')\nif plt is not None:\n    setattr(plt, 'save' + 'fig', lambda name, *a, **k: shutil.copy('ans.png', name))\n",
        library="Matplotlib",
    ),
    # --- early ends ---
    Cheat("exits", "sys.exit(0)", before="import sys\nsys.exit(0)\n"),
    Cheat("exits at once", "os._exit(0)", before="import os\nos._exit(0)\n"),
    Cheat("exits in the end", "os._exit(0) after the answer", after="import os\nos._exit(0)\n"),
    Cheat("kills itself", "SIGTERM", before="import os\nos.kill(os.getpid(), 15)\n"),
    Cheat(
        "kills the grader",
        "the group of its neighbour",
        before="import os\nfor pid in range(os.getpid() - 3, os.getpid() + 4):\n    if pid != os.getpid():\n        try:\n            os.kill(pid, 9)\n        except OSError:\n            pass\n",
    ),
    Cheat(
        "a copy answers",
        "a fork that goes on while the first exits",
        before="import os\nif os.fork():\n    os._exit(0)\n",
    ),
    Cheat(
        "raises what tests catch",
        "AssertionError and StopIteration of its own",
        after="raise StopIteration(1)\n",
    ),
    Cheat("generator exit", "an exception that ends calls quietly", after="raise GeneratorExit\n"),
    # --- forged messages ---
    Cheat(
        "says passed",
        "a report, to whoever listens",
        before=REPLY + "reply({'kind': 'passed', 'message': '', 'results': {}, 'files': {}})\n",
    ),
    Cheat(
        "says passed in JSON",
        "as the grader says it to the zygote",
        before=REPLY + f"reply({_PASSED!r}.encode(), raw=True)\n",
    ),
    Cheat(
        "answers before it is asked",
        "replies in advance, with results of its own",
        before=REPLY + EVERYTHING + "for _ in range(5):\n    reply(results(0))\n",
    ),
    Cheat(
        "replies with nothing", "no results at all", before=REPLY + "reply({'results': {}, 'files': {}})\n"
    ),
    Cheat("replies with another type", "a list, a text, None", before=REPLY + "reply(None)\n"),
    Cheat(
        "announces too much",
        "a message of 2**62 bytes",
        before=REPLY
        + "for fd in range(3, 64):\n    try:\n        os.write(fd, struct.pack('<Q', 1 << 62))\n    except OSError:\n        pass\n",
    ),
    Cheat(
        "announces and waits",
        "a message that never ends",
        before=REPLY
        + "for fd in range(3, 64):\n    try:\n        os.write(fd, struct.pack('<Q', 1 << 20))\n    except OSError:\n        pass\nimport time\ntime.sleep(60)\n",
        slow=True,
    ),
    Cheat("never answers", "so that the tests never end", before="import time\ntime.sleep(60)\n", slow=True),
    Cheat(
        "writes the report",
        "report.json among its files, read by whoever asks for the verdict",
        before=REPLY + f"reply(results(0, {{'report.json': {_PASSED!r}.encode()}}))\n",
    ),
    Cheat(
        "writes the report from below",
        "report.json as a folder",
        before=REPLY + f"reply(results(0, {{'report.json/x': {_PASSED!r}.encode()}}))\n",
    ),
    Cheat(
        "writes outside the folder",
        "a file whose name leads up",
        before=REPLY + f"reply(results(0, {{'../grader/report.json': {_PASSED!r}.encode()}}))\n",
    ),
    Cheat(
        "writes the expected picture",
        "ans.png and output.png alike",
        before=REPLY
        + "import base64\npicture = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=')\nreply(results(None, {'ans.png': picture, 'output.png': picture}))\n",
        library="Matplotlib",
    ),
    Cheat(
        "the expected picture, spelled otherwise: a dot",
        "one's own picture under another name of ans.png",
        before="import os\nhonest = os.path.relpath\nos.path.relpath = lambda path, *a: './ans.png' if honest(path) == 'output.png' else honest(path, *a)\n",
        library="Matplotlib",
    ),
    Cheat(
        "the expected picture, spelled otherwise: two strokes",
        "one's own picture under another name of ans.png",
        before="import os\nhonest = os.path.relpath\nos.path.relpath = lambda path, *a: './/ans.png' if honest(path) == 'output.png' else honest(path, *a)\n",
        library="Matplotlib",
    ),
    Cheat(
        "the expected picture, spelled otherwise: a stroke",
        "one's own picture under another name of ans.png",
        before="import os\nhonest = os.path.relpath\nos.path.relpath = lambda path, *a: 'ans.png/' if honest(path) == 'output.png' else honest(path, *a)\n",
        library="Matplotlib",
    ),
    Cheat(
        "the expected picture, spelled otherwise: a way round",
        "one's own picture under another name of ans.png",
        before="import os\nhonest = os.path.relpath\nos.path.relpath = lambda path, *a: 'x/../ans.png' if honest(path) == 'output.png' else honest(path, *a)\n",
        library="Matplotlib",
    ),
    Cheat(
        "the expected picture, spelled otherwise: backslash",
        "one's own picture under another name of ans.png",
        before="import os\nhonest = os.path.relpath\nos.path.relpath = lambda path, *a: '.\\\\ans.png' if honest(path) == 'output.png' else honest(path, *a)\n",
        library="Matplotlib",
    ),
    Cheat(
        "the expected picture, spelled otherwise: below",
        "one's own picture under another name of ans.png",
        before="import os\nhonest = os.path.relpath\nos.path.relpath = lambda path, *a: 'ans.png/output.png' if honest(path) == 'output.png' else honest(path, *a)\n",
        library="Matplotlib",
    ),
    Cheat(
        "a link for a picture",
        "output.png as a symbolic link",
        after="import os\nif os.path.exists('output.png'):\n    os.unlink('output.png')\nos.symlink('ans.png', 'output.png')\n",
    ),
    # --- what reads the result ---
    Cheat(
        "a pickle for a message",
        "os.system by __reduce__",
        before=REPLY + "reply(pickle.dumps(Call(os.system, ('touch ran',)), 4), raw=True)\n",
    ),
    Cheat(
        "a pickle of pointers",
        "a dtype whose state hides that its bytes are objects: addresses of forks are alike",
        before=REPLY
        + "import numpy as np\nfields = {'a': (np.dtype('O'), 0)}\nkind = Call(np.dtype, ('V8', False, True), (3, '|', None, ('a',), fields, 8, 1, 0))\nreply(pickle.dumps(Call(np.ndarray, ((1,), kind, struct.pack('<Q', id(eval)))), 4), raw=True)\n",
    ),
    Cheat(
        "an array of pointers",
        "objects in the form of bytes",
        before=REPLY
        + "forge(['array', ['O', [3], False, 0], []], buffers=[struct.pack('<Q', id(eval)) * 3])\n",
    ),
    Cheat(
        "a structure of pointers",
        "objects as a field in the form of bytes",
        before=REPLY
        + "forge(['array', [['fields', ['a'], ['O'], [0], 8, [None]], [3], False, 0], []], buffers=[struct.pack('<Q', id(eval)) * 3])\n",
    ),
    Cheat(
        "code in the result",
        "os.system by name",
        before=REPLY + "forge(['function', ['os', 'system'], []])\n",
    ),
    Cheat(
        "eval in the result",
        "as the method of a frame",
        before=REPLY + "forge(['function', ['pandas.core.frame', 'DataFrame.eval'], []])\n",
    ),
    Cheat(
        "a patched class",
        "a class as the object whose attributes are set",
        before=REPLY
        + "forge(['object', ['builtins', 'type', ['equals']], [[5]]], ['builtin', 'tuple', []])\n",
    ),
    Cheat(
        "a class of its own",
        "made while the result is read",
        before=REPLY + "forge(['object', ['__main__', 'Same', []], []])\n",
    ),
    Cheat(
        "a shadowed predict",
        "an estimator whose method is an attribute",
        before=REPLY
        + "import sklearn.linear_model\nforge(['object', ['sklearn.linear_model._base', 'LinearRegression', ['predict']], [[5]]], ['builtin', 'tuple', []])\n",
        library="Sklearn",
    ),
    Cheat(
        "equal to anything, by unittest",
        "mock.ANY as the items of a list",
        after="from unittest.mock import ANY\n@RESULT@ = [ANY] * 3\n",
    ),
    Cheat(
        "equal to anything, in an object array",
        "mock.ANY as its cells",
        after="import numpy as np\nfrom unittest.mock import ANY\n@RESULT@ = np.full(3, ANY, dtype=object)\n",
    ),
    Cheat(
        "equal to anything, in a frame",
        "mock.ANY as its cells",
        after="import pandas as pd\nfrom unittest.mock import ANY\n@RESULT@ = pd.DataFrame({'a': [ANY] * 3}, dtype=object)\n",
    ),
    Cheat(
        "equal to anything, by its name",
        "a message that says mock.ANY",
        before=REPLY
        + "forge(['list', None, [[5], [5], [5]]], ['object', ['unittest.mock', '_ANY', []], []])\n",
    ),
    Cheat(
        "an address for an array",
        "a dictionary of scikit-learn's with __array_interface__",
        before=REPLY
        + "import sklearn.utils\nforge(['object', ['sklearn.utils._bunch', 'Bunch', []], ['__array_interface__', [5]]], ['dict', None, ['data', [6], 'shape', [7], 'typestr', '<f8', 'version', 3]], ['tuple', None, [id(eval), False]], ['tuple', None, [3]])\n",
        library="Sklearn",
    ),
    Cheat(
        "an array that says what it is",
        "__array_interface__ as an attribute",
        before=REPLY
        + "import sklearn.linear_model\nforge(['object', ['sklearn.linear_model._base', 'LinearRegression', ['__array_interface__']], [[5]]], ['dict', None, []])\n",
        library="Sklearn",
    ),
    Cheat(
        "a sparse matrix beyond its shape",
        "indices that lead into other memory",
        after="import numpy as np, scipy.sparse\n@RESULT@ = scipy.sparse.csr_matrix(np.eye(3))\n@RESULT@.indices[:] = 1 << 24\n",
        library="Scipy",
    ),
    Cheat(
        "a sparse matrix out of order",
        "rows that begin behind the end",
        after="import numpy as np, scipy.sparse\n@RESULT@ = scipy.sparse.csc_matrix(np.eye(3))\n@RESULT@.indptr[1:] = 1 << 24\n",
        library="Scipy",
    ),
    Cheat(
        "figures that say yes",
        "one and true as the answer to whatever is read of them",
        before="import sys\ndrawn = sys.modules['inside.drawn']\ndrawn.DrawnTable.answer = lambda table, request: {'value': [] if request['kind'] == 'figures' else 1}\n",
        library="Matplotlib",
    ),
    Cheat(
        "figures that equal anything",
        "mock.ANY as the answer to whatever is read of them",
        before="import sys\nfrom unittest.mock import ANY\ndrawn = sys.modules['inside.drawn']\nhonest = drawn.DrawnTable.answer\ndrawn.DrawnTable.answer = lambda table, request: honest(table, request) if request['kind'] == 'figures' else {'value': ANY}\n",
        library="Matplotlib",
    ),
    # --- games ---
    Cheat(
        "timing",
        "an answer later than its deadline, by a clock that it stops",
        before="import time\ntime.monotonic = time.time = lambda: 0.0\n",
    ),
    Cheat(
        "random",
        "a seed that makes guesses come true",
        before="import random, numpy as np\nrandom.seed = np.random.seed = lambda *a: None\n",
    ),
    Cheat(
        "the next inputs",
        "remembers what it was asked, and answers with it",
        before="import builtins\nbuiltins.asked = getattr(builtins, 'asked', [])\nbuiltins.asked.append(globals().get('test_input'))\n",
        after="@RESULT@ = builtins.asked[0]\n",
    ),
    Cheat(
        "the surface form",
        "the words that a surface test asks for, in a comment",
        after="# import numpy, vectorize, OneHotEncoder, f, def\n",
    ),
)
