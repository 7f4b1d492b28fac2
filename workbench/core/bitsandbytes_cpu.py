"""bitsandbytes on a CPU, made to compute the same on every one, whatever instructions the processor has.

Left alone, it differs in two ways, both silent (0.50):

- With AVX512-BF16 it fetches a kernel from the Hub while it is imported, and runs it; and each 4-bit layer repacks
  its weights at the first evaluation pass: rounded once more, and with other gradients. So it is told that no CPU
  has it.
- With AVX-512 it unpacks 4-bit weights row by row, as if each row began a block of its own. Where the width is no
  multiple of the block (64), most weights are multiplied by another block's scale. So it is handed one block a row.

transformers' Trainer, peft and sentence-transformers import bitsandbytes as well: so it is changed the moment it is
imported, whoever imports it, and not where the workbench does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from ctypes import c_longlong
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

__all__ = ["by_blocks", "compute_alike", "no_avx512bf16"]

WATCHED = "bitsandbytes.functional"
"""Defines what the CPU is asked, and holds the native library; all else in bitsandbytes takes both from there."""
ASKING = (WATCHED, "bitsandbytes.nn.modules")
UNPACKING = tuple(
    f"cdequantize_blockwise_cpu_{code}_{number}"
    for code in ("fp4", "nf4")
    for number in ("fp32", "bf16", "fp16")
)


def compute_alike() -> None:
    """Change bitsandbytes as above: at once where it is imported already, else when it will be."""
    if WATCHED in sys.modules:
        for name in ASKING:
            _change(sys.modules[name])
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def no_avx512bf16() -> bool:
    """Answer for any CPU."""
    return False


def by_blocks(unpack: Callable[..., None]) -> Callable[..., None]:
    """Return a native function that unpacks 4-bit weights of any width, of one that does where blocks fill the rows.

    Args:
        unpack: Takes pointers to packed weights, scales and output; then block size, rows and columns as C integers.
    """

    def unpack_any(*words: Any) -> None:
        *pointers, block, rows, columns = words
        size = rows.value * columns.value
        if columns.value % block.value:  # memory is the same in whatever shape
            whole = size % block.value == 0
            rows = c_longlong(size // block.value if whole else 1)
            columns = block if whole else c_longlong(size)
        unpack(*pointers, block, rows, columns)

    unpack_any.by_blocks = True  # type: ignore[attr-defined]
    return unpack_any


def _change(module: ModuleType) -> None:
    """Change one module of bitsandbytes; a second time changes nothing more."""
    module.has_avx512bf16 = no_avx512bf16  # type: ignore[attr-defined]
    library = getattr(module, "lib", None)
    for name in UNPACKING if library is not None else ():
        native = getattr(library, name)
        if not hasattr(native, "by_blocks"):
            setattr(library, name, by_blocks(native))


class _Finder(MetaPathFinder):
    """Finds the watched module as Python does, and changes it once it has been executed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != WATCHED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_change(module: ModuleType) -> None:
            execute(module)
            _change(module)

        spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]
        return spec
