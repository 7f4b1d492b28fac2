"""Load a causal language model and its tokenizer onto the right device: the one way in the project."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from workbench.core.errors import ModelError, SettingsError
from workbench.models.base_weights import note_loaded
from workbench.models.catalog import checkpoint_source
from workbench.models.damage import whole_files
from workbench.models.four_bit import hold_layout
from workbench.models.pickles import only_tensors
from workbench.models.placement import DTYPES, pick_device, pick_dtype
from workbench.models.quiet import late_bars

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "QUANTIZATIONS",
    "LoadedModel",
    "ModelSettings",
    "checkpoint_activations",
    "describe",
    "load_causal_lm",
    "load_checkpoint",
    "load_config",
    "load_tokenizer",
]

QUANTIZATIONS = ("nf4", "8bit")
"""Smaller weights by bitsandbytes: NF4 with double quantisation (Dettmers et al. 2023), or LLM.int8()."""
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class ModelSettings:
    """Which model, and how it is held.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    name: str
    """A name on the Hub, a folder with a checkpoint, a GGUF file, or a short name such as `smollm2`."""
    quantize: str | None = None
    """One of `QUANTIZATIONS`, or None. Works on a CPU too: `nf4` unpacks to the same bits on every CPU; `8bit`
    multiplies whole numbers on those with AVX-512 and floating ones elsewhere, which differ above 2^24 only."""
    device: str = "auto"
    """Where it computes, as torch names it; `auto`: the first GPU, else the CPU."""
    dtype: str = "auto"
    """Type of its weights, or of the arithmetic where they are quantised: one of `DTYPES`; see `pick_dtype`."""
    revision: str | None = None
    """Commit, tag or branch of a model on the Hub."""
    gradient_checkpointing: bool = False
    """In training, compute each layer's activations again in the backward pass instead of keeping them."""
    attention: str | None = None
    """Attention implementation of transformers (`sdpa`, `eager`, `flash_attention_2`); None: the model's choice."""
    padding_free: bool = False
    """For reward models: run the body on the real tokens of a batch alone, in one row. It pays with flash attention,
    which skips what is between sequences; other implementations compute, and mask, attention over the whole row."""
    share_prompts: bool = False
    """For reward models: read a prompt once for all its responses in a batch, as the two of a pair. It pays where
    prompts are long; needs `sdpa` or `eager` attention, and layers that mix tokens by attention alone."""

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise SettingsError.listing(faults)

    def _faults(self) -> Iterator[tuple[str, str]]:
        """Yield (what was got, what is needed) for each value that cannot be used."""
        if not isinstance(self.name, str) or not self.name.strip():
            yield f"name {self.name!r}", "name: a name on the Hub, or a folder"
        for name, allowed in (("quantize", (None, *QUANTIZATIONS)), ("dtype", DTYPES)):
            if getattr(self, name) not in allowed:
                yield f"{name} {getattr(self, name)!r}", f"{name}: one of {', '.join(map(str, allowed))}"
        if self.padding_free and self.share_prompts:
            yield "padding_free and share_prompts", "one of the two: they lay out a batch in different ways"

    @property
    def source(self) -> str:
        """What is loaded: the folder with its path in full where there is one, else the name on the Hub.

        Raises:
            ModelError: See `workbench.models.catalog.checkpoint_source`.
        """
        return checkpoint_source(self.name)


class LoadedModel(NamedTuple):
    """A model, and in words what was loaded."""

    model: PreTrainedModel
    summary: str
    """One line: family, size, number type, device, quantisation."""


def load_causal_lm(settings: ModelSettings) -> LoadedModel:
    """Load a causal language model.

    Args:
        settings: Which one, and how.

    Returns:
        The model in evaluation mode, and a line that says what was picked for it.

    Raises:
        ModelError: The model cannot be found or read, is gated, lacks weights or does not fit; no such device.
    """
    from transformers import AutoModelForCausalLM

    model, missing = load_checkpoint(AutoModelForCausalLM, settings, "a causal language model")
    if missing:
        raise ModelError(
            got=f"{settings.name} has no weights for {', '.join(missing[:3])}"
            + (f" and {len(missing) - 3} more" if len(missing) > 3 else ""),
            needed="a checkpoint of a causal language model, its LM head included",
            fix="name another model; those weights would be random numbers",
        )
    if settings.gradient_checkpointing:
        checkpoint_activations(model)
    return LoadedModel(model, describe(model, settings))


def load_checkpoint(kind: Any, settings: ModelSettings, needed: str) -> tuple[Any, list[str]]:
    """Load a model of any kind that transformers has.

    Args:
        kind: A class of transformers with `from_pretrained`.
        settings: Which one, and how.
        needed: What it should be, in words.

    Returns:
        The model in evaluation mode, and the names of weights that the checkpoint lacks: they are random.

    Raises:
        ModelError: It cannot be found or read, is gated or does not fit; or there is no such device.
    """
    device = pick_device(settings.device)
    dtype = pick_dtype(settings.dtype, device)
    options: dict[str, Any] = {"revision": settings.revision, "dtype": dtype}
    if settings.attention:
        options["attn_implementation"] = settings.attention
    if settings.quantize:
        options |= {"quantization_config": _quantization(settings.quantize, dtype)}
        options |= {"device_map": {"": device}}

    def load() -> tuple[Any, list[str]]:
        with late_bars():
            model, found = kind.from_pretrained(settings.source, output_loading_info=True, **options)
        hold_layout(model)
        placed = (model if settings.quantize else model.to(device)).eval()
        note_loaded(placed)
        return placed, sorted(found["missing_keys"])

    return _loading(load, settings.name, device, needed)


def checkpoint_activations(model: Any, options: Mapping[str, Any] | None = None) -> None:
    """Have a model compute activations again in the backward pass, by the name that its transformers has for it.

    Args:
        model: A model of transformers. It is changed in place.
        options: Of torch's `checkpoint`; `use_reentrant=False` where there are none.
    """
    given = dict(options or {"use_reentrant": False})
    if hasattr(model, "activation_checkpointing_enable"):
        model.activation_checkpointing_enable(activation_checkpointing_kwargs=given)
    else:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=given)


def load_config(settings: ModelSettings) -> dict[str, Any]:
    """Read a model's configuration as it is written, whether transformers knows the family or not.

    Of adapters it is that of the model that they belong to.

    Raises:
        ModelError: It cannot be found or read.
    """
    from transformers import PretrainedConfig

    def load() -> dict[str, Any]:
        alone = (Path(settings.source) / "config.json").is_file()
        place = settings.source if alone else _base_place(settings) or settings.source
        said, _ = PretrainedConfig.get_config_dict(place, revision=settings.revision)
        if not said:
            raise OSError("no config.json")
        return dict(said)

    return _loading(load, settings.name, pick_device("cpu"), "a model")


def load_tokenizer(settings: ModelSettings) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer; of adapters that were saved without one, their base's.

    Raises:
        ModelError: It cannot be found or read.
    """
    from transformers import AutoTokenizer

    def load() -> Any:
        return AutoTokenizer.from_pretrained(_tokenizer_place(settings), revision=settings.revision)

    return _loading(load, settings.name, pick_device("cpu"), "a tokenizer")


def _tokenizer_place(settings: ModelSettings) -> str:
    """Return where a model's tokenizer is: beside it, or with the base of its adapters."""
    folder = Path(settings.source)
    if any([*folder.glob("tokenizer*"), *folder.glob("vocab*"), *folder.glob("*.model")]):
        return settings.source
    return _base_place(settings) or settings.source


def _base_place(settings: ModelSettings) -> str | None:
    """Return the place of the model that a folder's adapters belong to; None where there are none."""
    adapters = Path(settings.source) / "adapter_config.json"
    if not adapters.is_file():
        return None
    return str(json.loads(adapters.read_text(encoding="utf-8")).get("base_model_name_or_path") or "") or None


def _loading(load: Callable[[], Loaded], name: str, device: torch.device, kind: str) -> Loaded:
    """Run a loader of transformers, and say in the project's words what goes wrong."""
    import torch

    try:
        with whole_files(name), only_tensors(name):
            return load()
    except torch.OutOfMemoryError as error:
        raise ModelError(
            got=f"{name} does not fit into the memory of {device}",
            needed="a smaller model, or smaller weights",
            fix="set quantize='nf4', or device='cpu'",
        ) from error
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
        raise _plain(error, name, kind) from error


def _plain(error: Exception, name: str, kind: str) -> ModelError:
    """Say why a model could not be loaded, and what helps against that."""
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    if any(isinstance(one, GatedRepoError) for one in chain):
        return ModelError(
            got=f"{name} cannot be loaded: it is gated",
            needed="an account on the Hub that has accepted its terms",
            fix=f"accept them at https://huggingface.co/{name}, then run `hf auth login`",
        )
    if lacking := _lacking_for_sentencepiece(chain):
        return ModelError(
            got=f"{name} cannot be loaded: its tokenizer is a SentencePiece file, and {', '.join(lacking)} "
            "is not installed",
            needed="the packages sentencepiece and protobuf, which read such files",
            fix=f"pip install {' '.join(lacking)}",
        )
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    if any(isinstance(one, LocalEntryNotFoundError) for one in chain):
        fix = "check the connection, or give a folder with the checkpoint"
    else:
        fix = "see the name or path; for a gated or private model accept its terms and run `hf auth login`"
    return ModelError(
        got=f"{name} cannot be loaded: {first}",
        needed=f"{kind} with its tokenizer: a name on the Hub, or a folder"
        if kind != "a tokenizer"
        else "a tokenizer beside the model: a name on the Hub, or a folder",
        fix=fix,
    )


def _lacking_for_sentencepiece(chain: Sequence[BaseException]) -> list[str]:
    """Return which packages an error of a SentencePiece file comes of; transformers names tiktoken there."""
    told = " ".join(map(str, chain)).lower()
    if not any(word in told for word in ("sentencepiece", "tiktoken", "protobuf")):
        return []
    packages = {"sentencepiece": "sentencepiece", "protobuf": "google.protobuf"}
    return [package for package, module in packages.items() if not _is_there(module)]


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False


def _quantization(quantize: str, dtype: torch.dtype) -> object:
    """Return the settings of bitsandbytes for one of `QUANTIZATIONS`, computing in `dtype`."""
    from transformers import BitsAndBytesConfig

    if quantize == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def describe(model: PreTrainedModel, settings: ModelSettings) -> str:
    """Return one line on a loaded model: name, family, size, number type, device."""
    import torch

    number = str(pick_dtype(settings.dtype, model.device)).removeprefix("torch.")
    held = f"{settings.quantize} weights, computing in {number}" if settings.quantize else f"{number} weights"
    on_gpu = model.device.type == "cuda"
    place = f"{model.device} ({torch.cuda.get_device_name(model.device)})" if on_gpu else str(model.device)
    saving = ", gradient checkpointing" if settings.gradient_checkpointing else ""
    size = f"{model.num_parameters():,} parameters"
    return f"{settings.name}: {model.config.model_type}, {size}, {held}, on {place}{saving}"
