"""The core: Python, torch, 4-bit weights, JupyterLab, memory and disk."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from workbench.datasets.location import checkout, home
from workbench.doctor.check import Check, guarded, pip, typed_path
from workbench.sandbox.runtime_recipe import cache_folder

__all__ = ["core_checks"]

_LITTLE_DISK_BYTES = 8 * 2**30
_LITTLE_MEMORY_BYTES = 4 * 2**30


def core_checks() -> Iterator[Check]:
    """Look at what every part of the workbench stands on."""
    yield Check("Python", "ok", f"{platform.python_version()}, {typed_path(Path(sys.executable))}")
    yield guarded("torch", _torch)
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
    """Pack a small matrix into 4 bits, which is what the workbench wants of it."""
    fix = pip("--force-reinstall --no-deps bitsandbytes")
    try:
        import bitsandbytes
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
        matrix = torch.ones(64, 64, device=device)
        packed, state = bitsandbytes.functional.quantize_4bit(matrix, quant_type="nf4")
        bitsandbytes.functional.dequantize_4bit(packed, state)
    except Exception as fault:  # its native libraries fail in many ways; models still load without 4 bits
        return Check("bitsandbytes", "missing", f"4-bit models do not work: {fault}", fix)
    version = importlib.metadata.version("bitsandbytes")
    return Check("bitsandbytes", "ok", f"{version}, 4-bit weights work on {device}")


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
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    detail = f"{memory.available / 1e9:.0f} of {memory.total / 1e9:.0f} GB available; {cores} processor cores"
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
