"""What this machine has of all that the workbench can use, as values."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from workbench.errors import WorkbenchError
from workbench.sandbox.runtime_recipe import RECIPES, cache_folder
from workbench.sandbox.runtimes import RuntimeState, states_of

__all__ = ["Check", "State", "examine"]

State = Literal["ok", "missing", "note", "broken"]

_HUB_S = 4.0
_LITTLE_DISK_BYTES = 8 * 2**30
_LITTLE_MEMORY_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    state: State
    """``missing``: an optional part is not there. ``note``: worth knowing. ``broken``: nothing works so."""
    detail: str
    """What was found; never a secret."""
    fix: str = ""
    """The command or edit that changes it, where there is one."""


def examine() -> Iterator[Check]:
    """Look at everything, the core first; each check is given as soon as it is known."""
    yield _python()
    yield _guarded("torch", _torch)
    yield _guarded("bitsandbytes", _bitsandbytes)
    isolation = _guarded("isolation", _isolation)
    yield isolation
    if isolation.state == "ok":
        yield _guarded("sandbox", _sandbox)
    yield from _runtimes()
    yield _disk()
    yield _memory()
    yield _hub()
    yield _endpoint()
    yield _tensorflow()
    yield _guarded("grammar reward", _grammar)
    yield from _languages()


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    """Make a check that fails in whatever way a result: libraries break in ways of their own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they warn of, the row says
            return look()
    except WorkbenchError as fault:
        return Check(name, "broken", f"{fault.got}; needed: {fault.needed}", fault.fix)
    except Exception as fault:
        return Check(name, "broken", f"{type(fault).__name__}: {fault}", _reinstall())


def _reinstall() -> str:
    pins = Path(__file__).parent / "sandbox" / "pins" / "main.txt"
    return f"{sys.executable} -m pip install -r {pins}"


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_version()}, {sys.executable}")


def _torch() -> Check:
    import torch

    if not torch.cuda.is_available():
        if torch.version.cuda is None and shutil.which("nvidia-smi"):
            detail = f"{torch.__version__} is built without CUDA, though there is an NVIDIA driver"
            fix = f"{sys.executable} -m pip install --force-reinstall torch, from an index with CUDA"
            return Check("torch", "note", detail, fix)
        backend = f"built for CUDA {torch.version.cuda}, but no GPU" if torch.version.cuda else "no CUDA"
        return Check("torch", "ok", f"{torch.__version__}, {backend}: models run on the CPU")
    devices = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    named = ", ".join(f"{device.name} ({device.total_memory / 2**30:.0f} GiB)" for device in devices)
    return Check("torch", "ok", f"{torch.__version__}, CUDA {torch.version.cuda}: {named}")


def _bitsandbytes() -> Check:
    """Pack a small matrix into 4 bits, which is what the workbench wants of it."""
    fix = f"{sys.executable} -m pip install --force-reinstall --no-deps bitsandbytes"
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


def _isolation() -> Check:
    from workbench.sandbox.isolation import check

    check("sandlock")
    return Check("isolation", "ok", f"Landlock and seccomp, kernel {platform.release()}")


def _sandbox() -> Check:
    """Run a program and see that it can compute and cannot read the user's home."""
    from workbench.sandbox import Sandbox

    program = f"import os\ntry:\n    os.listdir({str(Path.home())!r})\nexcept OSError:\n    print(6 * 7)"
    with Sandbox(workers=1) as box:
        verdict = box.run(program)
    if not verdict.passed or verdict.stdout != "42\n":
        said = verdict.message or f"printed {verdict.stdout!r}, not 42: it could read {Path.home()}"
        return Check(
            "sandbox", "broken", f"a program ended as {verdict.status}: {said}", "workbench doctor --debug"
        )
    return Check("sandbox", "ok", f"a program ran, apart from your files, in {verdict.seconds:.2f} s")


def _runtimes() -> Iterator[Check]:

    for recipe in RECIPES:
        fix = f"workbench runtime build {recipe.name}"
        for state in states_of(recipe):
            yield _runtime(state, fix)
    # those recipes share their data files
    files = {(file.variable, file.file): file for recipe in RECIPES for file in recipe.data}.values()
    missing = [file for file in files if not file.present]
    if not missing:
        yield Check("runtimes' data", "ok", f"{', '.join(file.file for file in files)}")
        return
    variables = " and ".join(dict.fromkeys(file.variable for file in missing))
    folders = {
        file.folder: [other.file for other in missing if other.folder == file.folder] for file in missing
    }
    named = "; ".join(f"{', '.join(names)} in {folder}" for folder, names in folders.items())
    fix = f"workbench runtime build ds1000, with a network; or set {variables} to folders that have them"
    yield Check("runtimes' data", "missing", f"some DS-1000 problems need {named}", fix)


def _runtime(state: RuntimeState, fix: str) -> Check:
    name = f"runtime {state.name}"
    size = f", {state.size_bytes / 1e9:.1f} GB" if state.size_bytes else ""
    if state.state == "ready":
        return Check(name, "ok", f"{state.python}{size}")
    if state.state == "outdated":
        return Check(name, "note", f"left by older pins: {state.folder}{size}", f"rm -r {state.folder}")
    return Check(name, "note" if state.state == "building" else "missing", state.state, fix)


def _disk() -> Check:

    places = [place for place in (Path.cwd(), *_above(cache_folder())) if place.is_dir()][:2]
    free = {shutil.disk_usage(place).free: place for place in places}
    detail = "; ".join(f"{size / 1e9:.0f} GB free in {place}" for size, place in free.items())
    if min(free) < _LITTLE_DISK_BYTES:
        return Check("disk", "note", detail, "runtimes take 3 to 7 GB: set WORKBENCH_CACHE to a larger disk")
    return Check("disk", "ok", detail)


def _above(path: Path) -> Iterable[Path]:
    return (path, *path.parents)


def _memory() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    detail = f"{memory.available / 1e9:.0f} of {memory.total / 1e9:.0f} GB available; {cores} processor cores"
    if memory.available < _LITTLE_MEMORY_BYTES:
        return Check("memory", "note", detail, "the pocket profile wants about 4 GB: close something")
    return Check("memory", "ok", detail)


def _hub() -> Check:
    address = _without_secrets(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    fix = "models and datasets from local paths work without; HF_ENDPOINT names a mirror"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return Check("Hub", "note", "HF_HUB_OFFLINE is set: not asked", "unset HF_HUB_OFFLINE")
    begin = time.monotonic()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=_HUB_S):
            pass
    except urllib.error.HTTPError:
        pass  # an answer, whatever it says
    except (OSError, ValueError, HTTPException) as fault:
        reason = getattr(fault, "reason", fault)
        return Check("Hub", "note", f"{address} is not reachable: {reason}", fix)
    token = "with a token" if os.environ.get("HF_TOKEN") else "without a token"
    return Check("Hub", "ok", f"{address} answers in {time.monotonic() - begin:.1f} s, {token}")


def _endpoint() -> Check:
    url = _without_secrets(os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1")
    if os.environ.get("OPENAI_API_KEY", "").strip():
        return Check("OpenAI endpoint", "ok", f"{url}, OPENAI_API_KEY is set")
    fix = "export OPENAI_API_KEY=..., and OPENAI_BASE_URL=... for any other compatible server"
    return Check("OpenAI endpoint", "missing", "optional: no OPENAI_API_KEY, so no openai:MODEL", fix)


def _without_secrets(url: str) -> str:
    """Return an address without a user name, password or query that may be in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not an address)"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _tensorflow() -> Check:
    if importlib.util.find_spec("tensorflow") is None:
        purpose = "optional: our suite's Tensorflow problems are skipped in main"
        fix = f"{sys.executable} -m pip install tensorflow-cpu"
        return Check("tensorflow", "missing", purpose, fix)
    for package in ("tensorflow-cpu", "tensorflow"):
        try:
            return Check("tensorflow", "ok", f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return Check("tensorflow", "ok", "installed")


def _grammar() -> Check:
    from workbench.rewards.grammar import grammar_available

    there, detail, fix = grammar_available()
    if there:
        return Check("grammar reward", "ok", detail)
    return Check("grammar reward", "missing", f"optional: {detail}", fix)


def _languages() -> Iterator[Check]:
    """List the languages that programs may be written in, and whether what runs them is there."""
    from workbench.languages import LANGUAGES

    for language in LANGUAGES.values():
        name = f"language {language.name}"
        if language.tool:
            path, wanted = language.tool_path(), f"`{language.tool}` on PATH"
        else:
            there = not language.module or importlib.util.find_spec(language.module)
            path, wanted = Path(sys.executable) if there else None, f"the package {language.module}"
        if path is not None:
            yield Check(name, "ok", str(path))
        else:
            detail = f"optional: its programs are not run without {wanted}"
            yield Check(name, "missing", detail, language.install)
