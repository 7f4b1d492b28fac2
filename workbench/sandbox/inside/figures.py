"""The grader's end of the solution's figures: what stands for an object there, and asks for what a test reads.

No figure crosses. A test that looks at an axis asks the solution process, which answers with data, or with the
number of another object. So no code of Matplotlib's runs here on a state of somebody else's making, and most
comparisons, which end at equal pictures, cost nothing.
"""

from __future__ import annotations

import builtins
import dis
import functools
import inspect
import types
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["Drawn", "install_lazily", "stand_in"]

Ask = Callable[[dict], Any]


class Drawn:
    """Stands for an object of the solution process; equal to what stands for the same one, and to nothing else."""

    __slots__ = ("_ask", "_kind", "_number")

    def __init__(self, number: int, kind: type, ask: Ask) -> None:
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_ask", ask)

    def drawn_number(self) -> int:
        """Return the number by which the solution process knows it."""
        return int(object.__getattribute__(self, "_number"))

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # what `isinstance` asks
        return object.__getattribute__(self, "_kind")

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            return object.__getattribute__(self, name)
        kind = object.__getattribute__(self, "_kind")
        if not _has(kind, name):
            _refuse(self)
            raise AttributeError(f"{name}: nothing that {kind.__name__} has here")
        if inspect.isroutine(inspect.getattr_static(kind, name, None)):
            return lambda *arguments, **settings: _read(self, "call", name, arguments, settings)
        return _read(self, "attribute", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _refuse(self)
        raise AttributeError(f"{name}: a figure of the program is read here, not changed")

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        return _read(self, "call", None, arguments, settings)

    def __str__(self) -> str:
        return str(_read(self, "text"))

    def __repr__(self) -> str:
        return f"<{object.__getattribute__(self, '_kind').__name__} of the program>"

    def __eq__(self, other: object) -> bool:
        return isinstance_of_drawn(other) and hash(self) == hash(other)

    def __hash__(self) -> int:
        return Drawn.drawn_number(self)


class DrawnItems(Drawn):
    """Stands for an object that has items."""

    __slots__ = ()

    def __iter__(self) -> Iterator:
        return iter(_read(self, "items"))

    def __len__(self) -> int:
        return int(_read(self, "length"))

    def __getitem__(self, key: Any) -> Any:
        return _read(self, "item", None, (key,))

    def __contains__(self, value: Any) -> bool:
        return any(value is each or value == each for each in self)


@functools.lru_cache(maxsize=1_000)
def _has(kind: type, name: str) -> bool:
    """Whether a class has a name in this process, or one of its own methods gives it to every instance."""
    if kind is object:  # of a class that is not known here
        return False
    if inspect.getattr_static(kind, name, None) is not None:
        return True
    codes = (
        code
        for owner in kind.__mro__
        for each in list(vars(owner).values())
        if isinstance(code := getattr(inspect.unwrap(each), "__code__", None), types.CodeType)
    )
    return any(name in code.co_names and _sets(code, name) for code in codes)


def _sets(code: types.CodeType, name: str) -> bool:
    return any(step.opname == "STORE_ATTR" and step.argval == name for step in dis.get_instructions(code))


def _check_arguments(values: Iterable[Any]) -> None:
    """Refuse what no reading of a figure needs: no expected value goes to the program in the form of a question.

    Raises:
        TypeError: where one is neither None, a number, a text, an object of the program nor a slice of these.
    """
    for value in values:
        if type(value) is slice:
            _check_arguments((value.start, value.stop, value.step))
        elif type(value) not in (type(None), bool, int, float, str) and not isinstance_of_drawn(value):
            raise TypeError(f"a figure of the program is not asked with a {type(value).__name__}")


def isinstance_of_drawn(value: Any) -> bool:
    """Whether a value stands for an object of the solution process, whatever it says itself."""
    return type(value) in (Drawn, DrawnItems)


def _refuse(target: Drawn) -> None:
    """Let it be known that a reading was not carried out: the figure itself might have answered."""
    object.__getattribute__(target, "_ask")({"kind": "refused"})


def _read(
    target: Drawn, kind: str, name: str | None = None, arguments: tuple = (), settings: Any = None
) -> Any:
    try:
        _check_arguments((*arguments, *(settings or {}).values()))
    except TypeError:
        _refuse(target)
        raise
    request = {"kind": kind, "number": Drawn.drawn_number(target), "name": name}
    ask = object.__getattribute__(target, "_ask")
    return ask({**request, "arguments": arguments, "settings": settings or {}})


def stand_in(number: int, kind: type, ask: Ask) -> Drawn:
    """Return what stands for an object of the solution process.

    Args:
        number: By which that process knows it.
        kind: The class of a library that it is an instance of; `object` where that is not known, and nothing
            can be asked of it but its text and its items.
        ask: Carries a reading to the solution process; told of the kind "refused" where one is not carried there.
    """
    has_items = kind is object or hasattr(kind, "__len__") or hasattr(kind, "__iter__")
    return (DrawnItems if has_items else Drawn)(number, kind, ask)


def as_error(name: Any, message: Any) -> Exception:
    """Return the error that a reading raised there, as one of Python's own."""
    kind = getattr(builtins, name, None) if isinstance(name, str) else None
    known = isinstance(kind, type) and issubclass(kind, Exception)
    return kind(str(message)) if known else RuntimeError(f"{name}: {message}"[:2_000])  # type: ignore[misc]


class _Canvas:
    """The canvas of a figure of the solution's."""

    def __init__(self, figure: Any, manager: Any) -> None:
        self.figure, self.manager = figure, manager

    def __getattr__(self, name: str) -> Any:
        return getattr(self.figure.canvas, name)


class _Manager:
    """What pyplot keeps of a figure."""

    def __init__(self, number: int, figure: Any) -> None:
        self.num = number
        self.canvas = _Canvas(figure, self)

    def show(self) -> None:
        """Do nothing: there is no window."""

    def destroy(self) -> None:
        """Do nothing: the figure is not here."""


class _Awaited(OrderedDict):
    """The table of open figures, asked for at the first look."""

    def __init__(self, fetch: Callable[[], Any]) -> None:
        super().__init__()
        self._fetch: Callable[[], Any] | None = fetch

    def _arrive(self) -> None:
        fetch, self._fetch = self._fetch, None
        for number, figure in fetch() if fetch is not None else ():
            OrderedDict.__setitem__(self, number, _Manager(number, figure))


def _arriving(name: str) -> Callable:
    inherited = getattr(OrderedDict, name)

    def method(self: _Awaited, *args: Any, **kwargs: Any) -> Any:
        self._arrive()
        return inherited(self, *args, **kwargs)

    return method


for _name in (
    "__contains__ __delitem__ __getitem__ __iter__ __len__ __reversed__ __setitem__ clear get items keys "
    "move_to_end pop popitem setdefault update values"
).split():
    setattr(_Awaited, _name, _arriving(_name))


def install_lazily(ask: Ask) -> None:
    """Make the solution's figures this process's open ones, asked for when pyplot first looks for any."""
    from matplotlib import _pylab_helpers, pyplot

    pyplot.close("all")

    def fetch() -> list:
        found = ask({"kind": "figures"})
        pairs = (
            [pair for pair in found if type(pair) is tuple and len(pair) == 2] if type(found) is list else []
        )
        return [
            (number, figure)
            for number, figure in pairs
            if type(number) is int and isinstance_of_drawn(figure)
        ]

    _pylab_helpers.Gcf.figs = _Awaited(fetch)
