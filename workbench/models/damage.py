"""Files of a model that are damaged or were cut off: which one it is, and what helps."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open

from workbench.core.errors import ModelError

__all__ = ["damage", "whole_files"]

_DAMAGE = (SafetensorError, pickle.UnpicklingError, json.JSONDecodeError, EOFError, zipfile.BadZipFile)
_SAYS = ("PytorchStreamReader", "unexpected EOF", "is not a valid JSON file")  # torch, transformers
_SHOWN_CHARS = 200


def damage(error: BaseException, name: str) -> ModelError | None:
    """Return what to say of an error where it comes of a file that is not whole; None where it comes of others.

    Args:
        error: What reading the model raised.
        name: Its folder, or its name on the Hub.
    """
    told = str(error)
    # tokenizers raises `Exception` itself, and nothing else does
    if not (isinstance(error, _DAMAGE) or type(error) is Exception or any(one in told for one in _SAYS)):
        return None
    folder = Path(name).expanduser()
    files = [*sorted(folder.glob("*.safetensors")), *sorted(folder.glob("*.json"))]  # none of a file
    file = next((file for file in files if not _is_whole(file)), name)
    where = (
        "download it again" if folder.exists() else f"download it again: hf download {name} --force-download"
    )
    why = (told.strip() or type(error).__name__).splitlines()[0][:_SHOWN_CHARS]
    if isinstance(error, pickle.UnpicklingError):  # torch's own words recommend to run what is in it
        why = "it does not begin as weights do"
    return ModelError(
        got=f"{file} is damaged, or was not copied to its end: {why}",
        needed="the model's files as they were saved",
        fix=f"{where}, or copy it again; in a folder that git made: git lfs pull",
    )


@contextmanager
def whole_files(name: str) -> Iterator[None]:
    """Turn what damaged files raise into the family's error.

    Args:
        name: The model's folder, or its name on the Hub.

    Raises:
        ModelError: A file is damaged or was cut off.
    """
    try:
        yield
    except Exception as error:
        said = damage(error, name)
        if said is None:
            raise
        raise said from error


def _is_whole(file: Path) -> bool:
    try:
        if file.suffix == ".json":
            json.loads(file.read_bytes())
            return True
        with safe_open(file, framework="pt"):
            return True
    except (SafetensorError, OSError, ValueError):
        return False
