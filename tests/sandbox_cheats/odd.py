"""Cheats by odd values of honest types, and by what is decoded from the parts that a program may write itself."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from dataclasses import replace

from sandbox_cheats.forged import forged
from sandbox_hostile.cheats import REPLY, Cheat

__all__ = ["ODD"]

_IMPORTS = "import datetime\nimport numpy as np\nimport pandas as pd\n"


def _value(name: str, tries: str, code: str) -> Cheat:
    return Cheat(name, tries, after=f"{_IMPORTS}{code}\n")


ODD = (
    _value(
        "payloads of NaN",
        "every bit pattern that is no number, quiet and signalling",
        "@RESULT@ = np.array([0x7FF0000000000001, 0xFFF8DEADBEEF0000, 0x7FFFFFFFFFFFFFFF], dtype='u8').view('f8')",
    ),
    _value(
        "infinities and zeros of both signs",
        "whose differences are no number",
        "@RESULT@ = [np.inf, -0.0, np.array([np.inf, -np.inf, -0.0]), complex(np.inf, np.nan), np.longdouble('inf')]",
    ),
    _value(
        "notes on a type",
        "metadata of a dtype that equals anything",
        "from unittest.mock import ANY\n@RESULT@ = np.zeros(3, np.dtype('f8', metadata={'same': ANY}))",
    ),
    _value(
        "categories of containers",
        "tuples, intervals and moments as categories",
        "@RESULT@ = pd.Series(pd.Categorical.from_codes([0, 1, 2], [(1.5, 'p'), pd.Interval(0, 9), pd.Timestamp(0)]))",
    ),
    _value(
        "categories without any",
        "codes of nothing but what is missing",
        "@RESULT@ = pd.DataFrame({'a': pd.Categorical([None] * 3), 'b': pd.Categorical([None] * 3)})",
    ),
    _value(
        "names that are containers",
        "an index and columns named by NaN, tuples and frozen sets",
        "@RESULT@ = pd.DataFrame({'a': [0.0] * 3, 'b': ['x'] * 3})\n@RESULT@.index.name = (np.nan, frozenset([1]))\n@RESULT@.columns.name = float('nan')",
    ),
    _value(
        "notes and flags of a frame",
        "attrs within attrs, and labels that may not be given twice",
        "@RESULT@ = pd.DataFrame({'a': [0.0] * 3})\n@RESULT@.attrs = {'equals': {'a': @RESULT@.copy()}}\n@RESULT@.flags.allows_duplicate_labels = False",
    ),
    _value(
        "columns given many times",
        "so that a column is a frame",
        "@RESULT@ = pd.DataFrame(np.zeros((3, 4)), columns=['a', 'b', 'a', 'b'])",
    ),
    _value(
        "levels out of order",
        "an index of levels with unused ones, and codes of -1 alone",
        "@RESULT@ = pd.Series([0.0] * 3, index=pd.MultiIndex(levels=[['u', 'v'], [1.5]], codes=[[-1] * 3, [-1] * 3]))",
    ),
    _value(
        "a frame that is one array seen twice",
        "shared memory that a test's change reaches twice",
        "part = np.zeros(3)\n@RESULT@ = [part, part, part]\n@RESULT@.append(@RESULT@[:2])",
    ),
    _value(
        "a text of what compares alike",
        "letters that look like those, joined or apart, and white space of all kinds",
        "@RESULT@ = '\\u0430\\u00a0t\\u0435xt\\u200b\\ufeff'",
    ),
    _value(
        "numbers as texts",
        "in the hope of a conversion",
        "@RESULT@ = np.array(['nan', 'nan', 'nan'], dtype=object)",
    ),
    _value(
        "moments in a zone of their own",
        "whose offset is almost a day",
        "zone = datetime.timezone(datetime.timedelta(hours=23, minutes=59), 'UTC')\n@RESULT@ = datetime.datetime(2031, 5, 6, tzinfo=zone)",
    ),
    _value(
        "lists without end, all empty",
        "parts without content, each an object",
        "@RESULT@ = [[] for _ in range(200_000)]",
    ),
    _value(
        "an iterator without end",
        "that is run for what it gives",
        "import itertools\n@RESULT@ = itertools.repeat([0])",
    ),
    _value(
        "an iterator that raises in the end",
        "after it has given what may be enough",
        "def some():\n    yield from (0.0, 0.0, 0.0)\n    raise StopAsyncIteration\n@RESULT@ = some()",
    ),
    _value(
        "an iterator that is told to be another's",
        "its class says to be of Python's own",
        "class zip:\n    __module__ = 'builtins'\n    def __iter__(self): return self\n    def __next__(self): raise StopIteration\n    def __eq__(self, other): return True\n@RESULT@ = zip()",
    ),
    _value(
        "fields of nothing",
        "a structure whose items have no size",
        "@RESULT@ = np.zeros(3, dtype=[('a', 'V0'), ('b', 'S0')])",
    ),
    _value(
        "a sparse column of what is missing",
        "filled with NaN, and no value beside it",
        "@RESULT@ = pd.Series(pd.arrays.SparseArray([np.nan] * 3))",
    ),
    _value(
        "no cell at all, in every form",
        "a tuple of empty values",
        "@RESULT@ = (pd.Index([]), np.empty((0, 3)), np.empty((3, 0)), pd.DataFrame(index=range(3)), {})",
    ),
    Cheat(
        "a picture that changes after it was sent",
        "a thread rewrites every picture, again and again",
        before="import sys, threading, time\ndef rewrite():\n    import glob, shutil\n    for _ in range(300):\n        for name in glob.glob('**/*.png', recursive=True):\n            for other in ('output.png', '../grader/output.png', '../grader/ans.png'):\n                try:\n                    shutil.copy(name, other)\n                except (OSError, shutil.Error):\n                    pass\n        time.sleep(0.002)\nthreading.Thread(target=rewrite, daemon=True).start()\n",
        library="Matplotlib",
    ),
    Cheat(
        "artists that answer otherwise each time",
        "every getter of Matplotlib's gives one more of many things",
        before="import itertools, sys\nplt = sys.modules.get('matplotlib.pyplot')\nif plt is not None:\n    from matplotlib import artist\n    many = itertools.cycle(['', 'a', 0, 1, 1.0, True, None, (0.0, 1.0), 'r', '--', [], 'b'])\n    for kind in {artist.Artist, plt.Axes, plt.Figure, plt.Line2D}:\n        for name in dir(kind):\n            if name.startswith('get_') and name not in ('get_children', 'get_zorder', 'get_figure'):\n                try:\n                    setattr(kind, name, lambda *a, **k: next(many))\n                except (AttributeError, TypeError):\n                    pass\n",
        library="Matplotlib",
    ),
    Cheat(
        "says to have been refused",
        "so that it would be graded beside the expected value, which it looks for",
        before=REPLY
        + "import sys\nframe, seen = sys._getframe(), None\nwhile frame is not None:\n    seen = frame.f_locals.get('expected_result', seen)\n    frame = frame.f_back\nreply({'error': {'kind': 'failed', 'message': 'the result cannot leave the program: x', 'line': 1}, 'refused': True})\n",
    ),
    forged(
        "forged: a view of no pairs",
        "items that are none, and lists as keys",
        ["list", None, [[1], [2]]],
        ["view", ["dict", "items"], [1, 2, 3]],
        ["view", ["dict", "keys"], [[0]]],
    ),
    forged(
        "forged: an iterator of a kind that there is not",
        "and one of pairs that are none",
        ["list", None, [[1], [2], [3]]],
        ["iterator", "eval", [1]],
        ["iterator", "enumerate", [1]],
        ["iterator", "zip", [[4], 1]],
        ["tuple", None, [1, 2]],
    ),
    replace(
        forged(
            "forged: a match that takes for ever",
            "a pattern that backtracks without end",
            ["match", [0, 40, [[0, 40]]], [[1], "a" * 40]],
            ["pattern", 32, ["(a+)+b"]],
        ),
        slow=True,
    ),
    forged(
        "forged: an image larger than its bytes",
        "and one of a mode that there is not",
        ["list", None, [[1], [2]]],
        ["image", ["1", [1 << 20, 1 << 20], 0, None, True], []],
        ["image", ["RGB;evil", [1, 1], 1, None, True], []],
        buffers=(bytes(8), bytes(3)),
    ),
    forged(
        "forged: a distribution that is code",
        "a name that is written into a text",
        ["discrete", "x(){exec}", [[1], [1]]],
        ["array", ["<f8", [1], False, 0], []],
        buffers=(bytes(8),),
    ),
    forged(
        "forged: a zone of dateutil's by path",
        "a file of the system in the place of a time zone",
        ["dateutil zone", "../../../../etc/passwd", []],
    ),
    forged(
        "forged: a proxy of what equals anything",
        "a mapping whose mapping is another's",
        ["proxy", None, [[1]]],
        ["object", ["unittest.mock", "_ANY", []], []],
    ),
    forged(
        "forged: a refusal that would be run",
        "an object in the place of a text, which would say what it is by code of its own",
        ["poly1d", [], [[1]]],
        ["object", ["scipy.optimize._optimize", "OptimizeResult", []], ["message", "x", "itself", [1]]],
    ),
)
