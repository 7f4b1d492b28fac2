"""An estimate of the memory that models take, beside what the device has.

Sources: QLoRA (Dettmers et al. 2023) for packed weights; Korthikanti et al. 2022, "Reducing Activation
Recomputation in Large Transformer Models", for activations: 34 bytes a token, layer and width in 16 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import WorkbenchError
from workbench.models.loading import ModelSettings, load_config
from workbench.models.placement import pick_device
from workbench.models.quiet import silent
from workbench.models.size import ModelSize, size_by_name, size_of
from workbench.runs.needs.hub import cached_file, hub_fault
from workbench.runs.needs.need import Found, Lack

__all__ = ["Held", "MemoryNeed", "activation_bytes", "model_size", "weight_bytes"]

_PACKED = 0.53
"""Bytes of a weight in NF4 with double quantisation, its share of the scales included."""
_ADAPTER = 16
"""Bytes of a trained weight in float32: itself, its gradient, AdamW's two averages."""
_ACTIVATIONS = 34


@dataclass(frozen=True)
class Held:
    """A model in memory."""

    model: ModelSettings
    tokens: int
    """In one pass: rows times their length."""
    trained: str = "no"
    """`no`, `lora` or `all`."""
    rank: int = 16
    """Of adapters."""
    logits: bool = True
    """Whether the LM head is applied to these tokens; not where it only scores."""


@dataclass(frozen=True)
class MemoryNeed:
    """The models that are in memory at the same time, in each part of a run."""

    parts: tuple[tuple[str, tuple[Held, ...]], ...]
    device: str = "auto"

    @classmethod
    def of(cls, device: str, **parts: tuple[Held, ...]) -> MemoryNeed:
        """Make it of parts by name."""
        return cls(tuple(parts.items()), device)

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return "memory"

    def check(self) -> Found | Lack:
        """Add up, and compare; see `Need`."""
        gpu, place, has = _capacity(self.device)
        models = {one.model for _, held in self.parts for one in held}
        sizes = {model: model_size(model) for model in models}
        unknown = sorted({model.name for model, size in sizes.items() if size is None})
        besides = f"; not counted, for its size is not known here: {', '.join(unknown)}" if unknown else ""
        if len(unknown) == len(models):
            return Found("nothing to add up" + besides)
        place_weight = 2 if gpu else 4
        part, most = self._largest(sizes, place_weight)
        said = f"about {most / 1e9:.1f} GB at most ({part})"
        if not gpu:
            said += f", {self._largest(sizes, 2)[1] / 1e9:.1f} GB on a GPU"
        said += besides
        part, least = self._largest(sizes, place_weight, activations=False)
        if least > has:
            return Lack(
                got=f"{place} has {has / 1e9:.0f} GB of memory",
                needed=f"{said}; {least / 1e9:.1f} GB of it for weights and optimizer alone ({part})",
                fix="a larger GPU; or -p quantize=nf4, or a smaller model",
            )
        tight = "; it may not fit: make batches or texts smaller" if most > has else ""
        return Found(f"{said}; {place} has {has / 1e9:.0f} GB{tight}")

    def _largest(
        self,
        sizes: Mapping[ModelSettings, ModelSize | None],
        bytes_a_weight: int,
        *,
        activations: bool = True,
    ) -> tuple[str, float]:
        """Return the part that takes most, and its bytes."""
        sums = {
            part: sum(
                weight_bytes(size, one, bytes_a_weight)
                + (activation_bytes(size, one, bytes_a_weight) if activations else 0.0)
                for one in held
                if (size := sizes[one.model]) is not None
            )
            for part, held in self.parts
        }
        part = max(sums, key=lambda name: sums[name])
        return part, sums[part]


def weight_bytes(size: ModelSize, held: Held, bytes_a_weight: int) -> float:
    """Return the bytes of a model's weights, and of gradients and optimizer where it is trained.

    Args:
        size: Of the model.
        held: How it is held and used.
        bytes_a_weight: 2 on a GPU, 4 on a CPU, where weights are not packed.
    """
    packed = {"nf4": _PACKED, "8bit": 1.0}.get(held.model.quantize or "", float(bytes_a_weight))
    total = size.linear * packed + (size.parameters - size.linear) * bytes_a_weight
    if held.trained == "all":
        total += size.parameters * 3 * bytes_a_weight
    elif held.trained == "lora":
        total += size.adapters * held.rank * _ADAPTER
    return total


def activation_bytes(size: ModelSize, held: Held, bytes_a_weight: int) -> float:
    """Return about how many bytes a pass takes beside the weights; arguments as for `weight_bytes`."""
    trained = held.trained != "no"
    kept = size.layers if trained and not held.model.gradient_checkpointing else 1
    states = 2 * size.layers if trained else 2
    total = held.tokens * size.width * (_ACTIVATIONS * kept + states) * bytes_a_weight / 2
    return total + (held.tokens * size.vocabulary * 4 * (3 if trained else 1) if held.logits else 0)


def model_size(model: ModelSettings) -> ModelSize | None:
    """Return a model's size by its configuration, else by its name; None where neither can be had."""
    from transformers import AutoConfig

    try:
        source = model.source
        if not Path(source).is_dir() and hub_fault():
            kept = cached_file(source, "config.json", kind="model", revision=model.revision)
            if kept is None:
                return size_by_name(model.name)
            source = str(kept.parent)
        said = load_config(ModelSettings(source, revision=model.revision))
        with silent():
            return size_of(AutoConfig.for_model(**said))
    except (WorkbenchError, ValueError, KeyError, TypeError, AttributeError):
        return size_by_name(model.name)  # the need for the model itself says what is wrong


def _capacity(device: str) -> tuple[bool, str, float]:
    """Return whether it is a GPU, what it is called, and its bytes."""
    import psutil
    import torch

    found = pick_device(device)
    if found.type == "cuda":
        about = torch.cuda.get_device_properties(found)
        return True, about.name, float(about.total_memory)
    return False, "this machine, without a GPU,", float(psutil.virtual_memory().total)
