"""Fold adapters into the weights that they adapt."""

from __future__ import annotations

from typing import Any

from torch import nn

from workbench.models.quiet import without_old_name

__all__ = ["merge_adapters"]


def merge_adapters(policy: nn.Module) -> nn.Module:
    """Return a causal language model whose weights hold what its adapters added.

    NF4 weights are first made floating, exactly as they compute. Merging into them as they are, as peft would,
    rounds the adapters' small changes to NF4's sixteen values again. 8-bit weights likewise. A weight that two layers
    share, as embeddings and LM head do where they are tied, is shared no more where one of them was adapted.

    Args:
        policy: A model of peft with one adapter. It is taken apart.
    """
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
    from transformers.pytorch_utils import Conv1D

    adapted: Any = policy
    lm = adapted.get_base_model()
    if getattr(lm, "is_loaded_in_4bit", False) or getattr(lm, "is_loaded_in_8bit", False):
        config, weights = adapted.active_peft_config, get_peft_model_state_dict(adapted)
        plain = _floating(adapted.unload())
        config.fan_in_fan_out = any(isinstance(layer, Conv1D) for layer in plain.modules())
        with without_old_name():
            adapted = get_peft_model(plain, config)
        set_peft_model_state_dict(adapted, weights)
    _untie_adapted(adapted.get_base_model())
    merged: nn.Module = adapted.merge_and_unload()
    if hasattr(merged, "peft_config"):
        del merged.peft_config
    return merged.requires_grad_(True)


def _untie_adapted(lm: Any) -> None:
    """Give each adapted layer a weight of its own: what is merged into it is meant for it alone."""
    holders: dict[int, int] = {}
    for module in lm.modules():
        for parameter in module.parameters(recurse=False):
            holders[id(parameter)] = holders.get(id(parameter), 0) + 1
    for module in lm.modules():
        base = getattr(module, "base_layer", None)
        weight: Any = getattr(base, "weight", None)
        if base is not None and holders.get(id(weight), 0) > 1:
            base.weight = nn.Parameter(weight.detach().clone(), requires_grad=weight.requires_grad)
            for config in (lm.config, lm.config.get_text_config()):
                config.tie_word_embeddings = False


def _floating(model: Any) -> Any:
    """Put floating layers in place of the NF4 and 8-bit ones, each of the class that it had before."""
    import torch
    from bitsandbytes.nn import Linear4bit, Linear8bitLt
    from transformers.pytorch_utils import Conv1D

    number = model.dtype
    for name, layer in list(model.named_modules()):
        if not isinstance(layer, Linear4bit | Linear8bitLt):
            continue
        weight = _weight(layer, number)
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
    model.is_loaded_in_4bit = model.is_loaded_in_8bit = False
    return model


def _weight(layer: Any, number: Any) -> Any:
    """Return the numbers that a quantised layer computes with. Shape [out, in]."""
    from bitsandbytes.functional import dequantize_4bit, int8_vectorwise_dequant
    from bitsandbytes.nn import Linear4bit

    packed = layer.weight
    if isinstance(layer, Linear4bit):
        return dequantize_4bit(packed.data, packed.quant_state).to(layer.compute_dtype)
    scale = packed.SCB if packed.SCB is not None else layer.state.SCB  # a forward pass moves it
    return int8_vectorwise_dequant(packed.data, scale).to(number)
