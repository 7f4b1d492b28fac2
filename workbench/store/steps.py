"""Cached steps: expensive work whose result is kept on disk under the key of everything it depends on."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import inspect
import json
import random
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError
from workbench.core.terminal import show_line
from workbench.store import atomic
from workbench.store.fingerprint import Unkeyed, fingerprint
from workbench.store.stored import Damaged, classes_around, decode, stored

__all__ = ["StepOutcome", "StepStore"]

NAME = re.compile(r"[A-Za-z0-9][\w.@+-]*")


@dataclasses.dataclass(frozen=True)
class StepOutcome:
    """What a step returned, and where that came from."""

    value: Any
    seconds: float
    """How long the computation took, now or when it was stored."""
    cached: bool
    """Whether it was read from disk."""
    place: str
    """Name of its file and folder, without suffix: the step's name and the start of its key."""


@dataclasses.dataclass(frozen=True)
class StepStore:
    """The folder that keeps a run's steps: a file a result, and a folder for a step that asked for one."""

    folder: Path
    seed: int

    def run(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> StepOutcome:
        """Return the stored result of a step, or compute and store it.

        Another process that computes the same step is waited for. Before a computation, and again after the
        step either way, the global random generators are set from the seed and the step's name, so that what
        follows does not depend on whether the step was computed or read.
        """
        if not NAME.fullmatch(name):
            raise SettingsError(
                got=f"a step called {name!r}",
                needed="a name that can be a file's: letters, digits, and any of _ . @ + -",
                fix="rename the step",
            )
        key = self._key(function, args, kwargs)
        place = self.folder / f"{name}-{key[:16]}"
        file = place.with_name(place.name + ".step")
        with atomic.lock(place.with_name(place.name + ".lock")):
            outcome = None
            try:
                outcome = _load(file, key, function)
            except Damaged as fault:
                show_line(f"{name}: {file.name} is not read, and the step is computed again: it is {fault}")
            if outcome is None:
                computed = self._compute(name, function, args, kwargs, place)
                content, value = stored(f"step {name!r}", computed.value, classes_around(function))
                outcome = dataclasses.replace(computed, value=value)
                atomic.write_bytes(file, _described(name, key, outcome, content))
        _seed_generators(self.seed, f"after {name}")
        return outcome

    def _key(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        python = f"{sys.version_info.major}.{sys.version_info.minor}"  # syntax trees differ
        return fingerprint([function, list(args), dict(kwargs), self.seed, python])

    def _compute(
        self,
        name: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        place: Path,
    ) -> StepOutcome:
        given = {key: _bare(value) for key, value in kwargs.items()}
        if _wants_folder(function, args, kwargs):
            place.mkdir(parents=True, exist_ok=True)
            given["folder"] = place
        _seed_generators(self.seed, name)
        begin = time.perf_counter()
        value = function(*(_bare(value) for value in args), **given)
        return StepOutcome(value, time.perf_counter() - begin, False, place.name)

    def clear(self) -> None:
        """Forget every step, their folders included."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, Unkeyed) else value


def _wants_folder(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Tell whether a function has a parameter `folder` that the caller left to the step."""
    with contextlib.suppress(TypeError, ValueError):
        signature = inspect.signature(function)
        if "folder" in signature.parameters:
            return "folder" not in signature.bind_partial(*args, **kwargs).arguments
    return False


def _described(name: str, key: str, outcome: StepOutcome, content: bytes) -> bytes:
    """Put a line before a result that describes and proves it."""
    proof = hashlib.sha256(content).hexdigest()
    head = {"step": name, "key": key, "sha256": proof, "seconds": outcome.seconds}
    return json.dumps(head).encode() + b"\n" + content


def _load(file: Path, key: str, function: Callable[..., Any]) -> StepOutcome | None:
    """Read a stored result; None where there is none.

    Raises:
        Damaged: The file is not whole, not of this step, or holds something else than data.
    """
    try:
        first, _, content = file.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    try:
        head = json.loads(first)
        whole = head["key"] == key and head["sha256"] == hashlib.sha256(content).hexdigest()
        seconds = float(head["seconds"])
    except (ValueError, KeyError, TypeError, RecursionError):
        whole, seconds = False, 0.0
    if not whole:
        raise Damaged("damaged, or no result of this step")
    return StepOutcome(decode(content, classes_around(function)), seconds, True, file.stem)


def _seed_generators(seed: int, purpose: str) -> None:
    """Set the global random generators of Python and of the libraries that are loaded."""
    number = int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:4], "big")
    random.seed(number)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(number)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(number)
