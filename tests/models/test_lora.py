"""Adapters: where they go by default in each family, how they begin, and settings that are refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import transformers
from tiny_configs import CONFIGS, tiny

from workbench.core.errors import ModelError, SettingsError
from workbench.models import LoraSettings, add_lora
from workbench.models.lora_targets import default_targets

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
    assert default_targets(model) == ends
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


@pytest.mark.parametrize("family", ["Llama", "T5"])
def test_adapters_on_the_last_layers_alone_compute_no_gradient_below(family: str) -> None:
    torch.manual_seed(0)
    if family == "T5":
        model: Any = transformers.T5ForConditionalGeneration(
            transformers.T5Config(vocab_size=32, d_model=16, d_ff=16, d_kv=8, num_layers=2, num_heads=2)
        )
        targets, given = ("q",), {"decoder_input_ids": torch.tensor([[0, 3]])}
        below = model.decoder.block[0].layer[0].SelfAttention.o
        last = "decoder.block.1."
    else:
        config = transformers.LlamaConfig(**{**SIZES, "num_hidden_layers": 3})
        model, targets, given = transformers.LlamaForCausalLM(config), None, {}
        below, last = model.model.layers[1].mlp.down_proj, "model.layers.2."
    seen: list[bool] = []
    below.register_forward_hook(lambda *read: seen.append(read[2].requires_grad))
    adapted = add_lora(model, LoraSettings(rank=2, target_modules=targets, layers=1))
    trained = [name for name, parameter in adapted.named_parameters() if parameter.requires_grad]
    assert trained and all(last in name for name in trained)
    adapted(torch.tensor([[3, 4, 5]]), **given).logits.sum().backward()
    assert set(seen) == {False}


def test_more_layers_than_there_are_means_all() -> None:
    every, many = (
        {
            name
            for name, _ in add_lora(model_of("Llama"), LoraSettings(rank=2, layers=layers)).named_modules()
            if name.endswith("lora_A")
        }
        for layers in (None, 9)
    )
    assert every == many


@pytest.mark.parametrize("layers", [0, -1, True, 1.5])
def test_a_number_of_layers_that_cannot_be_used_is_refused(layers: Any) -> None:
    with pytest.raises(SettingsError, match="layers: a whole number, at least 1, or None"):
        LoraSettings(layers=layers)


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


ATTENTION = ["self_attn.k_proj", "self_attn.o_proj", "self_attn.q_proj", "self_attn.v_proj"]


@pytest.mark.parametrize(
    ("family", "ends"),
    [
        ("OPT", ["fc1", "fc2", *(name.replace("o_proj", "out_proj") for name in ATTENTION)]),
        ("Falcon", ["mlp.dense_4h_to_h", "mlp.dense_h_to_4h"]),
        ("Lfm2", ["feed_forward.w1", "feed_forward.w2", "feed_forward.w3"]),
        ("Mixtral", ATTENTION),
        ("GptOss", ATTENTION),
        ("Qwen2Moe", [f"shared_expert.{part}_proj" for part in ("down", "gate", "up")]),
        ("Llama4", [f"shared_expert.{part}_proj" for part in ("down", "gate", "up")]),
        ("Mamba", ["mixer.in_proj", "mixer.x_proj"]),  # the others' weights are read, past an adapter
        ("Mamba2", ["mixer.in_proj"]),
    ],
)
def test_the_default_of_other_families(family: str, ends: list[str]) -> None:
    assert sorted(default_targets(tiny(family))) == sorted(ends)


@pytest.mark.parametrize("family", CONFIGS)
def test_the_default_puts_adapters_in_each_layer_and_changes_nothing_yet(family: str) -> None:
    model, ids = tiny(family), torch.arange(3, 20)[None]
    before = model(ids, use_cache=False).logits
    layers = model.config.num_hidden_layers
    adapted = add_lora(model, LoraSettings(rank=2))
    assert torch.equal(adapted(input_ids=ids, use_cache=False).logits, before)
    names = [name for name, one in adapted.named_parameters() if one.requires_grad]
    assert len({next(part for part in name.split(".") if part.isdigit()) for name in names}) == layers
    assert not any(
        part in name for name in names for part in ("lm_head", "router", "expert_gate", "mlp.gate.")
    )
    adapted(input_ids=ids, use_cache=False).logits.sum().backward()
    ends = [one for name, one in adapted.named_parameters() if "lora_B" in name]
    assert ends and all(one.grad is not None for one in ends)


def test_a_family_whose_decoder_is_the_name_of_its_head_has_a_default_too() -> None:
    sizes = {"vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    model = transformers.ModernBertDecoderForCausalLM(
        transformers.ModernBertDecoderConfig(**sizes, num_attention_heads=4, pad_token_id=0)
    )
    assert isinstance(model.get_decoder(), torch.nn.Linear)
    assert sorted(default_targets(model)) == ["mlp.Wi", "mlp.Wo"]


def test_the_routed_experts_get_adapters_where_they_are_named() -> None:
    adapted = add_lora(tiny("Mixtral"), LoraSettings(rank=2, target_modules=("experts.down_proj",)))
    names = [name for name, one in adapted.named_parameters() if one.requires_grad]
    assert len(names) == 4 and all("mlp.experts.lora_" in name for name in names)
    with pytest.raises(ModelError, match=r"dropout 0\.1 on experts\.down_proj"):
        add_lora(tiny("Mixtral"), LoraSettings(dropout=0.1, target_modules=("experts.down_proj",)))


def test_targets_that_would_do_nothing_are_refused() -> None:
    with pytest.raises(ModelError, match="never calls"):
        add_lora(tiny("Bart"), LoraSettings(target_modules=("encoder_attn.q_proj",)))
    with pytest.raises(ModelError, match=r"Mamba2ForCausalLM with adapters on mixer\.out_proj"):
        add_lora(tiny("Mamba2"), LoraSettings(target_modules=("mixer.out_proj",)))


def test_a_name_that_peft_takes_for_the_experts_is_refused() -> None:
    """Asked for the shared experts, peft 0.21 puts adapters on the routed ones, and says nothing."""
    names = tuple(f"shared_experts.{part}_proj" for part in ("down", "gate", "up"))
    with pytest.raises(ModelError, match="which peft takes for others in deepseek_v3"):
        add_lora(tiny("DeepseekV3"), LoraSettings(target_modules=names))


def test_layers_beside_the_decoder_get_no_adapters() -> None:
    """A tower with layers of the same names, as vision has: full names tell them apart."""
    model = tiny("Llama")
    model.tower = torch.nn.ModuleDict({"layers": torch.nn.ModuleList([copy.deepcopy(model.model.layers[0])])})
    assert default_targets(model) == sorted(
        f"model.layers.{layer}.mlp.{part}_proj" for layer in (0, 1) for part in ("down", "gate", "up")
    )
