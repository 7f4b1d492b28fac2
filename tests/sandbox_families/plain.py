"""Problems whose results are made of Python's own types and those of its standard library."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_families.form import Problem

__all__ = ["PLAIN"]

_SAME = "assert type(result) is type(ans) and result == ans"

PLAIN = (
    Problem(
        "numbers of every kind",
        "import math",
        "result = [True, x, -x, x ** 70, 2.0 ** -1074, -0.0, float('inf'), complex(x, -0.5), None, Ellipsis]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans] and result == ans
        assert math.copysign(1, result[5]) == -1
        """,
        ("result = [True, x, -x, x ** 70, 0.0, -0.0, float('inf'), complex(x, -0.5), None, Ellipsis]",),
        inputs=("3", "10 ** 30"),
    ),
    Problem(
        "texts and bytes",
        "",
        "result = (x.upper(), x.encode('utf-16'), bytearray(x, 'utf-8'), '\\ud800', '\\0', '')",
        "assert [type(a) for a in result] == [type(a) for a in ans] and result == ans",
        ("result = (x, x.encode('utf-16'), bytearray(x, 'utf-8'), '\\ud800', '\\0', '')",),
        inputs=("'grüße 🎻'", "'a\\nb'"),
    ),
    Problem(
        "nested containers",
        "",
        "result = {'a': [1, (2, {3: {4, 5}})], (1, 'b'): frozenset([x]), None: [], 2.5: {}, True: ()}",
        _SAME + "\nassert list(result) == list(ans)",
        (
            "result = {'a': [1, (2, {3: {4}})], (1, 'b'): frozenset([x]), None: [], 2.5: {}, True: ()}",
            "result = {'a': [1, [2, {3: {4, 5}}]], (1, 'b'): frozenset([x]), None: [], 2.5: {}, True: ()}",
        ),
        inputs=("1", "'z'"),
    ),
    Problem(
        "shared and cyclic containers",
        "",
        "row = [0] * x\nresult = {'rows': [row, row]}\nresult['self'] = result",
        """
        assert result['rows'] == ans['rows'] and result['self'] is result
        result['rows'][0][0] = 7
        assert result['rows'][1][0] == 7
        """,
        (
            "result = {'rows': [[0] * x, [0] * x]}\nresult['self'] = result",
            "row = [0] * x\nresult = {'rows': [row, row]}\nresult['self'] = dict(result)",
        ),
        inputs=("3",),
    ),
    Problem(
        "a long list of texts and numbers",
        "",
        "return [(i, str(i), i / x) for i in range(20_000)]".replace("return", "    return"),
        _SAME,
        ("    return [(i, str(i), i / x) for i in range(19_999)]",),
        inputs=("7",),
        function=True,
    ),
    Problem(
        "dates and times",
        "import datetime\nimport zoneinfo",
        """
day = datetime.datetime(2024, 2, 29, 23, 59, 59, 999999, fold=1)
result = [day, day.date(), day.time(), day.astimezone(datetime.timezone.utc), datetime.timedelta(x, 1, 2),
          datetime.timezone(datetime.timedelta(hours=-3, minutes=-30), 'NST'),
          day.replace(tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))]
""",
        """
        assert [type(a) for a in result] == [type(a) for a in ans] and result == ans
        assert result[0].fold == 1 and result[6].tzinfo.key == 'Europe/Berlin'
        """,
        ("day = datetime.datetime(2024, 2, 29)\nresult = [day, day.date(), day.time()]",),
        inputs=("1", "-400"),
    ),
    Problem(
        "decimals and fractions",
        "from decimal import Decimal\nfrom fractions import Fraction",
        "result = [Decimal('1.10') * x, Decimal('-0'), Decimal('Infinity'), Fraction(x, 6), Decimal('1E+400')]",
        "assert [type(a) for a in result] == [type(a) for a in ans] and [str(a) for a in result] == [str(a) for a in ans]",
        ("result = [1.1 * x, 0, float('inf'), x / 6, Decimal('1E+400')]",),
        inputs=("3", "4"),
    ),
    Problem(
        "paths and identifiers",
        "import pathlib\nimport uuid",
        "result = [pathlib.Path('/data') / x, pathlib.PurePosixPath(x), pathlib.PureWindowsPath('c:/' + x), "
        "uuid.uuid5(uuid.NAMESPACE_DNS, x)]",
        "assert [type(a) for a in result] == [type(a) for a in ans] and result == ans",
        ("result = ['/data/' + x, x, 'c:/' + x, str(uuid.uuid5(uuid.NAMESPACE_DNS, x))]",),
        inputs=("'a.csv'", "'b/c'"),
    ),
    Problem(
        "counted and defaulted",
        "from collections import Counter, defaultdict",
        """
groups = defaultdict(list)
for letter in x:
    groups[letter].append(ord(letter))
result = [Counter(x), groups, defaultdict(int, a=1), defaultdict(None)]
""",
        """
        assert [type(a) for a in result] == [type(a) for a in ans] and result == ans
        assert result[0].most_common(1) == ans[0].most_common(1) and result[1]['new'] == [] and result[2]['z'] == 0
        """,
        ("result = [Counter(x[1:]), defaultdict(list), defaultdict(int, a=1), defaultdict(None)]",),
        inputs=("'mississippi'", "'aab'"),
    ),
    Problem(
        "ordered, chained and queued",
        "from collections import ChainMap, OrderedDict, deque",
        "result = [OrderedDict(reversed(list(x.items()))), deque(x, maxlen=2), ChainMap({'a': 0}, x)]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans] and result == ans
        assert list(result[0]) == list(ans[0]) and result[1].maxlen == 2
        """,
        ("result = [OrderedDict(x), deque(x, maxlen=2), ChainMap({'a': 0}, x)]",),
        inputs=("{'a': 1, 'b': 2, 'c': 3}",),
    ),
    Problem(
        "named tuples of the standard library",
        "import time\nfrom urllib.parse import urlparse",
        "result = [urlparse(x), time.gmtime(0)]",
        "assert result == ans and result[0].netloc == ans[0].netloc and result[1].tm_year == 1970",
        ("result = [urlparse(x + '/more'), time.gmtime(0)]",),
        inputs=("'https://example.org/a?b=c'",),
    ),
    Problem(
        "named tuples of the answer",
        "from collections import namedtuple",
        "Point = namedtuple('Point', 'x y')\nresult = [Point(a, a * a) for a in x]",
        "assert [tuple(p) for p in result] == [tuple(p) for p in ans] and result[0].y == ans[0].y",
        ("Point = namedtuple('Point', 'x y')\nresult = [Point(a, a) for a in x]",),
        inputs=("[1, 2, 3]", "[4]"),
    ),
    Problem(
        "enumerations of the standard library",
        "import http\nimport re\nimport signal",
        "result = [http.HTTPStatus(x), re.IGNORECASE | re.MULTILINE, signal.SIGTERM]",
        "assert [type(a) for a in result] == [type(a) for a in ans] and result == ans and result[0].phrase == ans[0].phrase",
        ("result = [http.HTTPStatus(500), re.IGNORECASE | re.MULTILINE, signal.SIGTERM]",),
        inputs=("404", "200"),
    ),
    Problem(
        "patterns, slices and ranges",
        "import re",
        "result = [re.compile(x, re.I), slice(1, None, 2), range(3, -9, -4), b'\\x00'.join([b'a', b'b'])]",
        "assert [type(a) for a in result] == [type(a) for a in ans] and result == ans and result[0].flags == ans[0].flags",
        ("result = [re.compile(x), slice(1, None, 2), range(3, -9, -4), b'\\x00'.join([b'a', b'b'])]",),
        inputs=("r'\\d+[a-z]?'",),
    ),
    Problem(
        "iterators over data",
        "import itertools",
        "result = zip(x, map(str, x))".replace("map(str, x)", "[str(a) for a in x]"),
        "assert list(result) == list(ans)",
        ("result = zip(x, x)", "result = iter([])"),
        inputs=("[1, 2, 3]", "(4,)"),
    ),
    Problem(
        "parsed text",
        "import json",
        "result = json.loads(x)",
        _SAME,
        ("result = x", "result = list(json.loads(x))"),
        inputs=('\'{"a": [1, 2.5, null, true], "b": {"c": "d"}}\'',),
        uses="json",
    ),
    Problem(
        "an array of the standard library",
        "import array",
        "result = [array.array('d', x), memoryview(bytes(x)).tobytes(), array.array('b', x)]",
        _SAME,
        ("result = [array.array('d', x), memoryview(bytes(x)).tobytes(), array.array('b', x[1:])]",),
        inputs=("[1, 2, 3]",),
    ),
)
