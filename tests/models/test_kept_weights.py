"""Families that change quantised weights, or the base of adapters, as they run; and those that only seem to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_families import SIZES

from workbench.core.errors import ModelError
from workbench.models import LoraSettings, ModelSettings, RewardModel, add_lora, load_causal_lm
from workbench.models.kept_weights import weights_kept
from workbench.training.ppo import ValuedPolicy


def rwkv(folder: Path, quantize: str | None = None) -> Any:
    """Load a tiny RWKV, which halves weights for evaluation."""
    sizes = {"vocab_size": 96, "hidden_size": 32, "attention_hidden_size": 32, "num_hidden_layers": 2}
    transformers.RwkvForCausalLM(transformers.RwkvConfig(**sizes, rescale_every=1)).save_pretrained(folder)
    return load_causal_lm(ModelSettings(str(folder), quantize=quantize, device="cpu")).model


def mixture(experts: int = 4) -> Any:
    sizes = SIZES | {"num_local_experts": experts, "num_key_value_heads": 2}
    return transformers.MixtralForCausalLM(transformers.MixtralConfig(**sizes))


@pytest.mark.parametrize("use", [RewardModel, ValuedPolicy])
def test_a_family_that_changes_its_quantised_weights_as_it_runs_is_refused(tmp_path: Path, use: Any) -> None:
    model = rwkv(tmp_path, "nf4")
    with pytest.raises(
        ModelError, match=r"RwkvForCausalLM quantised, which changes 4 of its weights as it runs"
    ):
        use(model)


@pytest.mark.parametrize("use", [RewardModel, ValuedPolicy])
def test_a_family_that_changes_the_base_of_its_adapters_is_refused_before_training(
    tmp_path: Path, use: Any
) -> None:
    adapted = add_lora(rwkv(tmp_path), LoraSettings(rank=2))
    with pytest.raises(
        ModelError, match="RwkvForCausalLM with adapters, which changes 2 of its weights"
    ) as seen:
        use(adapted)
    assert "train without adapters" in seen.value.fix


def test_packed_weights_that_a_pass_in_training_multiplies_are_refused(tmp_path: Path) -> None:
    model = rwkv(tmp_path, "nf4")
    with torch.no_grad():
        model(torch.arange(3, 9)[None])  # for evaluation, before the workbench looks
    with pytest.raises(ModelError, match="RwkvForCausalLM quantised"):
        add_lora(model, LoraSettings(rank=2))


@pytest.mark.parametrize("quantize", ["nf4", "8bit"])
def test_a_family_that_leaves_its_quantised_weights_alone_is_taken(tmp_path: Path, quantize: str) -> None:
    sizes = SIZES | {"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 2}
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes)).save_pretrained(tmp_path)
    model = load_causal_lm(ModelSettings(str(tmp_path), quantize=quantize, device="cpu")).model
    adapted = add_lora(model, LoraSettings(rank=2))
    with torch.no_grad(), weights_kept(adapted):
        for mode in (False, True, False):
            adapted.train(mode)(torch.arange(3, 9)[None])


def test_writing_the_same_numbers_again_is_no_change() -> None:
    # as peft does with a parameter that holds several experts, in every pass
    adapted = add_lora(mixture(), LoraSettings(rank=2, target_modules=("experts.down_proj",)))
    expert = next(
        one for name, one in adapted.named_parameters() if name.endswith("experts.base_layer.down_proj")
    )
    before = expert._version
    with torch.no_grad(), weights_kept(adapted):
        adapted(torch.arange(3, 9)[None])
    assert expert._version > before


@pytest.mark.parametrize("change", ["written", "replaced", "gone"])
def test_a_change_of_a_weight_beside_adapters_is_found(change: str) -> None:
    adapted = add_lora(mixture(), LoraSettings(rank=2, target_modules=("experts.down_proj",)))
    norm = adapted.get_base_model().model.norm
    with pytest.raises(ModelError, match=r"changes 1 of its weights as it runs \(.*model\.norm\.weight"):  # noqa: SIM117
        with torch.no_grad(), weights_kept(adapted):
            if change == "written":
                norm.weight.mul_(2)
            elif change == "replaced":
                norm.weight = torch.nn.Parameter(norm.weight.clone())
            else:
                del norm.weight
