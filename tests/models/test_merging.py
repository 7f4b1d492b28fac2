"""Adapters folded into weights that two layers share, and into quantised ones: the numbers stay."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_configs import tiny

from workbench.models import LoraSettings, ModelSettings, RewardModel, RewardOutput, add_lora


def adapted(family: str, target: str) -> RewardModel:
    policy = add_lora(tiny(family), LoraSettings(rank=4, target_modules=(target,)))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, one in policy.named_parameters():
            if "lora_" in name:
                one.normal_(std=0.2)
    return RewardModel(policy, init_std=0.5).eval()


@torch.no_grad()
def outputs(model: RewardModel) -> RewardOutput:
    ids = torch.arange(3, 23)[None]
    real = torch.ones_like(ids).bool()
    return model(ids, real, real & (torch.arange(20) > 4))


@pytest.mark.parametrize(
    ("family", "target"),
    [
        ("tied Qwen2", "lm_head"),
        ("tied Qwen2", "embed_tokens"),
        ("GPT2", "lm_head"),
        ("GPT2", "wte"),
        ("OPT", "lm_head"),
        ("Gemma2", "embed_tokens"),
        ("Bloom", "lm_head"),
        ("Mixtral", "experts.down_proj"),
    ],
)
def test_merging_into_a_shared_weight_changes_no_number(tmp_path: Path, family: str, target: str) -> None:
    model = adapted(family, target)
    before = outputs(model)
    after = outputs(model.merge())
    torch.testing.assert_close(after.scores, before.scores, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(after.token_logps, before.token_logps, rtol=1e-4, atol=1e-4)
    model.save_pretrained(tmp_path)
    again = outputs(RewardModel.from_pretrained(tmp_path, device="cpu"))
    assert torch.equal(again.token_logps, after.token_logps) and torch.equal(again.scores, after.scores)


@pytest.mark.parametrize("family", ["Llama", "GPT2", "OPT"])
def test_8_bit_weights_are_made_floating(tmp_path: Path, family: str) -> None:
    tiny(family).save_pretrained(tmp_path / "base")
    settings = ModelSettings(str(tmp_path / "base"), device="cpu", quantize="8bit")
    torch.manual_seed(1)
    model = RewardModel.load(settings, lora=LoraSettings(rank=4), init_std=0.5).eval()
    with torch.no_grad():
        for name, one in model.policy.named_parameters():
            if "lora_" in name:
                one.normal_(std=0.1)
    before = outputs(model)
    after = outputs(model.merge())
    # 8-bit layers round their inputs too; adapters left out would be off by more than ten times as much
    assert (after.token_logps - before.token_logps).abs().max() < 0.15
    model.save_pretrained(tmp_path / "merged")
    again = outputs(RewardModel.from_pretrained(tmp_path / "merged", device="cpu"))
    assert torch.equal(again.token_logps, after.token_logps)
