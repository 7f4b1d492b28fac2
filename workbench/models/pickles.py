"""Weights and checkpoints that are pickles: their tensors are read, and anything else in them is refused."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ModelError
from workbench.models.damage import damage

if TYPE_CHECKING:
    import torch

__all__ = ["CONVERT", "START_OVER", "only_tensors", "read_state"]

CONVERT = (
    "take its safetensors file instead (the model's page on the Hub may have one), or let who made it save it again: "
    "`model.save_pretrained(FOLDER)` writes safetensors"
)
START_OVER = "start over (--fresh, resume=False), or delete the checkpoint's folder"


@contextlib.contextmanager
def only_tensors(what: str, *, fix: str = CONVERT) -> Iterator[None]:
    """Say in the project's words that a file was refused; torch's own would recommend to run what is in it.

    Args:
        what: What is loaded inside, as its user calls it.
        fix: What to do.

    Raises:
        ModelError: A pickle inside holds more than tensors, or is damaged.
    """
    try:
        yield
    except pickle.UnpicklingError as error:
        damaged = fix == CONVERT and Path(what).is_dir() and not _holds_pickle(Path(what))
        raise (damage(error, what) if damaged else None) or ModelError(
            got=f"{what} has weights in a pickle that holds more than tensors, or is damaged; none of it was run",
            needed="weights as safetensors, or a pickle of tensors alone",
            fix=fix,
        ) from error


def _holds_pickle(folder: Path) -> bool:
    """Tell whether a file of weights there begins as pickles do, or as archives of them: else it is damaged."""
    for path in folder.glob("*.bin"):
        with path.open("rb") as file:
            if file.read(2)[:1] in (b"P", b"\x80"):
                return True
    return False


def read_state(file: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint of tensors and plain values.

    Raises:
        ModelError: It is anything else.
    """
    import torch

    with only_tensors(str(file), fix=START_OVER):
        try:
            state = torch.load(file, map_location=device, weights_only=True)
        except (EOFError, RuntimeError, ValueError) as error:
            raise pickle.UnpicklingError(str(error)) from error
        if not isinstance(state, dict):
            raise pickle.UnpicklingError(f"a {type(state).__name__}")
        return state
