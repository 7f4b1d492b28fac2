"""Messages that no honest program sends: each is one clean refusal, and nothing is called, loaded or patched."""

from __future__ import annotations

import pickle
import subprocess
import sys
import unittest.mock
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.sandbox.inside.encoding import ForbiddenResult, decode, encode, frame
from workbench.sandbox.inside.encoding import decoder as decoding


def forged(*nodes: Any, buffers: tuple = (), root: Any = (0,)) -> bytes:
    """Return the message of these nodes, the first of them the value."""
    return frame.pack(list(root) if isinstance(root, tuple) else root, list(nodes), buffers)


def refused(message: bytes, match: str | None = None) -> None:
    with pytest.raises(ForbiddenResult, match=match):
        decode(message)


# --- the frame ----------------------------------------------------------------------------------------------

WHOLE = encode({"a": [1, 2.5, "x"], "b": np.arange(4.0)})
FRAMES = {
    "nothing": b"",
    "a text": b"not a message at all, but long enough to be one",
    "a pickle": pickle.dumps([1, 2, 3], 4),
    "cut off": WHOLE[:-1],
    "too long": WHOLE + b"\0",
    "another magic": b"XXXX" + WHOLE[4:],
    "sizes of 2**62": WHOLE[:8] + (1 << 62).to_bytes(8, "little") + WHOLE[16:],
    "a million buffers": WHOLE[:4] + (1 << 20).to_bytes(4, "little") + WHOLE[8:],
    "no nodes": frame.pack([0], [], ()),
    "a tree that is a number": frame.pack([0], 7, ()),  # type: ignore[arg-type]
    "a root that is a dictionary": frame.pack({"a": 1}, [], ()),
    "a root of two": frame.pack([0, 1], [["list", None, []]], ()),
}


@pytest.mark.parametrize("message", FRAMES.values(), ids=FRAMES.keys())
def test_frame_is_refused(message: bytes):
    refused(message)


def test_brackets_without_end_are_refused():
    tree = b"[" * 100_000
    message = frame._HEADER.pack(b"WBV1", 0, len(tree)) + tree + b"\0" * (-len(tree) % 16)
    refused(message, "nested too deeply")


def test_bounds_of_depth_number_and_size(monkeypatch: pytest.MonkeyPatch):
    deep: list = []
    for _ in range(decoding.MAX_DEPTH + 10):
        deep = [deep]
    refused(encode(deep), "levels deep")
    monkeypatch.setattr(frame, "MAX_NODES", 100)
    refused(encode([[number] for number in range(200)]), "more than 100 objects")
    monkeypatch.setattr(frame, "MAX_TREE_BYTES", 1_000)
    refused(encode(["a" * 100] * 20), "more than 1000")


# --- nodes --------------------------------------------------------------------------------------------------

NODES = {
    "an unknown tag": [["system", "true", []]],
    "a tag that is a list": [[["list"], None, []]],
    "a node of two": [["list", None]],
    "a node that is a text": ["list"],
    "a child beyond the table": [["list", None, [[7]]]],
    "a child before the table": [["list", None, [[-1]]]],
    "a child by a truth": [["list", None, [[True]]]],
    "a child by two numbers": [["list", None, [[0, 0]]]],
    "a child that is a dictionary": [["list", None, [{"a": 1}]]],
    "children that are none": [["list", None, 7]],
    "a tuple in itself": [["tuple", None, [[0]]]],
    "a key without a value": [["dict", None, ["a"]]],
    "a list as a key": [["dict", None, [[1], 2]], ["list", None, []]],
    "a text that is none": [["text", 0, []]],
    "a number of words": [["int", "ten", []]],
    "a decimal that is code": [["decimal", "__import__('os')", []]],
    "a zone that is a path": [["named zone", "../../etc/passwd", []]],
    "a class of Python's modules": [["class", ["os", "_Environ"], []]],
    "a factory that runs": [["defaultdict", None, [[1]]], ["function", ["os", "system"], []]],
    "a dtype that is code": [["dtype", "f8,(2)f4", []]],
    "a dtype by the name of a class": [["dtype", "object", []]],
    "an array of a unit that is none": [["dtype", "<M8[x]", []]],
    "an array of no shape": [["array", ["<f8", None, False, 0], []]],
    "an array larger than its bytes": [["array", ["<f8", [9], False, 0], []]],
    "an array smaller than nothing": [["array", ["<f8", [-1], False, 0], []]],
    "an array of pointers": [["array", ["O", [1], False, 0], []]],
    "a structure of pointers": [["array", [["fields", ["a"], ["O"], [0], 8, [None]], [1], False, 0], []]],
    "a structure beyond its size": [
        ["array", [["fields", ["a"], ["<f8"], [4], 8, [None]], [1], False, 0], []]
    ],
    "truths that are neither": [["array", ["|b1", [8], False, 0], []]],
    "texts that are no Unicode": [["array", ["<U2", [1], False, 0], []]],
    "objects that are too many": [["objects", ["O", [1 << 40]], []]],
    "objects that are missing": [["objects", ["O", [2]], [1]]],
    "objects that are numbers": [["objects", ["<f8", [1]], [1.0]]],
    "bytes that are not there": [["bytes", 3, []]],
    "a mask of another shape": [["masked array", False, [[1], [2], [3]]], ["objects", ["O", [1]], [1]]] * 2,
    "a frame without an index": [["frame", [False, True], [1, 2, [1]]], ["dict", None, []]],
    "an index of one name and no values": [["index", None, [[1], None]], ["list", None, []]],
    "an offset that is a class": [["offset", ["os", 1, False], [[1]]], ["dict", None, []]],
    "a booster that is no JSON": [["booster", [0, 1], []]],
    "a tensor of the type of a function": [["tensor", ["load", [1], 0, [False, False]], [None]]],
    "a tensor larger than its bytes": [["tensor", ["float32", [1 << 40], 0, [False, False]], [None]]],
    "a figure where none may be": [["drawn", [0, None, None], []]],
    "a namespace that is a module": [["namespace", "os", []]],
    "a universal function that is none": [["ufunc", "load", []]],
    "a distribution that is a function": [["distribution", "fit", []]],
    "an Arrow stream that is none": [["arrow", ["table", 0], []]],
}


@pytest.mark.parametrize("nodes", NODES.values(), ids=NODES.keys())
def test_node_is_refused(nodes: list):
    refused(forged(*nodes, buffers=(b"\xff" * 8, b"\xff" * 8)))


def test_a_refusal_asks_no_object_what_it_says_of_itself(monkeypatch: pytest.MonkeyPatch):
    """A text that is an object was shown by its own `__repr__`, which runs on state of the sender's choice."""
    from sklearn.linear_model import LinearRegression

    monkeypatch.setattr(LinearRegression, "__repr__", lambda self, *_: pytest.fail("asked"))
    message = forged(["poly1d", "x", [[1]]], ["range", None, [[2], 1, 1]], _object(*LINEAR))
    refused(message, "no whole number .* a LinearRegression")


def test_bytes_are_not_used_twice():
    refused(forged(["list", None, [[1], [2]]], ["bytes", 0, []], ["bytes", 0, []], buffers=(b"12345678",)))


NAMES = """
os._Environ subprocess.Popen builtins.type functools.partial types.FunctionType unittest.mock._ANY
unittest.mock.MagicMock pickle.Unpickler weakref.ref threading.Thread socket.socket ctypes.CDLL
_pytest.monkeypatch.MonkeyPatch numpy.ndarray numpy.memmap pandas.core.nowhere.Nothing sklearn.tree._tree.Tree
torch._C.ScriptModule torch.Tensor workbench.sandbox.inside.grader._Solution
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_class_is_not_made(name: str):
    module, _, attribute = name.rpartition(".")
    refused(forged(["object", [module, attribute, []], []]))


FUNCTIONS = """
os.system builtins.eval builtins.getattr numpy.load numpy.save numpy.fromfile numpy.savetxt numpy.vectorize
pandas.read_pickle pandas.eval pandas.core.frame.DataFrame.eval torch.load torch.hub.load joblib.load
sklearn.datasets.fetch_openml scipy.io.loadmat matplotlib.pyplot.savefig workbench.sandbox.inside.grader.grade
"""


@pytest.mark.parametrize("name", FUNCTIONS.split())
def test_function_is_not_found(name: str):
    module, _, attribute = name.rpartition(".")
    refused(forged(["function", [module, attribute], []]))


# --- objects ------------------------------------------------------------------------------------------------

LINEAR = ("sklearn.linear_model._base", "LinearRegression")


def _object(*name: str, state: dict[str, Any] | None = None, items: tuple = ()) -> list:
    state = state or {}
    return ["object", [*name, list(state)], [*state.values(), *items]]


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    pytest.importorskip("sklearn.linear_model")
    pytest.importorskip("scipy.interpolate")
    pytest.importorskip("torch")


OBJECTS: dict[str, tuple[list, ...]] = {
    "a method": (_object(*LINEAR, state={"predict": [1]}), ["builtin", "tuple", []]),
    "the class": (_object(*LINEAR, state={"__class__": [1]}), ["builtin", "tuple", []]),
    "the dictionary": (_object(*LINEAR, state={"__dict__": [1]}), ["dict", None, []]),
    "an address": (_object(*LINEAR, state={"__array_interface__": [1]}), ["dict", None, []]),
    "a structure": (_object(*LINEAR, state={"__array_struct__": 7}),),
    "an array": (_object(*LINEAR, state={"__array__": 7}),),
    "equality": (_object(*LINEAR, state={"__eq__": [1]}), ["builtin", "bool", []]),
    "an address in a dictionary": (
        _object("sklearn.utils._bunch", "Bunch", items=("__array_interface__", [1])),
        ["dict", None, []],
    ),
    "names and values that differ in number": (["object", [*LINEAR, ["a", "b"]], [1]],),
    "a name twice": (["object", [*LINEAR, ["a", "a"]], [1, 2]],),
    "items where there are none": (_object(*LINEAR, items=(1, 2)),),
    "a forward": (
        _object("torch.nn.modules.linear", "Identity", state={"forward": [1]}),
        ["builtin", "int", []],
    ),
    "a function of files": (
        _object("sklearn.preprocessing._function_transformer", "FunctionTransformer", state={"func": [1]}),
        ["function", ["numpy", "load"], []],
    ),
}


@pytest.mark.parametrize("nodes", OBJECTS.values(), ids=OBJECTS.keys())
def test_object_is_refused(nodes: tuple[list, ...]):
    refused(forged(*nodes))
    refused(forged(["list", None, [[1]]], *_moved(nodes)))


def _moved(nodes: tuple[list, ...]) -> list[list]:
    """Return nodes that are numbered from 1."""
    return [
        [tag, meta, [[each[0] + 1] if type(each) is list else each for each in children]]
        for tag, meta, children in nodes
    ]


ANYTHING = {
    "a list": lambda thing: [thing] * 3,
    "an array": lambda thing: np.full(3, thing, dtype=object),
    "a frame": lambda thing: pd.DataFrame({"a": [thing] * 3}, dtype=object),
    "a dictionary": lambda thing: {"a": thing},
}


@pytest.mark.parametrize("hold", ANYTHING.values(), ids=ANYTHING.keys())
def test_what_equals_anything_does_not_leave(hold: Callable[[Any], Any]):
    with pytest.raises(ForbiddenResult, match="may not leave"):
        encode(hold(unittest.mock.ANY))


def test_object_that_equals_anything_is_refused(monkeypatch: pytest.MonkeyPatch):
    """Measured on the object: a class of a library whose equality its state decides."""
    from sklearn.gaussian_process import kernels

    monkeypatch.setattr(kernels.RBF, "__eq__", lambda self, other: True)
    monkeypatch.setattr(kernels.RBF, "__hash__", object.__hash__)
    refused(forged(_object("sklearn.gaussian_process.kernels", "RBF")), "equals anything")


def test_inner_class_stays_inside_its_library():
    """What only a library puts into its objects, a function here, is no result and no other library's state."""
    function = ["function", ["scipy.spatial.distance", "euclidean"], []]
    refused(forged(["list", None, [[1]]], function), "inside an object")
    refused(forged(_object(*LINEAR, state={"coef_": [1]}), function), "inside an object")


def test_reading_loads_no_module():
    before = set(sys.modules)
    for module in (
        "antigravity",
        "this",
        "sklearn.tests.test_base",
        "scipy.nothing",
        "xml.dom",
        "torch.hub.x",
    ):
        refused(forged(["object", [module, "Thing", []], []]))
    assert {
        name for name in set(sys.modules) - before if not name.startswith(("scipy", "torch.hub"))
    } == set()


# --- parts that compiled code takes for granted -------------------------------------------------------------


def _csr(**parts: Any) -> bytes:
    whole = {"data": np.ones(3), "indices": np.arange(3, dtype="i4"), "indptr": np.arange(4, dtype="i4")}
    whole.update(parts)
    name = parts.pop("name", "csr_matrix")
    arrays = [encode_parts(whole[key]) for key in ("data", "indices", "indptr")]
    nodes = [["sparse compressed", [name, list(parts.get("shape", (3, 3)))], [[1], [2], [3]]]]
    for number, array in enumerate(arrays):
        nodes.append(["array", [array[0], array[1], False, number], []])
    return forged(*nodes, buffers=tuple(array[2] for array in arrays))


def encode_parts(array: np.ndarray) -> tuple[str, list[int], bytes]:
    return array.dtype.str, list(array.shape), array.tobytes()


SPARSE: dict[str, dict[str, Any]] = {
    "an index beyond": {"indices": np.array([0, 1, 3], "i4")},
    "an index below": {"indices": np.array([0, -1, 2], "i4")},
    "rows that go back": {"indptr": np.array([0, 2, 1, 3], "i4")},
    "rows that begin late": {"indptr": np.array([1, 1, 2, 3], "i4")},
    "rows that end late": {"indptr": np.array([0, 1, 2, 9], "i4")},
    "too few rows": {"indptr": np.array([0, 3], "i4")},
    "more numbers than indices": {"data": np.ones(9)},
    "a shape of one too many": {"shape": (3, 3, 3)},
    "indices that are no numbers": {"indices": np.zeros(3)},
    "indices of two kinds": {"indptr": np.arange(4, dtype="i8")},
}


@pytest.mark.parametrize("parts", SPARSE.values(), ids=SPARSE.keys())
def test_sparse_matrix_is_refused(parts: dict[str, Any]):
    import scipy.sparse

    assert decode(_csr()).nnz == 3
    refused(_csr(**parts))
    del scipy


def test_sparse_tensor_stays_within_its_shape():
    import torch

    message = encode(torch.sparse_coo_tensor(torch.tensor([[1]]), torch.ones(1), (2,)))
    assert decode(message).shape == (2,)
    refused(message.replace(b'["sparse tensor",[[2]', b'["sparse tensor",[[1]'))


def test_tree_that_leads_nowhere_is_refused():
    """A tree of scikit-learn's is walked without a look at where its nodes lead."""
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]).tree_
    message = encode(tree)
    assert decode(message).node_count == 3
    nodes = tree.__reduce__()[2]["nodes"]
    wild = nodes.copy()
    wild["left_child"][0] = 1 << 40
    refused(message.replace(nodes.tobytes(), wild.tobytes()))


def test_generator_keeps_within_its_key():
    generator = np.random.RandomState(3)
    message = encode(generator)
    assert decode(message).random_sample() == generator.random_sample()
    refused(message.replace(b'"pos",624', b'"pos",999'), "whole number")


def test_pointers_never_become_objects():
    """In a process of its own: what would be wrong ends the interpreter."""
    lines = (
        "from workbench.sandbox.inside.encoding import decode, frame, ForbiddenResult\n"
        "for dtype in ('O', ['fields', ['a'], ['O'], [0], 8, [None]], ['sub', 'O', [1]], '|O8'):\n"
        "    message = frame.pack([0], [['array', [dtype, [1], False, 0], []]], [b'A' * 8])\n"
        "    try:\n"
        "        print(decode(message))\n"
        "    except ForbiddenResult:\n"
        "        print('refused')\n"
    )
    ran = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == ("refused\n" * 4, 0)


def test_class_that_evaluates_text_is_refused():
    """A formula's environment evaluates what its factors hold as text, so no result may hold one."""
    import sklearn.linear_model._base as library

    class Runs:
        __module__, __qualname__ = library.__name__, "Runs"

        def go(self) -> object:
            return eval(self.text)  # type: ignore[attr-defined]

    library.Runs = Runs  # type: ignore[attr-defined]
    try:
        refused(forged(_object(library.__name__, "Runs", state={"text": "1"})), "runs code")
    finally:
        del library.Runs


def test_classes_are_data_and_no_part_of_an_object():
    """What is called in the place of a function would be made with the sender's arguments."""
    message = ["class", ["pandas.core.frame" if pd.__version__ < "3" else "pandas", "DataFrame"], []]
    assert decode(forged(["list", None, [[1]]], message)) == [pd.DataFrame]
    refused(forged(_object(*LINEAR, state={"coef_": [1]}), message), "holds a class")
    refused(forged(_object(*LINEAR, state={"coef_": [1]}), ["list", None, [[2]]], message), "holds a class")


def test_function_of_a_class_belongs_to_its_objects():
    """`interp1d` keeps one of its own functions; another object may not."""
    function = ["function", ["scipy.interpolate._interpolate", "interp1d._call_linear"], []]
    refused(forged(_object(*LINEAR, state={"coef_": [1]}), function), "inside an object")
    refused(
        forged(_object("scipy.optimize._optimize", "OptimizeResult", items=("x", [1])), function), "inside"
    )


@pytest.mark.parametrize(
    "between", [lambda a: a, lambda a: [a], lambda a: {"k": (a,)}, lambda a: pd.Series([a])]
)
def test_object_array_within_itself_is_refused(between: Callable):
    """Object arrays are compared by recursion in C: such a result ended the grader by a signal."""
    array = np.empty(2, dtype=object)
    array[:] = 0
    array[0] = between(array)
    refused(encode(array), "holds itself")
    refused(encode([between(array)]), "holds itself")


@pytest.mark.parametrize(("depth", "accepted"), [(100, True), (101, False)])
def test_object_arrays_within_each_other(depth: int, accepted: bool):
    value: Any = 7
    for _ in range(depth):
        array = np.empty(1, dtype=object)
        array[0] = [value]
        value = array
    if accepted:
        assert decode(encode(value)).shape == (1,)
    else:
        refused(encode(value), "object arrays nested")


def test_lists_within_themselves_and_shared_arrays_are_kept():
    """What a list may do, and one array in two places, is no array within itself."""
    array = np.array([[1], "x"], dtype=object)
    value: list = [array, array]
    value.append(value)
    read = decode(encode(value))
    assert read[2] is read
    assert read[0] is read[1]


@pytest.mark.parametrize("name", ["sympy.core.numbers.ComplexInfinity", "sklearn.svm._classes.SVC"])
def test_objects_of_libraries_that_the_tests_do_not_import_are_refused(name: str):
    module, _, kind = name.rpartition(".")
    with pytest.raises(ForbiddenResult, match=f"{name}, of a library that the tests do not import"):
        decoding.Decoder(forged(["object", [module, kind, []], []]), None, {"numpy"}).decode()


def test_hooks_of_a_module_are_refused():
    """A hook would be called with what the tests hand in, even where it is the module's own method."""
    import torch

    module = torch.nn.Linear(1, 1)
    module._forward_hooks[0] = torch.nn.Module.half
    with pytest.raises(ForbiddenResult):
        decode(encode(module))
