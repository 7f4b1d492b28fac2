"""The core: Python, torch, the processor, 4-bit weights, JupyterLab, memory and disk."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from workbench.core.processor import cores, instruction_sets, processor_name
from workbench.doctor.check import Check, guarded, pip, typed_path
from workbench.sandbox.runtime_recipe import cache_folder
from workbench.store.location import checkout, home

__all__ = ["core_checks"]

_FOUR_BIT_ERROR = 0.2
"""Share of its length that a result may be off: rounding to sixteen values makes a tenth of it."""
_LITTLE_DISK_BYTES = 8 * 2**30
_LITTLE_MEMORY_BYTES = 4 * 2**30


def core_checks() -> Iterator[Check]:
    """Look at what every part of the workbench stands on."""
    yield Check("Python", "ok", f"{platform.python_version()}, {typed_path(Path(sys.executable))}")
    yield guarded("torch", _torch)
    yield guarded("processor", _processor)
    yield guarded("bitsandbytes", _bitsandbytes)
    yield guarded("JupyterLab", _jupyterlab)
    yield _memory()
    yield _disk()


def _torch() -> Check:
    import torch

    if not torch.cuda.is_available():
        if torch.version.cuda is None and shutil.which("nvidia-smi"):
            detail = f"{torch.__version__} is built without CUDA, though there is an NVIDIA driver"
            fix = pip("--force-reinstall torch, from an index with CUDA")
            return Check("torch", "note", detail, fix)
        backend = f"built for CUDA {torch.version.cuda}, but no GPU" if torch.version.cuda else "no CUDA"
        return Check("torch", "ok", f"{torch.__version__}, {backend}: models run on the CPU")
    devices = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    named = ", ".join(f"{device.name} ({device.total_memory / 2**30:.0f} GiB)" for device in devices)
    return Check("torch", "ok", f"{torch.__version__}, CUDA {torch.version.cuda}: {named}")


def _bitsandbytes() -> Check:
    """Let a 4-bit layer compute, with gradients and without, which is what the workbench wants of it."""
    fix = pip("--force-reinstall --no-deps bitsandbytes")
    try:
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
        fault = _four_bit_fault(device)
    except Exception as error:  # its native libraries fail in many ways; models still load without 4 bits
        fault = str(error)
    if fault:
        return Check("bitsandbytes", "missing", f"4-bit models do not work: {fault}", fix)
    version = importlib.metadata.version("bitsandbytes")
    return Check("bitsandbytes", "ok", f"{version}, 4-bit weights work on {device}")


def _four_bit_fault(device: str) -> str:
    """Say what a 4-bit layer gets wrong in an evaluation pass, or in the gradient after it; nothing if all is right.

    The right values are those of a floating layer with the weights that were packed, and no width of these is a
    multiple of the 64 weights that share a scale.
    """
    import torch
    from bitsandbytes.nn import Linear4bit

    from workbench.models.four_bit import hold_layout

    torch.manual_seed(0)
    plain = torch.nn.Linear(96, 32, bias=False)
    layer = Linear4bit(96, 32, bias=False, compute_dtype=torch.float32, quant_type="nf4")
    layer.weight.data = plain.weight.data.clone()
    layer, plain = layer.to(device), plain.to(device)
    hold_layout(layer)
    rows = torch.randn(8, 96, device=device)
    with torch.no_grad():
        evaluated = layer.eval()(rows)
        wanted = plain(rows)
    asked = rows.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(layer.train()(asked).sum(), asked)
    for what, got, right in (
        ("an evaluation pass", evaluated, wanted),
        ("a gradient after an evaluation pass", gradient, plain.weight.sum(0).expand_as(rows)),
    ):
        distance = float((got - right).norm() / right.norm())
        if not distance < _FOUR_BIT_ERROR:
            return f"{what} is off by {distance:.0%} on {device}"
    return ""


def _processor() -> Check:
    import torch

    sets = " ".join(instruction_sets()) or "not told by this system"
    used = torch.backends.cpu.get_cpu_capability()
    return Check(
        "processor", "ok", f"{processor_name()}; torch computes with {used}; instruction sets: {sets}"
    )


def _jupyterlab() -> Check:
    try:
        version = importlib.metadata.version("jupyterlab")
    except importlib.metadata.PackageNotFoundError:
        return Check("JupyterLab", "missing", "the notebooks can be run, not opened", pip("jupyterlab"))
    return Check("JupyterLab", "ok", f"{version}: {_opening()}")


def _opening() -> str:
    """Say how the notebooks are opened: by make in a checkout, else where they lie."""
    if checkout() is not None:
        return "`make lab` opens the notebooks"
    return f"the notebooks are in {typed_path(home() / 'notebooks')}: copy that folder to work on them"


def _memory() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    detail = (
        f"{memory.available / 1e9:.0f} of {memory.total / 1e9:.0f} GB available; {cores()} processor cores"
    )
    if memory.available < _LITTLE_MEMORY_BYTES:
        return Check("memory", "note", detail, "the pocket profile wants about 4 GB: close something")
    return Check("memory", "ok", detail)


def _disk() -> Check:
    places = (
        Path.cwd(),
        next(folder for folder in (cache_folder(), *cache_folder().parents) if folder.is_dir()),
    )
    free = {shutil.disk_usage(place).free: place for place in reversed(places)}  # the same disk once
    detail = "; ".join(f"{size / 1e9:.0f} GB free in {typed_path(place)}" for size, place in free.items())
    if min(free) < _LITTLE_DISK_BYTES:
        return Check("disk", "note", detail, "runtimes take 3 to 7 GB: set WORKBENCH_CACHE to a larger disk")
    return Check("disk", "ok", detail)
