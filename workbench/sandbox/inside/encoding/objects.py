"""Objects with behaviour: a class that a library defines, and the state of its instance as data.

The instance is made without calling its class, and its attributes are set one by one, none of them in the
place of a method. So what it does is what its library wrote, on data of the sender's choice.
"""

from __future__ import annotations

import collections
import functools
import types
from collections.abc import Callable
from typing import Any

from . import calls, checked, distributions, images, iterators, named, registry, soundness, standard, zones
from .checked import ForbiddenResult

__all__ = ["DECODERS", "SHELLS", "encode_object"]

_BASES: tuple[type, ...] = (collections.OrderedDict, collections.defaultdict, dict, list, set, tuple)


# --- writing ---------------------------------------------------------------------------------------------


def encode_object(value: Any, out: Any) -> list:
    """Return the node of anything that no family has an encoder for.

    Raises:
        ForbiddenResult: where it is nothing that may leave the program.
    """
    kind = type(value)
    if not isinstance(getattr(kind, "__module__", None), str):
        raise ForbiddenResult(f"a result that holds a {kind.__name__} of the program's own")
    for attempt in _ATTEMPTS:
        node = attempt(value, out)
        if node is not None:
            return node
    found = registry.find_class(kind.__module__, kind.__qualname__)
    if found is not kind:
        raise ForbiddenResult(
            f"a result that holds a {kind.__module__}.{kind.__qualname__} of the program's own"
        )
    base = _base(kind)
    _bare(kind, base)
    names, values = _state(value, kind)
    meta = [kind.__module__, kind.__qualname__, names]
    if base is object:
        return ["object", meta, out.children(values)]
    items = _flat(dict.items(value)) if issubclass(base, dict) else list(_iterate(base, value))
    tag = "named tuple" if base is tuple else "object"
    return [tag, meta, out.children([*values, *items])]


def _a_row(value: Any, out: Any) -> list | None:
    """Return the node of a named tuple, by its fields: no library need define it."""
    kind = type(value)
    fields = vars(kind).get("_fields")
    if kind.__bases__ != (tuple,) or type(fields) is not tuple or not hasattr(kind, "_make"):
        return None
    return ["row", [kind.__module__, kind.__qualname__, list(fields)], out.children(tuple.__iter__(value))]


_ATTEMPTS: tuple[Callable[[Any, Any], list | None], ...] = (
    standard.encode,
    named.encode,
    zones.encode_pytz,
    iterators.encode,
    distributions.encode,
    images.encode,
    _a_row,
)


def _iterate(base: Any, value: Any) -> Any:
    return base.__iter__(value)


def _flat(pairs: Any) -> list:
    return [each for pair in pairs for each in pair]


def _state(value: Any, kind: type) -> tuple[list[str], list]:
    """Return an instance's attributes and slots.

    Less what Python looks up itself (`__doc__` and its like), the methods that a library wrapped for this
    instance, as PyTorch's schedulers do with `step`, and views that a cached property would make again, as networkx's
    graphs do.
    """
    state = {name: each for name, each in (_attributes(value, kind) or {}).items() if not _is_special(name)}
    for owner in kind.__mro__:
        for name, descriptor in vars(owner).items():
            if isinstance(descriptor, types.MemberDescriptorType) and not _is_special(name):
                try:
                    state[name] = descriptor.__get__(value)
                except AttributeError:
                    pass
    kept = {
        name: each
        for name, each in state.items()
        if not (_shadows(kind, name, each) and _is_made_again(kind, name, each))
    }
    for name, each in kept.items():
        _check_name(kind, name, each)
    return list(kept), list(kept.values())


def _is_made_again(kind: type, name: str, value: Any) -> bool:
    return getattr(value, "__name__", "") == name or isinstance(
        _written(kind, name), functools.cached_property
    )


# --- what both ends hold to ------------------------------------------------------------------------------


def _base(kind: type) -> type:
    """Return what a class is made of: one of Python's containers, or nothing but attributes."""
    return next((base for base in _BASES if issubclass(kind, base)), object)


def _bare(kind: type, base: Any) -> Any:
    """Return an instance of a class that was not called, without state."""
    try:
        return base.__new__(kind)
    except TypeError as error:
        text = f"a result that holds {kind.__module__}.{kind.__qualname__}, whose state lies outside Python"
        raise ForbiddenResult(text) from error


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _attributes(value: Any, kind: type) -> dict | None:
    for owner in kind.__mro__:
        descriptor = vars(owner).get("__dict__")
        if descriptor is not None:
            if not isinstance(descriptor, types.GetSetDescriptorType):
                raise ForbiddenResult(f"a {kind.__name__} that hides its attributes")
            return descriptor.__get__(value)
    return None


def _written(kind: type, name: str) -> Any:
    """Return what a class has under a name, as it is written there."""
    for owner in kind.__mro__:
        if name in vars(owner):
            return vars(owner)[name]
    return None


def _shadows(kind: type, name: str, value: Any) -> bool:
    """Whether an attribute would be called in the place of a method of its class.

    Data in that place, as statsmodels has it, can only fail to be called; a property is never shadowed.
    """
    there = _written(kind, name)
    computed = hasattr(type(there), "__get__") and not hasattr(type(there), "__set__")
    return callable(value) and (callable(there) or computed)


def _check_name(kind: type, name: Any, value: Any) -> None:
    if type(name) is not str or _is_special(name):
        raise ForbiddenResult(
            f"a {kind.__name__} with the attribute {name!r:.60}, which is Python's own to look up"
        )
    if _shadows(kind, name, value):
        raise ForbiddenResult(f"a {kind.__name__} whose method `{name}` was replaced")


# --- reading ---------------------------------------------------------------------------------------------


def _shell(reader: Any, meta: Any) -> Any:
    module, name, _ = checked.a_list(meta, 3)
    kind = reader.find_class(module, name)
    base = _base(kind)
    if calls.has_encoding(kind, _BASES):
        raise ForbiddenResult(f"a {name} in another form than its own, which is checked")
    if base is tuple:
        raise ForbiddenResult(f"a {name} that is a tuple, and is not sent as one")
    return _bare(kind, base)


def _set_state(reader: Any, made: Any, names: list, values: list) -> Any:
    kind = type(made)
    if len(values) != len(names) or len(set(map(str, names))) != len(names):
        raise ForbiddenResult(f"a {kind.__name__} whose attributes do not fit their names")
    calls.check(kind.__name__, names, values)
    attributes = _attributes(made, kind)
    for name, value in zip(names, values, strict=True):
        _check_name(kind, name, value)
        there = _written(kind, name)
        if isinstance(there, types.MemberDescriptorType):
            there.__set__(made, value)
        elif attributes is None:
            raise ForbiddenResult(f"a {kind.__name__} that has no place for {name!r:.60}")
        else:
            dict.__setitem__(attributes, name, value)
    library = registry.library_of(kind.__module__)
    reader.holds = frozenset([library, f"data {named.kin(kind)}", *map(named.label, kind.__mro__)])
    reader.belongs = library if _relates(kind) and not registry.is_public(kind) else ""
    if kind.__eq__ not in _PLAIN_EQUALITY:  # measured when the whole value is there
        reader.to_compare.append(made)
    soundness.check(made, kind)
    return made


_PLAIN_EQUALITY = tuple(base.__eq__ for base in (object, *_BASES))
_RELATIONS = frozenset(
    "__lt__ __le__ __gt__ __ge__ __bool__ __add__ __radd__ __sub__ __rsub__ __abs__ __float__ "
    "__array__ __array_ufunc__ __array_function__ __torch_function__ __getattr__ __getattribute__".split()
)


def _relates(kind: type) -> bool:
    """Whether a class decides itself how it compares and reckons with other values, or what attributes it has."""
    return any(
        _RELATIONS.intersection(vars(owner)) for owner in kind.__mro__ if owner not in (object, *_BASES)
    )


def _fill(reader: Any, meta: Any, parts: list, made: Any) -> Any:
    names = checked.a_list(meta[2])
    values, items = parts[: len(names)], parts[len(names) :]
    _set_state(reader, made, names, values)
    base = _base(type(made))
    if issubclass(base, dict):
        if len(items) % 2:
            raise ForbiddenResult("a key without a value")
        calls.check(type(made).__name__, items[::2], items[1::2])
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is str and _is_special(key):
                raise ForbiddenResult(f"a {type(made).__name__} with the key {key!r:.60}")
            base.__setitem__(made, key, value)
    elif base is list:
        list.extend(made, items)
    elif base is set:
        set.update(made, items)
    elif items:
        raise ForbiddenResult(f"a {type(made).__name__} with items")
    return made


def _named_tuple(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    module, name, names = checked.a_list(meta, 3)
    kind = reader.find_class(module, name)
    if not issubclass(kind, tuple):
        raise ForbiddenResult(f"a {name} that is no tuple")
    count = len(checked.a_list(names))
    values, items = parts[:count], parts[count:]
    fields = vars(kind).get("_fields")
    if isinstance(fields, tuple):
        if len(fields) != len(items):
            raise ForbiddenResult(f"a {name} of {len(items)} fields")
        calls.check(name, fields, items)
    try:
        made = tuple.__new__(kind, items)
    except TypeError as error:
        raise ForbiddenResult(f"a {name}, whose state lies outside Python") from error
    return _set_state(reader, made, names, values)


def _decode_row(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    module, name, fields = checked.a_list(meta, 3)
    fields = [checked.text(field) for field in checked.a_list(fields, len(parts))]
    calls.check("row", fields, parts)
    try:
        kind: Any = reader.find_class(module, name)
    except ForbiddenResult:  # of the program's own: what counts are fields and values
        row: Any = collections.namedtuple
        kind = row("Row", fields)
        reader.changed = True
    if kind.__bases__ != (tuple,) or vars(kind).get("_fields") != tuple(fields):
        raise ForbiddenResult(f"a {name!r:.40} of other fields than its own")
    return tuple.__new__(kind, parts)


SHELLS: dict[str, Callable] = {"object": _shell}
DECODERS: dict[str, Callable] = {
    "object": _fill,
    "named tuple": _named_tuple,
    "row": _decode_row,
    **named.DECODERS,
    **distributions.DECODERS,
    **images.DECODERS,
    **standard.DECODERS,
}
