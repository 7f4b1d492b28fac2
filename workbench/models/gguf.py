"""A GGUF file as a checkpoint: unpacked once, by transformers, into a folder like any other."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from workbench.core.errors import ModelError
from workbench.store import atomic
from workbench.store.location import cache_folder

__all__ = ["COMPLETE", "checkpoint_of", "converted", "is_gguf", "whole_folder"]

COMPLETE = "complete.json"
"""The file that is written last: without it, a folder is a heap of files."""
_MAGIC = b"GGUF"
_HASHED_BYTES = 1 << 20


def is_gguf(file: Path) -> bool:
    """Tell whether a file is one, by how it begins."""
    try:
        with file.open("rb") as stream:
            return stream.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def checkpoint_of(file: Path) -> Path:
    """Return the folder of a GGUF file's checkpoint in the user's cache; it is made the first time.

    Raises:
        ModelError: The package `gguf` is missing, the file is damaged or of a model that transformers does not know,
            or the disk is full.
    """
    file = file.expanduser().resolve()
    about = file.stat()
    digest = hashlib.sha256(f"{file} {about.st_size} {about.st_mtime_ns}".encode())
    with file.open("rb") as stream:
        digest.update(stream.read(_HASHED_BYTES))
    folder = cache_folder() / "models" / f"{file.stem}-{digest.hexdigest()[:12]}"
    with whole_folder(folder) as partial:
        if partial is not None:
            print(f"{file.name}: unpacking into {folder}, once", file=sys.stderr, flush=True)
            converted(file, partial)
            atomic.write_json(partial / COMPLETE, {"file": str(file), "bytes": about.st_size})
    return folder


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path | None]:
    """Make a folder in one stroke: yields another one to fill, which is then renamed; None where it is there.

    Others that want the same folder wait. What an interrupted filling has left is removed.

    Raises:
        ModelError: The disk is full, or the folder cannot be written.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with atomic.lock(folder.parent / f".{folder.name}.lock"):
            if (folder / COMPLETE).is_file():
                yield None
                return
            for old in (partial, folder):
                shutil.rmtree(old, ignore_errors=True)
            partial.mkdir()
            try:
                yield partial
                partial.rename(folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def converted(file: Path, folder: Path) -> None:
    """Write a GGUF file's model, tokenizer and chat template into a folder, its weights in float32.

    Args:
        file: The GGUF file.
        folder: Where they go; it exists.

    Raises:
        ModelError: See `checkpoint_of`.
    """
    _require_package()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    from workbench.models.quiet import silent

    where = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    try:
        # transformers draws one of its bars past its own switch
        with silent(), contextlib.redirect_stderr(io.StringIO()):
            tokenizer = AutoTokenizer.from_pretrained(**where)
            unpacked = GgufConfig(dequantize=True)
            model = AutoModelForCausalLM.from_pretrained(
                **where, dtype=torch.float32, quantization_config=unpacked
            )
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    except Exception as error:  # gguf, transformers and safetensors each have kinds of their own
        if _is_full(error):
            raise OSError(errno.ENOSPC, str(error)) from error
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(
            got=f"{file} cannot be read: {why}",
            needed="a whole GGUF file of a language model that transformers can unpack",
            fix="download it again, or give the model's own checkpoint",
        ) from error


def _require_package() -> None:
    from importlib.util import find_spec

    if find_spec("gguf") is None:
        raise ModelError(
            got="no package gguf, which reads .gguf files",
            needed="the extra `gguf`",
            fix="pip install 'alignment-workbench[gguf]', or: pip install gguf",
        )


def _is_full(error: BaseException) -> bool:
    return getattr(error, "errno", None) == errno.ENOSPC or "no space left" in str(error).lower()


def _unwritable(folder: Path, error: OSError) -> ModelError:
    free = shutil.disk_usage(folder.parent).free if folder.parent.exists() else 0
    if _is_full(error):
        got, needed = f"the disk of {folder.parent} is full ({free / 1e9:.1f} GB free)", "room for the model"
    else:
        got, needed = f"{folder} cannot be written: {error}", "a folder that can be written"
    return ModelError(got, needed, "free some, or set WORKBENCH_CACHE to a folder on a larger disk")
