"""Adapters: where they go by default in each family, how they begin, and settings that are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

from workbench.core.errors import ModelError, SettingsError
from workbench.models import LoraSettings, add_lora
from workbench.models.lora import mlp_projections

GATED = ["mlp.down_proj", "mlp.gate_proj", "mlp.up_proj"]
SIZES = {
    "vocab_size": 32,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}


def model_of(family: str) -> Any:
    sizes = {"vocab_size": 32, "n_embd": 16, "n_layer": 1, "n_head": 2} if family == "GPT2" else SIZES
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(
        getattr(transformers, f"{family}Config")(**sizes)
    ).eval()


@pytest.mark.parametrize(
    ("family", "ends"),
    [
        ("Llama", GATED),
        ("Mistral", GATED),
        ("Qwen2", GATED),
        ("Phi", ["mlp.fc1", "mlp.fc2"]),
        ("GPT2", ["mlp.c_fc", "mlp.c_proj"]),
    ],
)
def test_the_default_is_the_mlp_projections_of_the_family(family: str, ends: list[str]) -> None:
    model = model_of(family)
    assert mlp_projections(model) == ends
    ids = torch.tensor([[3, 4, 5]])
    before = model(ids).logits
    adapted = add_lora(model, LoraSettings(rank=2))
    assert torch.equal(adapted(ids).logits, before)
    trained = [name for name, parameter in adapted.named_parameters() if parameter.requires_grad]
    assert len(trained) == 2 * len(ends) and all(".mlp." in name and "lora_" in name for name in trained)


def test_the_defaults_are_the_papers() -> None:
    adapted: Any = add_lora(model_of("Llama"), LoraSettings())
    config = adapted.active_peft_config
    assert (config.lora_alpha, config.r, config.lora_dropout, config.bias) == (16, 16, 0.0, "none")


def test_adapters_of_a_half_are_float32() -> None:
    adapted = add_lora(model_of("Llama").to(torch.bfloat16), LoraSettings(rank=2))
    assert {p.dtype for p in adapted.parameters() if p.requires_grad} == {torch.float32}


def test_settings_are_checked_together() -> None:
    with pytest.raises(SettingsError) as caught:
        LoraSettings(rank=0, alpha=-1, dropout=1.0, target_modules=())
    assert caught.value.got == "rank 0; alpha -1; dropout 1.0; target_modules ()"
    with pytest.raises(SettingsError, match="a tuple of names"):
        LoraSettings(target_modules="all-linear")  # type: ignore[arg-type]


def test_targets_that_are_not_there_are_named() -> None:
    with pytest.raises(ModelError, match="target_modules c_attn") as caught:
        add_lora(model_of("Llama"), LoraSettings(target_modules=("up_proj", "c_attn")))
    assert "self_attn.q_proj" in caught.value.needed


def test_a_family_without_an_mlp_by_name_asks_for_targets() -> None:
    config = transformers.OPTConfig(
        vocab_size=32,
        hidden_size=16,
        ffn_dim=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        word_embed_proj_dim=16,
    )
    model: Any = transformers.OPTForCausalLM(config)
    with pytest.raises(ModelError, match="set target_modules"):
        add_lora(model, LoraSettings())
    add_lora(model, LoraSettings(target_modules=("fc1", "fc2")))
