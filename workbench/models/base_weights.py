"""Whether the base of adapters is still what was loaded: they are saved without it, and mean nothing on another."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from workbench.core.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["check_base", "note_base", "note_loaded"]

_LOADED, _BASE = "_workbench_loaded", "_workbench_base"
_BEFORE = "_workbench_changed_before"
_CHUNK = 1024
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class _Weight(NamedTuple):
    """A weight when it was noted."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    number: int
    """Of the tensor in memory."""
    writes: int
    """How often it was written to in place, as torch counts; writes through `.data` are not."""
    content: int | None
    """A checksum of its bits; None: not computed."""


def note_loaded(lm: Any) -> None:
    """Note the weights of a model as it was loaded, without reading them."""
    lm.__dict__[_LOADED] = {name: _noted(weight, content=False) for name, weight in _weights(lm).items()}


def note_base(lm: Any) -> None:
    """Note the weights that adapters are put on, bit by bit. It reads them once.

    From here on their bits count and not the writes: a launcher of several processes writes the same ones again.
    """
    lm.__dict__[_BEFORE] = _changed(lm, _LOADED) | lm.__dict__.get(_BEFORE, set())
    lm.__dict__[_BASE] = {name: _noted(weight, content=True) for name, weight in _weights(lm).items()}


def check_base(lm: PreTrainedModel) -> None:
    """Raise where a base has changed in memory since it was loaded.

    Args:
        lm: The language model, adapters of peft in its layers or not.

    Raises:
        ModelError: A weight was resized, replaced or written to: the base on disk is another.
    """
    changed = _changed(lm, _BASE) | lm.__dict__[_BEFORE] if _BASE in lm.__dict__ else _changed(lm, _LOADED)
    if changed:
        name = min(changed)
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise ModelError(
            got=f"adapters whose base has changed in memory: {name}{more}",
            needed="the base as it was loaded: it is not saved with them, and another is no base of theirs",
            fix="save the changed model by its own save_pretrained, and load it from there before adapters are "
            "put on it; or merge() the adapters: then all weights are saved",
        )


def _changed(lm: Any, note: str) -> set[str]:
    """Name the weights that are no more what a note says; none where there is no note."""
    noted, weights = lm.__dict__.get(note, {}), _weights(lm)
    if not noted:
        return set()
    return {
        name
        for name in noted.keys() | weights.keys()
        if name not in noted or name not in weights or _differs(noted[name], weights[name])
    }


def _weights(lm: Any) -> dict[str, Tensor]:
    """Return the base's own weights by the names that they have without adapters."""
    return {
        name.replace(".base_layer.", "."): weight
        for name, weight in lm.named_parameters()
        if ".lora_" not in name and ".modules_to_save." not in name
    }


def _noted(weight: Tensor, *, content: bool) -> _Weight:
    return _Weight(
        tuple(weight.shape), weight.dtype, id(weight), weight._version, _checksum(weight) if content else None
    )


def _differs(noted: _Weight, weight: Tensor) -> bool:
    if noted.shape != tuple(weight.shape):
        return True
    if noted.dtype != weight.dtype or weight.is_meta:  # cast, as a launcher may: its bits say nothing
        return False
    if noted.content is not None:
        return noted.content != _checksum(weight)
    return noted.number == id(weight) and noted.writes != weight._version


def _checksum(weight: Tensor) -> int:
    """Return a checksum of a tensor's bits that depends on their order."""
    bits = weight.detach().contiguous().view(-1).view(_BITS[weight.element_size()])
    if bits.device.type == "cpu":
        return zlib.crc32(bits.numpy().view("u1").data)
    rest = (
        len(bits) % _CHUNK
    )  # on the device, where it costs nothing: sums of chunks, weighed by their places
    sums = bits[: len(bits) - rest].view(-1, _CHUNK).sum(1, dtype=torch.int64)
    places = torch.arange(1, len(sums) + 1, device=bits.device)
    return int((sums * places).sum() + bits[len(bits) - rest :].sum(dtype=torch.int64))
