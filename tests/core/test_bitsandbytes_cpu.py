"""bitsandbytes computes alike on every CPU: what it would ask the CPU for is forced, on any machine."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from typing import Any

import bitsandbytes
import pytest
import torch

from workbench.core.bitsandbytes_cpu import UNPACKING, by_blocks, compute_alike, no_avx512bf16

SHAPES = [(64, 64), (64, 96), (96, 64), (32, 32), (10, 160), (144, 36), (33, 48), (7, 6)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("kind", ["nf4", "fp4"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_four_bits_are_unpacked_as_the_formula_says(
    shape: tuple[int, int], kind: str, dtype: torch.dtype
) -> None:
    """The value is code[4 bits] times its block's scale, rounded once; blocks of 64 run on from row to row."""
    torch.manual_seed(0)
    weights = torch.randn(shape)
    packed, state = bitsandbytes.functional.quantize_4bit(weights, quant_type=kind, blocksize=64)
    codes = torch.stack([packed.flatten() >> 4, packed.flatten() & 15], dim=1).flatten().long()
    expected = (state.code[codes] * state.absmax.repeat_interleave(64)[: weights.numel()]).view(shape)
    assert (expected - weights).abs().max() < 1, "the formula itself gives back what was packed, roughly"
    state.dtype = dtype
    assert torch.equal(bitsandbytes.functional.dequantize_4bit(packed, state), expected.to(dtype))


def test_an_unpacking_row_by_row_is_handed_one_block_a_row() -> None:
    """As AVX-512 does it: each row begins a block, and has `columns // block` of them."""
    calls = []

    def native(*words: Any) -> None:
        calls.append(tuple(word.value for word in words[3:]))

    for rows, columns in ((2, 128), (2, 96), (3, 6)):
        by_blocks(native)(None, None, None, *map(ctypes.c_longlong, (64, rows, columns)))
    assert calls == [(64, 2, 128), (64, 3, 64), (64, 1, 18)]


@pytest.mark.parametrize("size", [256, 300, 1000])
def test_nested_scales_are_unpacked_as_the_formula_says(size: int) -> None:
    torch.manual_seed(0)
    packed, state = bitsandbytes.functional.quantize_blockwise(torch.randn(size), blocksize=256)
    expected = state.code[packed.long()] * state.absmax.repeat_interleave(256)[:size]
    assert torch.equal(bitsandbytes.functional.dequantize_blockwise(packed, state), expected)


IMPORT = """
import builtins, ctypes, sys
ctypes.CDLL.has_avx512bf16_cpu = lambda self: True  # a CPU that has it
plain_import = builtins.__import__
def watched_import(name, globals=None, locals=None, fromlist=(), level=0):
    if name == "kernels" and level == 0:
        print("ASKED FOR A KERNEL", file=sys.stderr)
    return plain_import(name, globals, locals, fromlist, level)
builtins.__import__ = watched_import
{first}
import {importer}
import bitsandbytes
{last}
print(bitsandbytes.nn.Linear4bit(64, 64).support_avx512bf16_for_cpu)
print(all(hasattr(getattr(bitsandbytes.functional.lib, name), "by_blocks") for name in {names}))
"""


def imported(importer: str, *, first: str = "", last: str = "") -> subprocess.CompletedProcess[str]:
    program = IMPORT.format(importer=importer, first=first, last=last, names=UNPACKING)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    "importer", ["bitsandbytes", "peft", "transformers.trainer", "sentence_transformers"]
)
def test_no_import_asks_the_hub_for_a_kernel(importer: str) -> None:
    done = imported(importer, first="import workbench")
    assert done.stdout.split() == ["False", "True"]
    assert "kernel" not in done.stderr.lower()


@pytest.mark.skipif(torch.cuda.is_available(), reason="the library for GPUs has no such branch")
def test_imported_before_the_workbench_it_is_changed_late() -> None:
    before, after = imported("bitsandbytes"), imported("bitsandbytes", last="import workbench")
    assert "ASKED FOR A KERNEL" in before.stderr, "the force works"
    assert (before.stdout.split(), after.stdout.split()) == (["True", "False"], ["False", "True"])


def test_a_second_time_changes_nothing() -> None:
    natives = [getattr(bitsandbytes.functional.lib, name) for name in UNPACKING]
    compute_alike()
    assert natives == [getattr(bitsandbytes.functional.lib, name) for name in UNPACKING]
    assert bitsandbytes.functional.has_avx512bf16 is bitsandbytes.nn.modules.has_avx512bf16 is no_avx512bf16
