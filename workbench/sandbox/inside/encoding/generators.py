"""Generators of random numbers, numpy's and PyTorch's: of a closed list, at the state that they were in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult, an_array

__all__ = ["DECODERS", "encoders"]

_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


# --- writing ---------------------------------------------------------------------------------------------


def _generator(tag: str) -> Callable:
    def encode(value: Any, out: Any) -> list:
        bits = value.bit_generator if tag == "generator" else value
        return [tag, None, [out.child(bits.state)]]

    return encode


def _random_state(value: Any, out: Any) -> list:
    return ["random state", None, [out.child(value.get_state(legacy=False))]]


def encoders() -> dict[type, Callable]:
    """Return the encoders of the generators that the loaded libraries define."""
    table: dict[type, Callable] = {}
    random = sys.modules.get("numpy.random")
    if random is not None:
        table[random.Generator] = _generator("generator")
        table[random.RandomState] = _random_state
        table.update({getattr(random, name): _generator("bits") for name in _BIT_GENERATORS})
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "Generator"):
        table[torch.Generator] = lambda value, out: ["torch generator", None, [out.child(value.get_state())]]
    return table


# --- reading ---------------------------------------------------------------------------------------------


def _bits(state: Any) -> Any:
    """Make a bit generator from its state, whose numbers its own code takes for granted."""
    import numpy

    if type(state) is not dict:
        raise ForbiddenResult("a random generator without a state")
    name = checked.one_of(state.get("bit_generator"), _BIT_GENERATORS)
    inner = state.get("state")
    if type(inner) is not dict:
        raise ForbiddenResult("a random generator without a state")
    if name == "MT19937":
        key = an_array(inner.get("key"), kinds="u", dimensions=1)
        if len(key) != 624 or key.dtype.itemsize != 4:
            raise ForbiddenResult("a random generator with another key than its own")
        checked.whole(inner.get("pos"), 0, 624)
    elif name == "Philox":
        checked.whole(state.get("buffer_pos"), 0, 4)
        sizes = {"counter": (inner, 4), "key": (inner, 2), "buffer": (state, 4)}
        if any(
            an_array(where.get(each), kinds="u").shape != (size,) for each, (where, size) in sizes.items()
        ):
            raise ForbiddenResult("a random generator with another key than its own")
    made = getattr(numpy.random, name)(0)
    made.state = state
    return made


def _decode_generator(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    return numpy.random.Generator(_bits(parts[0]))


def _decode_random_state(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    state = dict(parts[0]) if type(parts[0]) is dict else None
    _bits(state)
    if state is None or state["bit_generator"] != "MT19937":
        raise ForbiddenResult("a random generator without a state")
    made = numpy.random.RandomState(0)
    made.set_state({**state, "has_gauss": checked.whole(state.get("has_gauss"), 0, 1)})
    return made


def _decode_torch_generator(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import torch

    made = torch.Generator()
    state = parts[0]
    if type(state) is not torch.Tensor or state.dtype != torch.uint8 or state.shape != made.get_state().shape:
        raise ForbiddenResult("a random generator with another state than its own")
    return made.set_state(state)


DECODERS: dict[str, Callable] = {
    "generator": _decode_generator,
    "bits": lambda reader, meta, parts, shell: _bits(parts[0]),
    "random state": _decode_random_state,
    "torch generator": _decode_torch_generator,
}
