"""Cheats that speak the encoding themselves: nodes that no honest program would send, in the place of the result."""

from __future__ import annotations

from sandbox_hostile.cheats import REPLY, Cheat

__all__ = ["FORGED", "forged"]

_AT = 4
"""The place of the result in the table of nodes that `forge` replies with: see `REPLY`."""


def forged(name: str, tries: str, *nodes: list, buffers: tuple[bytes, ...] = ()) -> Cheat:
    """Return the cheat that sends these nodes, the first as the result; a child `[k]` is the k-th of them."""
    placed = [
        [tag, meta, [[_AT + each[0]] if type(each) is list and each else each for each in children]]
        for tag, meta, children in nodes
    ]
    return Cheat(name, tries, before=f"{REPLY}forge(*{placed!r}, buffers={list(buffers)!r})\n")


_WORDS = b"\0\0\0\0"
_MATRIX = (
    ["sparse compressed", ["csr_matrix", [3, 3]], [[1], [2], [3]]],
    ["array", ["<f8", [1], False, 0], []],
    ["array", ["<i4", [1], False, 1], []],
    ["array", ["<i4", [4], False, 2], []],
)
_STR = ["builtin", "str", []]

FORGED = (
    forged(
        "forged: a function",
        "os.system and eval by name",
        ["list", None, [[1], [2]]],
        ["function", ["os", "system"], []],
        ["function", ["builtins", "eval"], []],
    ),
    forged("forged: a class", "subprocess.Popen by name", ["class", ["subprocess", "Popen"], []]),
    forged("forged: a module", "os as a namespace", ["namespace", "os", []]),
    forged(
        "forged: a dotted name", "a way through attributes", ["function", ["numpy", "ndarray.tofile"], []]
    ),
    forged(
        "forged: a shadowed method",
        "a frame whose equals is another",
        ["object", ["pandas.core.frame", "DataFrame", ["equals", "_mgr"]], [[1], None]],
        _STR,
    ),
    forged(
        "forged: Python's own attributes",
        "__class__, __dict__ and __eq__",
        [
            "object",
            ["sklearn.linear_model._ridge", "Ridge", ["__class__", "__eq__", "__dict__"]],
            [[1], [1], [1]],
        ],
        _STR,
    ),
    forged(
        "forged: a slot of Python's",
        "__dict__ as a whole",
        ["object", ["sklearn.linear_model._ridge", "Ridge", ["__dict__"]], [[1]]],
        ["dict", None, ["predict", [2]]],
        _STR,
    ),
    forged(
        "forged: a bare frame",
        "pandas' own class, never initialized",
        ["object", ["pandas.core.frame", "DataFrame", []], []],
    ),
    forged(
        "forged: a bare manager",
        "a class of compiled code, never initialized",
        ["object", ["pandas._libs.internals", "BlockManager", []], []],
    ),
    forged(
        "forged: a bare tree",
        "a class of compiled code, never initialized",
        ["object", ["sklearn.tree._tree", "Tree", []], []],
    ),
    forged(
        "forged: a bare generator",
        "a class of compiled code, never initialized",
        ["object", ["numpy.random._generator", "Generator", []], []],
    ),
    forged(
        "forged: a bare array", "numpy's own class, as an object", ["object", ["numpy", "ndarray", []], []]
    ),
    forged(
        "forged: a bare tensor", "torch's own class, as an object", ["object", ["torch", "Tensor", []], []]
    ),
    forged(
        "forged: pointers",
        "objects in the form of bytes",
        ["array", ["O", [3], False, 0], []],
        buffers=(bytes(24),),
    ),
    forged(
        "forged: texts as pointers",
        "texts of any length in the form of bytes",
        ["array", ["T", [3], False, 0], []],
        buffers=(bytes(48),),
    ),
    forged(
        "forged: pointers in a structure",
        "the same, one level down",
        ["array", [["fields", ["a"], ["O"], [0], 8], [3], False, 0], []],
        buffers=(bytes(24),),
    ),
    forged(
        "forged: pointers in a part of a structure",
        "the same, two levels down",
        ["array", [["fields", ["a"], [["sub", "O", [1]]], [0], 8], [3], False, 0], []],
        buffers=(bytes(24),),
    ),
    forged(
        "forged: numbers upon pointers",
        "fields that overlap, of objects and of numbers",
        ["objects", [["fields", ["o", "n"], ["O", "<u8"], [0, 0], 8], [1]], [[1]]],
        ["tuple", None, [None, 12345]],
    ),
    forged(
        "forged: fields beyond the item",
        "offsets past the size of the structure",
        ["array", [["fields", ["a"], ["<f8"], [1000], 8], [3], False, 0], []],
        buffers=(bytes(24),),
    ),
    forged(
        "forged: too few bytes",
        "a shape that the buffer does not fill",
        ["array", ["<f8", [1 << 20], False, 0], []],
        buffers=(bytes(8),),
    ),
    forged(
        "forged: a shape that wraps around",
        "whose product is nothing in 64 bits",
        ["array", ["<f8", [1 << 32, 1 << 32], False, 0], []],
        buffers=(b"",),
    ),
    forged(
        "forged: a negative shape",
        "and one with nothing in it but size",
        ["list", None, [[1], [2]]],
        ["array", ["<f8", [-1, -3], False, 0], []],
        ["array", ["<f8", [0, 1 << 60, 1 << 60], False, 1], []],
        buffers=(bytes(24), b""),
    ),
    forged(
        "forged: a type of a size of its own",
        "and texts of none",
        ["list", None, [[1], [2]]],
        ["dtype", "<f3", []],
        ["array", ["<U0", [1 << 40], False, 0], []],
        buffers=(b"",),
    ),
    forged(
        "forged: truths and texts",
        "bytes that are no value of their type",
        ["list", None, [[1], [2]]],
        ["array", ["|b1", [3], False, 0], []],
        ["array", ["<U1", [3], False, 1], []],
        buffers=(b"\7" * 3, b"\xff" * 12),
    ),
    forged(
        "forged: a buffer used twice",
        "bytes multiplied by reference",
        ["list", None, [[1], [2]]],
        ["bytes", 0, []],
        ["bytes", 0, []],
        buffers=(b"a",),
    ),
    forged(
        "forged: a buffer from behind",
        "and one that is not there",
        ["list", None, [[1], [2]]],
        ["bytes", -1, []],
        ["bytes", 7, []],
        buffers=(b"a",),
    ),
    forged(
        "forged: parts that are not there",
        "numbers beyond the table, and below",
        ["list", None, [[1], [-99], [99999999]]],
        ["list", None, []],
    ),
    forged("forged: a tuple within itself", "which nothing can make", ["tuple", None, [[0]]]),
    forged("forged: a set of lists", "what has no hash", ["set", None, [[1]]], ["list", None, []]),
    forged(
        "forged: a dictionary of its own keys",
        "a key that holds the dictionary",
        ["dict", None, [[1], 1]],
        ["tuple", None, [[0]]],
    ),
    forged("forged: brackets", "JSON as deep as it goes", ["list", eval("[" * 60 + "]" * 60), []]),
    forged(
        "forged: no number",
        "floats in the place of whole numbers, and True",
        ["array", ["<f8", [3.0], True, 0.0], []],
    ),
    forged(
        "forged: a sparse matrix",
        "indices beyond its columns",
        *_MATRIX,
        buffers=(bytes(8), (1 << 30).to_bytes(4, "little"), bytes(12) + b"\1\0\0\0"),
    ),
    forged(
        "forged: a sparse matrix's rows",
        "pointers beyond its entries",
        *_MATRIX,
        buffers=(bytes(8), bytes(4), bytes(12) + b"\0\0\0\x40"),
    ),
    forged(
        "forged: a sparse matrix turned",
        "pointers that go back",
        *_MATRIX,
        buffers=(bytes(8), bytes(4), b"\0\0\0\0\5\0\0\0\xfb\xff\xff\xff\1\0\0\0"),
    ),
    forged(
        "forged: a zone by path",
        "a file of the system in the place of a time zone",
        ["datetime", [2024, 1, 1, 0, 0, 0, 0, 0], [[1]]],
        ["zone", "../../../../etc/passwd", []],
    ),
    forged(
        "forged: a picture's object",
        "what was left in the program, which answers for it",
        ["drawn", [0, None, None], []],
    ),
    forged(
        "forged: a number that is left there",
        "an int in the program's hands",
        ["drawn", [0, "builtins", "int"], []],
    ),
    forged(
        "forged: a named tuple",
        "a class that is none, and fields by the wrong names",
        ["named tuple", ["os", "stat_result", ["__class__"]], [1, 2, 3]],
    ),
    forged("forged: an unknown kind", "a tag that there is not", ["nothing of the sort", None, []]),
    forged("forged: a kind that is no text", "a tag that is a list", [["list"], None, []]),
    forged(
        "forged: a masked array",
        "a mask of another shape and a fill of another type",
        ["masked array", False, [[1], [2], [3]]],
        ["array", ["<f8", [1], False, 0], []],
        ["array", ["|b1", [8], False, 1], []],
        ["array", ["<U1", [], False, 2], []],
        buffers=(bytes(8), bytes(8), bytes(4)),
    ),
    forged(
        "forged: a frame without columns for its labels",
        "tables whose parts differ",
        ["frame", [False, True], [[1], [1], [2], [3]]],
        ["range index", None, [0, 1 << 40, 1, None]],
        ["dict", None, []],
        ["array", ["<f8", [1], False, 0], []],
        buffers=(bytes(8),),
    ),
    forged(
        "forged: levels that are not there",
        "codes beyond the levels of an index",
        ["levels", 1, [[1], [2], None]],
        ["range index", None, [0, 2, 1, None]],
        ["array", ["|i1", [3], False, 0], []],
        buffers=(b"\x7f\x7f\x7f",),
    ),
    forged(
        "forged: categories that are not there",
        "codes beyond the categories",
        ["categories", False, [[1], [2]]],
        ["array", ["|i1", [3], False, 0], []],
        ["range index", None, [0, 2, 1, None]],
        buffers=(b"\x7f\x7f\x7f",),
    ),
    forged(
        "forged: a sparse column",
        "places beyond its length, out of order",
        ["sparse column", [3, False], [[1], [2], 0.0]],
        ["array", ["<f8", [2], False, 0], []],
        ["array", ["<i4", [2], False, 1], []],
        buffers=(bytes(16), b"\xff\xff\xff\x7f\1\0\0\0"),
    ),
    forged(
        "forged: what equals anything, in a frame",
        "a class of unittest.mock in a table",
        ["frame", [True, True], [[1], [1], [2], [3]]],
        ["range index", None, [0, 3, 1, None]],
        ["dict", None, []],
        ["objects", ["O", [3, 3]], [[4]] * 9],
        ["object", ["unittest.mock", "_ANY", []], []],
    ),
    forged(
        "forged: a distribution of anything",
        "frozen with what it is not made for",
        ["frozen", "norm", [[1], [2]]],
        ["tuple", None, [[3]]],
        ["dict", None, []],
        ["object", ["unittest.mock", "_ANY", []], []],
    ),
    forged(
        "forged: a factory",
        "a dictionary that makes what it lacks with a function",
        ["defaultdict", None, [[1]]],
        ["function", ["os", "getcwd"], []],
    ),
    forged("forged: Arrow", "a stream that is none", ["arrow", 0, []], buffers=(b"ARROW1" * 9,)),
)
