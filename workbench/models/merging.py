"""Fold adapters into the weights that they adapt."""

from __future__ import annotations

from typing import Any

from torch import nn

from workbench.models.quiet import without_old_name

__all__ = ["merge_adapters"]


def merge_adapters(policy: nn.Module) -> nn.Module:
    """Return a causal language model whose weights hold what its adapters added.

    NF4 weights are first made floating, exactly as they compute. Merging into them as they are, as peft would,
    rounds the adapters' small changes to NF4's sixteen values again.

    Args:
        policy: A model of peft with one adapter. It is taken apart.
    """
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
    from transformers.pytorch_utils import Conv1D

    adapted: Any = policy
    if getattr(adapted.get_base_model(), "is_loaded_in_4bit", False):
        config, weights = adapted.active_peft_config, get_peft_model_state_dict(adapted)
        plain = _floating(adapted.unload())
        config.fan_in_fan_out = any(isinstance(layer, Conv1D) for layer in plain.modules())
        with without_old_name():
            adapted = get_peft_model(plain, config)
        set_peft_model_state_dict(adapted, weights)
    merged: nn.Module = adapted.merge_and_unload()
    if hasattr(merged, "peft_config"):
        del merged.peft_config
    return merged.requires_grad_(True)


def _floating(model: Any) -> Any:
    """Put floating layers in place of the NF4 ones, each of the class that it had before."""
    import torch
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit
    from transformers.pytorch_utils import Conv1D

    for name, layer in list(model.named_modules()):
        if not isinstance(layer, Linear4bit):
            continue
        packed: Any = layer.weight
        weight = dequantize_4bit(packed.data, packed.quant_state).to(layer.compute_dtype)
        turned = getattr(layer, "source_cls", None) is Conv1D  # GPT-2 keeps its matrices turned
        with torch.device("meta"):
            new = (
                Conv1D(layer.out_features, layer.in_features)
                if turned
                else nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
            )
        new.weight = nn.Parameter(weight.T.contiguous() if turned else weight)
        new.bias = layer.bias
        model.set_submodule(name, new)
    model.hf_quantizer.remove_quantization_config(model)
    model.is_loaded_in_4bit = False
    return model
