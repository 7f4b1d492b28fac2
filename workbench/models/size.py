"""How large a model is, by its configuration alone: built without memory for weights, on torch's meta device."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["ModelSize", "built_without_weights", "lora_parameters", "size_by_name", "size_of"]

_BILLIONS = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)\s*([bm])(?![a-z0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class ModelSize:
    """What memory and time depend on."""

    parameters: int
    """All weights."""
    linear: int
    """Those in the linear layers of its body, which 4-bit quantisation packs."""
    layers: int
    width: int
    """Of a hidden state."""
    vocabulary: int
    adapters: int = 0
    """Weights of LoRA adapters of rank 1 on the default targets; times the rank."""


def built_without_weights(config: Any) -> PreTrainedModel:
    """Build a model of a configuration on the meta device: names and shapes, no weights.

    Args:
        config: Of transformers.
    """
    import torch
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    kinds = (AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModel)
    kind: Any = next((one for one in kinds if type(config) in one._model_mapping), AutoModel)
    with torch.device("meta"):
        return kind.from_config(config)


def size_of(config: Any) -> ModelSize:
    """Return the size of the model of a configuration.

    Args:
        config: Of transformers.
    """
    from torch import nn

    model = built_without_weights(config)
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    linear = sum(
        module.weight.numel()
        for module in model.modules()
        if isinstance(module, nn.Linear) and module is not head
    )
    text: Any = config.get_text_config()
    return ModelSize(
        parameters=model.num_parameters(),
        linear=linear,
        layers=int(text.num_hidden_layers) + int(getattr(text, "num_decoder_layers", 0) or 0),
        width=int(text.hidden_size),
        vocabulary=int(text.vocab_size),
        adapters=lora_parameters(model, 1),
    )


def lora_parameters(model: PreTrainedModel, rank: int) -> int:
    """Return how many weights adapters of a rank have on the layers that get them by default.

    Args:
        model: A language model, on the meta device or not.
        rank: Of the adapters.
    """
    from torch import nn

    from workbench.core.errors import ModelError
    from workbench.models.lora_targets import default_targets, ends_with

    try:
        ends = default_targets(model)
    except (ModelError, AttributeError, ValueError):  # an encoder: nothing trains adapters on it
        return 0
    return sum(
        rank * (layer.in_features + layer.out_features)
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Linear) and any(ends_with(name, end) for end in ends)
    )


def size_by_name(name: str) -> ModelSize | None:
    """Guess a size from a name such as `Mistral-7B-v0.1`; None where the name does not say one."""
    said = _BILLIONS.findall(name.rpartition("/")[2].replace("-", " ").replace("_", " "))
    if not said:
        return None
    number, unit = said[-1]
    parameters = int(float(number) * (1e9 if unit.lower() == "b" else 1e6))
    # the shape of Llama's family: 12 layers' worth of width squared
    layers = max(4, round((parameters / 12 / 128**2) ** (1 / 3)))
    width = round((parameters / 12 / layers) ** 0.5)
    return ModelSize(parameters, int(0.95 * parameters), layers, width, 32_000, 3 * layers * 5 * width)
