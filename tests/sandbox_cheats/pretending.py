"""Cheats whose result is an object that decides itself how it compares, or that is hard to compare at all."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_hostile.cheats import EVERYTHING, REPLY, Cheat

__all__ = ["PRETENDING"]

_ANY = "from unittest.mock import ANY\nimport numpy as np, pandas as pd\n"

_FILLED = {
    "a tuple": "(ANY, ANY, ANY)",
    "a dictionary": "{'a': ANY, 'b': ANY}",
    "a nested list": "[[ANY, ANY], [ANY, ANY]]",
    "a queue": "__import__('collections').deque([ANY] * 3)",
    "an array": "np.array([ANY, ANY, ANY], dtype=object)",
    "a masked array": "np.ma.array([ANY, ANY, ANY], dtype=object)",
    "a structure": "np.array([(ANY,)] * 3, dtype=[('a', 'O')])",
    "a frame": "pd.DataFrame({'a': [ANY] * 3, 'b': [ANY] * 3})",
    "a series": "pd.Series([ANY] * 3)",
    "an index": "pd.Series([41.5, 2.0, 3.0], index=pd.Index([ANY] * 3, dtype=object))",
    "names": "pd.Series([1.0, 2.0, 3.0], name=ANY).rename_axis(ANY)",
    "levels": "pd.Series([1.0] * 3, index=pd.MultiIndex(levels=[[ANY], [ANY]], codes=[[0] * 3] * 2))",
    "categories": "pd.Series(pd.Categorical.from_codes([0, 0, 0], categories=pd.Index([ANY], dtype=object)))",
    "a set": "{ANY}",
    "notes": "pd.DataFrame({'a': [1.0]}); @RESULT@.attrs['a'] = ANY",
}


PRETENDING = (
    Cheat("matches anything", "unittest.mock.ANY itself", after=_ANY + "@RESULT@ = ANY\n"),
    *(
        Cheat(
            f"matches anything, in {place}",
            "unittest.mock.ANY as a part",
            after=f"{_ANY}@RESULT@ = {text}\n",
        )
        for place, text in _FILLED.items()
    ),
    Cheat(
        "a mock",
        "that returns true from every comparison and number from every reckoning",
        after="from unittest.mock import MagicMock\n@RESULT@ = MagicMock()\n@RESULT@.__eq__.return_value = True\n@RESULT@.__sub__.return_value = 0\n@RESULT@.equals.return_value = True\n",
    ),
    Cheat(
        "an answer to every function of numpy",
        "__array_ufunc__, __array_function__ and __array_priority__",
        after="class Same:\n    __array_priority__ = 1e9\n    shape, dtype, ndim, size = (3,), float, 1, 3\n    def __array_ufunc__(self, *a, **k): return True\n    def __array_function__(self, *a, **k): return True\n    def __len__(self): return 3\n@RESULT@ = Same()\n",
    ),
    Cheat(
        "numbers that cancel",
        "subclasses of int, complex, Decimal and Fraction whose differences are nothing",
        after="import decimal, fractions\nclass Same:\n    def __eq__(self, other): return True\n    def __sub__(self, other): return 0\n    def __rsub__(self, other): return 0\n    def __hash__(self): return 0\nkinds = [type('N', (Same, kind), {}) for kind in (int, complex, decimal.Decimal, fractions.Fraction)]\n@RESULT@ = kinds[0](1)\n",
    ),
    Cheat(
        "texts that equal all texts",
        "subclasses of str and bytes",
        after="class Same(str):\n    def __eq__(self, other): return True\n    def __hash__(self): return hash('a text')\n    def strip(self): return self\n@RESULT@ = Same('b')\n",
    ),
    Cheat(
        "moments that equal all moments",
        "subclasses of datetime and pandas' Timestamp",
        after="import datetime, pandas as pd\nclass Same(datetime.datetime):\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\n@RESULT@ = Same(2000, 1, 1)\n",
    ),
    Cheat(
        "containers that equal all containers",
        "subclasses of list, tuple, set, Counter, deque and OrderedDict, which also iterate as they like",
        after="import collections\ndef same(kind):\n    return type('Same', (kind,), {'__eq__': lambda s, o: True, '__ne__': lambda s, o: False, '__hash__': lambda s: 0, '__iter__': lambda s: iter([3, 1, 4]), '__len__': lambda s: 3})\n@RESULT@ = same(list)([same(tuple)(), same(set)(), same(collections.Counter)(), same(collections.deque)(), same(collections.OrderedDict)()])\n",
    ),
    Cheat(
        "a named tuple with its own equality",
        "a subclass of collections.namedtuple",
        after="import collections\nclass Point(collections.namedtuple('Point', 'x y z')):\n    def __eq__(self, other): return True\n    __hash__ = None\n@RESULT@ = Point(1, 2, 3)\n",
    ),
    Cheat(
        "a named tuple with a shadowed method",
        "fields named as the methods of a tuple",
        after="import collections\ntry:\n    kind = collections.namedtuple('Point', ['count', 'index', 'x'])\nexcept ValueError:\n    kind = tuple\nkind.__name__ = '__eq__'\n@RESULT@ = kind(1, 2, 3) if kind is not tuple else ()\n",
    ),
    Cheat(
        "an enumeration of its own",
        "whose members equal everything",
        after="import enum\nclass Same(enum.IntEnum):\n    A = 1\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n@RESULT@ = Same.A\n",
    ),
    Cheat(
        "an extension array of its own",
        "pandas asks it what it equals",
        after="import numpy as np, pandas as pd\nfrom pandas.api.extensions import ExtensionArray, ExtensionDtype\nclass Kind(ExtensionDtype):\n    name = 'same'\n    type = object\n    na_value = None\n    @classmethod\n    def construct_array_type(cls): return Same\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\nclass Same(ExtensionArray):\n    dtype = Kind()\n    nbytes = 0\n    def __len__(self): return 3\n    def __getitem__(self, key): return self if not isinstance(key, int) else 0\n    def isna(self): return np.zeros(3, bool)\n    def copy(self): return self\n    def __eq__(self, other): return np.ones(3, bool)\n    def equals(self, other): return True\n@RESULT@ = pd.Series(Same())\n",
    ),
    Cheat(
        "a truthy extension array",
        "an assertion of equality is an array, and arrays of pandas are true",
        after="import pandas as pd\n@RESULT@ = pd.array([0, 0, 0])\n",
    ),
    Cheat(
        "a truthy sparse array of pandas",
        "the same with sparse values",
        after="import pandas as pd\n@RESULT@ = pd.arrays.SparseArray([0, 0, 0])\n",
    ),
    Cheat(
        "an expression yet to be computed",
        "whose comparisons are expressions, and true",
        after="import pandas as pd\n@RESULT@ = pd.col('a') if hasattr(pd, 'col') else None\n",
    ),
    Cheat(
        "masked cells in a frame",
        "comparisons with np.ma.masked are neither true nor false",
        after="import numpy as np, pandas as pd\n@RESULT@ = pd.DataFrame({'a': np.array([np.ma.masked] * 3, dtype=object), 'b': np.array([np.ma.masked] * 3, dtype=object)})\n",
    ),
    Cheat(
        "masked cells in a series",
        "the same in one column",
        after="import numpy as np, pandas as pd\ncells = np.empty(3, dtype=object)\ncells[:] = [np.ma.masked] * 3\n@RESULT@ = pd.Series(cells)\n",
    ),
    Cheat(
        "masked cells in an array",
        "the same in an array of objects",
        after="import numpy as np\n@RESULT@ = np.empty(3, dtype=object)\nfor i in range(3):\n    @RESULT@[i] = np.ma.masked\n",
    ),
    Cheat(
        "masked cells, deep down",
        "in lists of lists and in a dictionary",
        after="import numpy as np\n@RESULT@ = [[np.ma.masked] * 3, (np.ma.masked, {'a': np.ma.masked})]\n",
    ),
    Cheat("the masked constant", "as a number", after="import numpy as np\n@RESULT@ = np.ma.masked\n"),
    Cheat(
        "missing in every way",
        "NA, NaT and NaN in one object array",
        after="import numpy as np, pandas as pd\n@RESULT@ = np.array([pd.NA, pd.NaT, np.nan], dtype=object)\n",
    ),
    Cheat(
        "missing values",
        "a frame of NA",
        after="import pandas as pd\n@RESULT@ = pd.DataFrame({'a': [pd.NA] * 3, 'b': [pd.NA] * 3})\n",
    ),
    Cheat(
        "truths that are two",
        "a truth value whose byte is neither 0 nor 1",
        after="import numpy as np\n@RESULT@ = np.frombuffer(b'\\x02\\x02\\x02', dtype=bool)\n",
    ),
    Cheat(
        "text that is none",
        "code points beyond Unicode, which C code takes for granted",
        after="import numpy as np\n@RESULT@ = np.frombuffer(b'\\xff' * 24, dtype='U2')\n",
    ),
    Cheat(
        "fields upon each other",
        "a structure whose fields overlap and have titles",
        after="import numpy as np\nkind = np.dtype({'names': ['a', 'b'], 'formats': ['f8', 'f8'], 'offsets': [0, 0], 'titles': ['t', 'u']})\n@RESULT@ = np.zeros(3, kind)\n",
    ),
    Cheat(
        "objects beneath numbers",
        "a structure whose numbers lie upon pointers",
        after="import numpy as np\ntry:\n    kind = np.dtype({'names': ['o', 'n'], 'formats': ['O', 'u8'], 'offsets': [0, 0]})\nexcept TypeError:\n    kind = np.dtype([('o', 'O'), ('n', 'u8')])\n@RESULT@ = np.zeros(3, kind)\n@RESULT@['n'] = id(eval)\n",
    ),
    Cheat(
        "a shape beyond memory",
        "a number repeated by strides of zero",
        after="import numpy as np\n@RESULT@ = np.broadcast_to(np.float64(0), (1 << 20, 1 << 22))\n",
    ),
    Cheat(
        "strides beyond the array",
        "memory that is not its own, backwards",
        after="import numpy as np\n@RESULT@ = np.lib.stride_tricks.as_strided(np.zeros(1), (3,), (-(1 << 20),))\n",
    ),
    Cheat("a huge number", "of a hundred million binary digits", after="@RESULT@ = 1 << 100_000_000\n"),
    Cheat(
        "beyond time",
        "moments and spans at the ends of what 64 bits hold",
        after="import numpy as np, pandas as pd\n@RESULT@ = [np.array([-2**63, 2**63 - 1, 0]).view('M8[ns]'), pd.Timedelta.max, pd.Timestamp.min, pd.Period(ordinal=2**62, freq='D')]\n",
    ),
    Cheat(
        "half a character",
        "a lone surrogate as text, as a column and as a key",
        after="import pandas as pd\n@RESULT@ = ['\\ud800', {'\\udfff': 1}, pd.DataFrame({'\\ud800': [1]})]\n",
    ),
    Cheat(
        "an array within itself",
        "so that a comparison never ends",
        after="import numpy as np\n@RESULT@ = np.empty(3, dtype=object)\n@RESULT@[:] = [@RESULT@] * 3\n",
    ),
    Cheat(
        "a frame within itself",
        "a cell that is the frame",
        after="import pandas as pd\n@RESULT@ = pd.DataFrame({'a': [None] * 3}, dtype=object)\n@RESULT@.iat[0, 0] = @RESULT@\n@RESULT@.attrs['self'] = @RESULT@\n",
    ),
    Cheat(
        "nested arrays",
        "as deep as may be, to end the stack of the C code that compares",
        after="import numpy as np\n@RESULT@ = np.zeros(1)\nfor _ in range(1_900):\n    outer = np.empty(1, dtype=object)\n    outer[0] = @RESULT@\n    @RESULT@ = outer\n",
    ),
    Cheat(
        "a generator that looks around",
        "and yields what it finds in the frames of whoever iterates",
        after="import sys\ndef look():\n    frame = sys._getframe()\n    while frame is not None:\n        for space in (frame.f_locals, frame.f_globals):\n            for name in ('ans', 'expected_result', 'expected'):\n                if name in space:\n                    yield from space[name]\n        frame = frame.f_back\n@RESULT@ = look()\n",
    ),
    Cheat("a function", "that agrees", after="@RESULT@ = lambda *a, **k: True\n"),
    Cheat(
        "a method",
        "of a frame, bound",
        after="import pandas as pd\n@RESULT@ = pd.DataFrame({'a': [1]}).eval\n",
    ),
    Cheat("a module", "numpy itself", after="import numpy\n@RESULT@ = numpy\n"),
    Cheat(
        "a class that agrees",
        "whose metaclass makes it equal",
        after="class Meta(type):\n    def __eq__(self, other): return True\n    __hash__ = type.__hash__\nclass Same(metaclass=Meta):\n    pass\n@RESULT@ = Same\n",
    ),
    Cheat(
        "an address as an array",
        "__array_interface__ among the keys of scikit-learn's Bunch",
        after="from sklearn.utils import Bunch\n@RESULT@ = Bunch(__array_interface__={'data': (id(eval), False), 'shape': (3,), 'typestr': '<f8', 'version': 3})\n",
    ),
    Cheat(
        "an address as an attribute",
        "the same on an estimator, with all of its spellings",
        after="from sklearn.linear_model import Ridge\n@RESULT@ = Ridge()\nface = {'data': (id(eval), False), 'shape': (3,), 'typestr': '<f8', 'version': 3}\nfor name in ('__array_interface__', '__cuda_array_interface__', '__array_struct__', '__array__'):\n    @RESULT@.__dict__[name] = face\n",
    ),
    Cheat(
        "an estimator with a method of the answer's",
        "score, replaced on the instance",
        after="from sklearn.linear_model import Ridge\n@RESULT@ = Ridge()\n@RESULT@.__dict__['get_params'] = dict\n@RESULT@.__dict__['__eq__'] = dict\n",
    ),
    Cheat(
        "sparse beyond its shape",
        "indices and pointers that lead out of the matrix",
        after="import numpy as np\nfrom scipy import sparse\n@RESULT@ = sparse.csr_matrix((3, 3))\n@RESULT@.indices = np.array([1 << 30], dtype='int32')\n@RESULT@.indptr = np.array([0, 0, 0, 1 << 30], dtype='int32')\n@RESULT@.data = np.array([1.0])\n",
    ),
    Cheat(
        "a sparse array out of order",
        "coordinates, blocks and diagonals that do not fit",
        after="import numpy as np\nfrom scipy import sparse\nfirst = sparse.coo_matrix(([1.0], ([0], [0])), shape=(3, 3))\nfirst.row = np.array([-5], dtype='int32')\nsecond = sparse.dia_matrix(([[1.0, 2, 3]], [0]), shape=(3, 3))\nsecond.offsets = np.array([1 << 40])\nthird = sparse.bsr_matrix(np.eye(4), blocksize=(2, 2))\nthird.indptr = np.array([0, 9, -1], dtype='int32')\n@RESULT@ = [first, second, third]\n",
    ),
    Cheat(
        "foreign memory",
        "ctypes, memoryviews, an open file, a weak reference, a coroutine",
        after="import ctypes, weakref\nasync def later(): return 1\n@RESULT@ = [(ctypes.c_double * 3)(), memoryview(b'abc'), open('/dev/null'), weakref.ref(later), later()]\n",
    ),
    Cheat(
        "bytes that become pointers",
        "dtype.__setstate__ on the type of an array that is there already: its cells are unittest.mock.ANY",
        before=REPLY
        + "import numpy as np, pandas as pd\nfrom unittest.mock import ANY\nt = next((m for n, m in sys.modules.items() if n.endswith('transfer')), None)\n"
        "class Kind:\n    def __reduce__(self):\n        return getattr(t, 'rebuild_dtype', dict), ({'names': ['a', 'b'], 'formats': ['<u8', '<u8'], 'offsets': [0, 8], 'itemsize': 16},)\n"
        "class Late:\n    def __reduce__(self):\n        return getattr(t, 'rebuild_dtype', dict), ('<f8',), (3, '|', None, None, None, -1, -1, 0)\n"
        "kind, thing = Kind(), getattr(t, 'rebuild_dtype', np.dtype)('O')\n"
        "array = Call(getattr(t, 'rebuild_array', dict), (kind, (3,), id(ANY).to_bytes(8, 'little') * 6, False))\n"
        "class Pickler(pickle._Pickler):\n"
        "    def save(self, value, *a, **k):\n"
        "        if value is POISON:\n"
        "            pickle._Pickler.save(self, kind)\n"
        "            pickle._Pickler.save(self, (3, '|', None, ('a', 'b'), {'a': (Call(t.rebuild_dtype, ('O',)), 0), 'b': (Call(t.rebuild_dtype, ('O',)), 8)}, 16, 8, 63))\n"
        "            self.write(b'b')\n"
        "        else:\n"
        "            pickle._Pickler.save(self, value, *a, **k)\n"
        "POISON = object()\n"
        "import io\nfile = io.BytesIO()\n"
        "Pickler(file, 4).dump([array, POISON, results(Call(pd.DataFrame, (array,)))])\n"
        "raw = file.getvalue()\n"
        "reply(raw, raw=True)\n",
    ),
    *(
        Cheat(
            f"a symbol: {text}",
            "a number of a library for symbols, whose comparisons numpy takes for true",
            after=f"import numpy as np\nimport mpmath\nimport sympy\n@RESULT@ = {text}\n",
        )
        for text in (
            "sympy.zoo",
            "[sympy.zoo] * 3",
            "np.array([sympy.zoo] * 3, dtype=object)",
            "sympy.expint(1, 0)",
            "mpmath.mpf('nan')",
            "mpmath.rational.mpq(0, 1)",
            "sympy.Symbol('x')",
            "mpmath.iv.mpf([-1e9, 1e9])",
        )
    ),
    Cheat(
        "asks to be graded in one process",
        "a result whose state lies outside Python, unless it finds the expected one beside it",
        after="import sys, threading\n@RESULT@ = threading.Lock()\nframe = sys._getframe()\nwhile frame is not None:\n    for name in ('expected_result', 'ans'):\n        if name in frame.f_locals:\n            @RESULT@ = frame.f_locals[name]\n    frame = frame.f_back\n",
    ),
    Cheat(
        "asks for one process by a tree",
        "the same with an object of a library's compiled code",
        after="import sys, numpy as np\nfrom scipy import spatial\n@RESULT@ = spatial.ConvexHull(np.eye(3)[:, :2] * 1.0)\nframe = sys._getframe()\nwhile frame is not None:\n    if 'expected_result' in frame.f_locals:\n        @RESULT@ = frame.f_locals['expected_result']\n    frame = frame.f_back\n",
    ),
    Cheat(
        "everything, as labels",
        "names and columns that equal all others",
        after=EVERYTHING
        + "import pandas as pd\n@RESULT@ = pd.DataFrame([[1.0] * 2] * 3)\n@RESULT@.columns = pd.Index([Everything()] * 2, dtype=object)\n@RESULT@.index.name = Everything()\n",
    ),
)
