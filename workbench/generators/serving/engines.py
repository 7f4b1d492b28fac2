"""The engines that can serve a model here: how each is found and started, and what it takes."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import GeneratorError, ModelError, SettingsError
from workbench.core.suggestion import suggestion
from workbench.generators.serving.lease import Launch
from workbench.generators.settings import GenerationSettings
from workbench.models.catalog import checkpoint_source
from workbench.models.gguf import is_gguf

__all__ = ["ENGINES", "Engine", "Serving", "choose_engine"]

Words = tuple[str, ...]
VLLM_ROWS, TRANSFORMERS_ROWS, LLAMA_SLOTS = 256, 64, 8
"""Samples that the engines work on at once; vLLM and transformers may take more or less, by their memory."""


@dataclass(frozen=True)
class Serving:
    """A model as an engine serves it."""

    model: str
    """What requests call it."""
    launch: Launch
    tokenizer: str | None
    """Where its tokenizer is loaded from; None: it cannot be had without the weights."""
    capacity: int
    """Samples that the engine works on at once."""
    takes_n: bool = True
    """Whether a request may ask for several samples."""
    needs_config: bool = False
    """Whether a request has to say in transformers' own words how tokens are drawn, and where texts end."""


@dataclass(frozen=True)
class Engine:
    """A program that serves models by OpenAI's API."""

    name: str
    found: Callable[[], Words | None]
    """Returns how its command begins; None where it is not installed."""
    install: str
    """How to get it."""
    serve: Callable[[Words, str, GenerationSettings], Serving]
    """Says how a model is served, from the command's beginning, the model's name and the settings."""


def choose_engine(spec: str) -> tuple[str, Engine]:
    """Return the model and the engine of a specification, `MODEL` or `MODEL@ENGINE`.

    Raises:
        SettingsError: There is no such engine.
        GeneratorError: It, or any, is not installed.
    """
    model, at, named = spec.rpartition("@")
    if not at or "/" in named or Path(spec).expanduser().exists():
        model, named = spec, ""
    known = {engine.name: engine for engine in ENGINES}
    if named and named not in known:
        raise SettingsError(
            got=f"engine {named!r} of {spec!r}",
            needed=f"one of {', '.join(known)}{suggestion(named, known)}",
            fix="correct it, or leave it out: the first that is installed is taken",
        )
    able = [known[named]] if named else list(ENGINES)
    chosen = next((engine for engine in able if engine.found() is not None), None)
    if chosen is None:
        raise GeneratorError(
            got=f"no {' and no '.join(engine.name for engine in able)} here, to serve {model}",
            needed="an engine that is installed",
            fix="; or ".join(engine.install for engine in able),
        )
    return model, chosen


def _vllm(start: Words, model: str, settings: GenerationSettings) -> Serving:
    source = checkpoint_source(model)
    # `vllm`: what the checkpoint says of sampling is left aside, as everywhere here
    words = [
        "serve",
        source,
        *_at("--host", "--port"),
        "--generation-config",
        "vllm",
        "--dtype",
        _dtype(settings),
    ]
    if settings.quantize == "8bit":
        raise _not_taken("vllm", "quantize '8bit'", "None or '4bit'")
    words += ["--quantization", "bitsandbytes"] if settings.quantize else []
    words += ["--revision", settings.revision] if settings.revision else []
    if settings.device == "cpu":
        raise _not_taken(
            "vllm", "device 'cpu'", "'auto' or a GPU: what it computes on is fixed when it is built"
        )
    launch = Launch(
        "vllm", (*start, *words), tuple(words), _visible(settings.device), key_variable="VLLM_API_KEY"
    )
    return Serving(source, launch, source, VLLM_ROWS)


def _transformers(start: Words, model: str, settings: GenerationSettings) -> Serving:
    source = checkpoint_source(model)
    named = f"{source}@{settings.revision}" if settings.revision else source
    words = [
        "serve",
        named,
        *_at("--host", "--port"),
        "--device",
        settings.device,
        "--dtype",
        _dtype(settings),
    ]
    words += ["--quantization", f"bnb-{settings.quantize}"] if settings.quantize else []
    shared, capacity = tuple(words), 1  # one after the other: so each is drawn by its own seed
    if settings.device != "cpu" and _has_gpu():
        # a running batch, which draws all requests as it does the first; on a CPU it would take all memory
        words.append("--continuous-batching")
        shared, capacity = (*words, f"{settings.temperature} {settings.top_p}"), TRANSFORMERS_ROWS
    launch = Launch("transformers", (*start, *words), shared)
    return Serving(named, launch, source, capacity, takes_n=False, needs_config=True)


def _llama_cpp(start: Words, model: str, settings: GenerationSettings) -> Serving:
    usual = GenerationSettings()
    of_weights = ("quantize", "dtype", "revision")
    faults = [name for name in of_weights if getattr(settings, name) != getattr(usual, name)]
    if faults:
        raise _not_taken("llama.cpp", ", ".join(faults), "none of these: the model's file says all of it")
    words = [*_weights(model), "--alias", model, *_at("--host", "--port"), "--kv-unified"]
    words += ["--parallel", str(LLAMA_SLOTS)]
    words += ["--device", "none"] if settings.device == "cpu" else []
    launch = Launch(
        "llama.cpp",
        (*start, *words),
        tuple(words),
        _visible(settings.device) if settings.device != "cpu" else (),
        key_variable="LLAMA_API_KEY",
    )
    return Serving(model, launch, None, LLAMA_SLOTS)


def _weights(model: str) -> Words:
    """Return the words for a model of llama-server's: a GGUF file, a folder that holds one, or a name on the Hub."""
    place = Path(model).expanduser()
    files = [place] if place.is_file() else sorted(place.glob("*.gguf")) if place.is_dir() else []
    if len(files) == 1 and is_gguf(files[0]):
        return "--model", str(files[0].resolve())
    on_hub = model.count("/") == 1 and model[0] not in "./~" and place.suffix != ".gguf"
    if not place.exists() and on_hub:
        return "--hf-repo", model
    raise ModelError(
        got=f"{model} for llama.cpp",
        needed="a .gguf file, a folder with one in it, or a name on the Hub",
        fix=f"name the file, or another engine: served:{model}@transformers",
    )


def _at(host: str, port: str) -> Words:
    return host, "127.0.0.1", port, "{port}"


def _visible(device: str) -> tuple[tuple[str, str], ...]:
    """Return the variable that shows an engine one GPU, where the settings name one."""
    kind, _, number = device.partition(":")
    return (("CUDA_VISIBLE_DEVICES", number),) if kind == "cuda" and number else ()


def _dtype(settings: GenerationSettings) -> str:
    return "auto" if settings.dtype == "native" else settings.dtype  # engines know the CPU themselves


def _has_gpu() -> bool:
    """Tell whether this machine has a GPU, without loading torch."""
    devices = Path("/dev")
    return any(devices.glob("nvidia[0-9]*")) or (devices / "kfd").exists()


def _not_taken(engine: str, got: str, needed: str) -> SettingsError:
    return SettingsError(f"{got} for {engine}", needed, "correct the setting, or name another engine")


def _program(name: str) -> Callable[[], Words | None]:
    """Return what finds a program: beside this interpreter, else on the PATH."""

    def find() -> Words | None:
        path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
        return None if path is None else (path,)

    return find


def _transformers_found() -> Words | None:
    needed = ("transformers", "fastapi", "uvicorn")
    if not all(importlib.util.find_spec(name) for name in needed):
        return None
    return sys.executable, "-c", "from transformers.cli.transformers import main; main()"


ENGINES = (
    Engine("vllm", _program("vllm"), "pip install vllm, on a machine with a GPU", _vllm),
    Engine(
        "transformers",
        _transformers_found,
        "pip install 'alignment-workbench[serving]', for transformers serve",
        _transformers,
    ),
    Engine("llama.cpp", _program("llama-server"), "put llama.cpp's llama-server on the PATH", _llama_cpp),
)
"""In the order in which one is looked for."""
