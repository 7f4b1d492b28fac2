"""Cached steps: expensive work whose result is kept on disk under the key of everything it depends on."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import inspect
import json
import pickle
import random
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.errors import SettingsError
from workbench.runs import atomic
from workbench.runs.fingerprint import Unkeyed, fingerprint
from workbench.runs.plain import is_plain

__all__ = ["Outcome", "StepStore"]

NAME = re.compile(r"[A-Za-z0-9][\w.@+-]*")


@dataclasses.dataclass(frozen=True)
class Outcome:
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
    ) -> Outcome:
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
            outcome = _load(file, key)
            if outcome is None:
                computed = self._compute(name, function, args, kwargs, place)
                atomic.write_bytes(file, _encode(name, key, computed))
                # read back, so that a first run sees what a continued one will see
                outcome = dataclasses.replace(_load(file, key) or computed, cached=False)
        _seed_generators(self.seed, f"after {name}")
        return outcome

    def _key(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        python = f"{sys.version_info.major}.{sys.version_info.minor}"  # pickles and syntax trees differ
        return fingerprint([function, list(args), dict(kwargs), self.seed, python])

    def _compute(
        self,
        name: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        place: Path,
    ) -> Outcome:
        given = {key: _bare(value) for key, value in kwargs.items()}
        if _wants_folder(function, args, kwargs):
            place.mkdir(parents=True, exist_ok=True)
            given["folder"] = place
        _seed_generators(self.seed, name)
        begin = time.perf_counter()
        value = function(*(_bare(value) for value in args), **given)
        return Outcome(value, time.perf_counter() - begin, False, place.name)

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


def _encode(name: str, key: str, outcome: Outcome) -> bytes:
    """Write a result as a line that describes and proves it, then the result itself."""
    if is_plain(outcome.value):
        form, payload = (
            "json",
            json.dumps(outcome.value, ensure_ascii=False).encode(errors="backslashreplace"),
        )
    else:
        try:
            form, payload = "pickle", pickle.dumps(outcome.value, protocol=5)
        except (pickle.PicklingError, TypeError, AttributeError) as fault:
            kind = type(outcome.value).__qualname__
            raise SettingsError(
                got=f"step {name!r} returned a {kind} that cannot be stored: {fault}",
                needed="a result that pickle can write: plain values, dataclasses, arrays, frames",
                fix="return data; write models into the step's `folder` and return the path",
            ) from fault
    proof = hashlib.sha256(payload).hexdigest()
    head = {"step": name, "key": key, "form": form, "sha256": proof, "seconds": outcome.seconds}
    return json.dumps(head).encode() + b"\n" + payload


def _load(file: Path, key: str) -> Outcome | None:
    """Read a stored result; None where there is none, or where the file is not whole."""
    try:
        first, _, payload = file.read_bytes().partition(b"\n")
        head = json.loads(first)
        if head["key"] != key or head["sha256"] != hashlib.sha256(payload).hexdigest():
            return None
        value = json.loads(payload) if head["form"] == "json" else pickle.loads(payload)
        return Outcome(value, float(head["seconds"]), True, file.stem)
    except FileNotFoundError:
        return None
    except Exception:
        # Whatever a damaged file, or a class that moved since, makes of reading: the step is computed again.
        return None


def _seed_generators(seed: int, purpose: str) -> None:
    """Set the global random generators of Python and of the libraries that are loaded."""
    number = int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:4], "big")
    random.seed(number)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(number)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(number)
