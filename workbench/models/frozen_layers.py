"""The layers below the first that trains, computed once for each text.

With adapters on the last layers alone (`LoraSettings.layers`) what enters the first of these never changes: not from
epoch to epoch, nor between policy and reference, nor from one training of a model to the next in the same process.
It is remembered, and each further pass computes the layers above alone.
"""

from __future__ import annotations

import hashlib
import inspect
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from workbench.models.batch import positions
from workbench.models.modes import evaluation_mode
from workbench.models.reading import plain_tokens
from workbench.models.weights_mark import weights_mark

__all__ = [
    "MEMORY",
    "FrozenLayers",
    "StateMemory",
    "compute_frozen_once",
    "compute_in_whole",
    "computes_frozen_once",
]

LIMIT = 2**30
"""Bytes of states that a process remembers, of all its models together."""
PROBE = 12
"""Tokens of the text that a model is tried on, beside one of half the length."""
INPUTS = {"input_ids", "attention_mask", "position_ids"}
"""What a pass may be told: with more, such as a cache, it is computed in whole."""


class StateMemory:
    """States of texts, up to a number of bytes.

    What is forgotten above it is drawn by lot: of epochs over more than fits, a part is then found each time. A text
    is always computed alone, so that what is remembered, or forgotten, changes no bit.

    Args:
        limit: Bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.size = limit, 0
        self._states: dict[bytes, Tensor] = {}
        self._keys: list[bytes] = []
        self._lot = random.Random(0)

    def __len__(self) -> int:
        return len(self._keys)

    def __deepcopy__(self, _: Any) -> StateMemory:
        """Return itself: a copied model goes on with what is known of its weights."""
        return self

    def find(self, key: bytes) -> Tensor | None:
        """Return what is remembered."""
        return self._states.get(key)

    def keep(self, key: bytes, states: Tensor) -> None:
        """Remember states that are not yet known, unless they alone are beyond the limit."""
        if states.nbytes > self.limit:
            return
        self.size += states.nbytes
        while self.size > self.limit:
            place = self._lot.randrange(len(self._keys))
            self._keys[place], self._keys[-1] = self._keys[-1], self._keys[place]
            self.size -= self._states.pop(self._keys.pop()).nbytes
        self._states[key] = states
        self._keys.append(key)


MEMORY = StateMemory(LIMIT)
"""What this process remembers."""


def compute_frozen_once(lm: Any, body: nn.Module, memory: StateMemory = MEMORY) -> str:
    """Have a model compute the layers below the first that trains once for each text, where that changes nothing.

    The model is tried: where its states are not the same (but for rounding), it is left as it is. It computes all
    layers whenever it writes with a cache, is told more than `INPUTS`, drops values at random below, or runs in
    several processes that train together; and from the moment on that weights below are changed.

    Args:
        lm: The language model, with adapters in its layers or not. What trains is what requires a gradient now.
        body: Its part that gives the states of tokens.
        memory: Where states are remembered.

    Returns:
        What was done, for a line on the model; empty where no layer is below one that trains.
    """
    name, count = _frozen_below(body)
    if not count or lm.config.is_encoder_decoder:
        return ""
    frozen = FrozenLayers(lm, body, name, count, memory)
    if fault := frozen.fault():
        return f"frozen layers (1 to {count}) computed in every pass: {fault}"
    body.forward = frozen
    return f"frozen layers (1 to {count}) computed once for each text"


def compute_in_whole(body: nn.Module) -> None:
    """Undo `compute_frozen_once`: every pass computes all layers."""
    if computes_frozen_once(body):
        del body.forward


def computes_frozen_once(body: nn.Module) -> bool:
    """Tell whether a body computes its frozen layers once for each text."""
    return isinstance(body.forward, FrozenLayers)


class FrozenLayers:
    """A body's forward pass, with the layers below the first that trains computed once for each text.

    Args:
        lm: The language model.
        body: Its part that gives the states of tokens.
        stack: The name in it of the list of its layers.
        count: How many of these are frozen, from the first on.
        memory: Where states are remembered.
    """

    def __init__(self, lm: Any, body: nn.Module, stack: str, count: int, memory: StateMemory) -> None:
        self.lm, self.body, self.memory = lm, body, memory
        self.layers = list(body.get_submodule(stack).children())[:count]
        self.whole = body.forward
        self.__signature__ = inspect.signature(self.whole)  # callers see by it what a body takes
        self.takes = set(self.__signature__.parameters)
        frozen = tuple(f"{stack}.{number}." for number in range(count))
        self.below = {
            name: weight
            for name, weight in body.named_parameters()
            if not name.startswith(f"{stack}.") or name.startswith(frozen)
        }
        """The weights that the states depend on, and the body's few outside its layers."""
        self.counts = self._counts()
        said = (count, lm.config.to_json_string(), lm.config._attn_implementation, self.device)
        self.mark = f"{said} {weights_mark(self.below.items())}"
        self.beside: tuple[None, ...] | None = None
        """Nothing, for each thing that a layer gives beside its states, such as attention weights; None: it gives
        these alone."""
        self.drops = False
        """Whether a pass in training mode drops values at random below."""

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(iter(self.below.values())).device

    def __call__(self, *given: Any, **options: Any) -> Any:
        """Run the body, as it runs itself."""
        rows = self._rows(given, options)
        if rows is None:
            return self.whole(*given, **options)
        found = [self._states(row).to(self.device) for row in rows]
        states = found[0].new_zeros(len(rows), len(rows[0].real), found[0].shape[-1])
        for number, row in enumerate(rows):
            states[number, row.real.to(self.device)] = found[number]
        with self._giving(states):
            return self.whole(*given, **options)

    def fault(self) -> str:
        """Try it on two texts; return why it may not be used, or nothing."""
        ids = plain_tokens(self.lm, 2 * PROBE).view(2, PROBE)
        mask = torch.ones_like(ids)
        mask[1, PROBE // 2 :] = 0
        told = {"attention_mask": mask, "position_ids": positions(mask), "use_cache": False}
        told = {name: value for name, value in told.items() if name in self.takes}
        real, memory, self.memory = mask.bool(), self.memory, StateMemory(LIMIT)
        try:
            with torch.no_grad(), torch.random.fork_rng(), evaluation_mode(self.body):
                rows = self._rows((ids,), told)
                if rows is None:
                    return "it is told of a text otherwise than others"
                right = self.whole(ids, **told)[0][real].float()
                found = self(ids, **told)[0][real].float()
                self.drops = self._drops(rows[0])
        except (RuntimeError, ValueError, TypeError, AttributeError, LookupError, _Reached) as error:
            return (str(error).strip() or type(error).__name__).splitlines()[0]
        finally:
            self.memory = memory
        if self._counts() != self.counts:
            return "a pass changes their weights"
        apart = float((found - right).norm() / right.norm().clamp(min=1e-9))
        allowed = max(1e-3, 32 * max(torch.finfo(one.dtype).eps for one in self._floating()))
        return "" if apart <= allowed else f"its states would differ by {apart:.2g} of their size"

    def _rows(self, given: Sequence[Any], options: Mapping[str, Any]) -> list[_Row] | None:
        """Return the rows of a batch, each by itself; None where the pass is to be computed in whole."""
        told = {name: value for name, value in options.items() if value is not None}
        if told.pop("use_cache", "use_cache" in self.takes) or len(given) > 1:
            return None
        if given:
            told["input_ids"] = given[0]
        if not {"input_ids", "attention_mask"} <= told.keys() <= INPUTS:
            return None
        if self.drops and any(layer.training for layer in self.layers):
            return None
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return None  # processes that hold parts of a model wait for each other in every layer
        if any(weight.requires_grad for weight in self.below.values()) or self._counts() != self.counts:
            return None
        batch = {name: value.cpu() for name, value in told.items()}
        arithmetic = torch.is_autocast_enabled(self.device.type), torch.get_autocast_dtype(self.device.type)
        rows = [_row(batch, number, f"{self.mark} {arithmetic}") for number in range(len(batch["input_ids"]))]
        return None if None in rows else [row for row in rows if row is not None]

    def _states(self, row: _Row) -> Tensor:
        """Return what the frozen layers give of a row, from memory or computed alone. Shape [tokens, width]."""
        known = self.memory.find(row.key)
        if known is None:
            with evaluation_mode(self.body):
                known = self._computed(row).cpu()
            self.memory.keep(row.key, known)
        return known

    @torch.no_grad()
    def _computed(self, row: _Row) -> Tensor:
        told: dict[str, Any] = {name: value.to(self.device) for name, value in row.told.items()}
        if "use_cache" in self.takes:
            told["use_cache"] = False
        handle = self.layers[-1].register_forward_hook(_stop)
        try:
            self.whole(**told)
        except _Reached as reached:
            output = reached.output
        else:
            raise ValueError("its layers are not run one by one")
        finally:
            handle.remove()
        states, *more = output if isinstance(output, tuple) else (output,)
        self.beside = (None,) * len(more) if isinstance(output, tuple) else None
        return states[0].clone()

    def _drops(self, row: _Row) -> bool:
        """Tell whether what is computed in training mode depends on chance, or on the mode."""
        right = self._computed(row)
        self.body.train()
        return not torch.equal(self._computed(row), right)

    @contextmanager
    def _giving(self, states: Tensor) -> Iterator[None]:
        """Within this context each frozen layer gives these states, and computes nothing."""
        output = states if self.beside is None else (states, *self.beside)
        before = [layer.__dict__.get("forward") for layer in self.layers]
        for layer in self.layers:
            layer.forward = lambda *_, **__: output
        try:
            yield
        finally:
            for layer, own in zip(self.layers, before, strict=True):
                if own is None:
                    del layer.forward
                else:
                    layer.forward = own

    def _counts(self) -> list[tuple[int, int]]:
        """Return what changes with any write to a weight below, or when another takes its place."""
        return [
            (weight.data_ptr(), 0 if weight.is_inference() else weight._version)
            for weight in self.below.values()
        ]

    def _floating(self) -> list[Tensor]:
        return [weight for weight in self.below.values() if weight.is_floating_point()]


class _Row(NamedTuple):
    """A row of a batch by itself, without padding."""

    real: Tensor
    """True at its tokens. Shape [columns], bool."""
    told: dict[str, Tensor]
    """What a pass over it alone is told: one row, all of it tokens."""
    key: bytes
    """Of what is remembered of it."""


class _Reached(Exception):
    """A pass has come to the end of the frozen layers."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output


def _stop(_module: nn.Module, _inputs: Any, output: Any) -> None:
    raise _Reached(output)


def _row(batch: Mapping[str, Tensor], number: int, mark: str) -> _Row | None:
    """Return one row of a batch; None where it is not clear what in it is padding."""
    ids, mask = batch["input_ids"], batch["attention_mask"]
    told: dict[str, Tensor] = {}
    if mask.shape == ids.shape:
        real = mask[number].bool()
        told["attention_mask"] = mask[number][real][None]
        visible = told["attention_mask"].bool()
    elif mask.shape == (len(ids), 1, ids.shape[1], ids.shape[1]):  # of `shared_rows`
        sees = mask[number, 0] == 0 if mask.is_floating_point() else mask[number, 0].bool()
        real = sees[:, 0]  # all of a text sees its first token
        places = batch.get("position_ids", ids)[number]
        if bool(ids[number][~real].any() or places[~real].any()):
            return None  # not padding of ours
        told["attention_mask"] = mask[number : number + 1][..., real, :][..., real]
        visible = sees[real][:, real]
    else:
        return None
    first_there = bool(real[0]) if "position_ids" not in batch else bool(real.any())
    if not first_there:  # a family that counts positions itself may count padding before a text
        return None
    told |= {name: batch[name][number][real][None] for name in batch if name != "attention_mask"}
    digest = hashlib.sha256(f"{mark} {int(real.sum())} {list(visible.shape)}".encode())
    for part in (told["input_ids"], told.get("position_ids", told["input_ids"]), visible):
        digest.update(part.contiguous().numpy().tobytes())
    return _Row(real, told, digest.digest())


def _frozen_below(body: nn.Module) -> tuple[str, int]:
    """Return the name of the list of layers that holds all that trains, and how many of its layers are below that."""
    trained = [name for name, weight in body.named_parameters() if weight.requires_grad]
    for name, part in body.named_modules():
        if isinstance(part, nn.ModuleList) and trained and all(one.startswith(f"{name}.") for one in trained):
            return name, min(int(one[len(name) + 1 :].split(".")[0]) for one in trained)
    return "", 0
