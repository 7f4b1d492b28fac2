"""Adapters are not saved for a base that is no more what was loaded."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_configs import tiny

from workbench.core.errors import ModelError
from workbench.models import LoraSettings, ModelSettings, RewardModel, add_lora, load_causal_lm


def set_rows(lm: Any) -> None:
    with torch.no_grad():
        lm.get_input_embeddings().weight[5] = 1.0


def set_rows_behind_torch(lm: Any) -> None:
    lm.get_input_embeddings().weight.data[5] = 1.0


def swap_rows(lm: Any) -> None:
    weight = lm.get_input_embeddings().weight.data
    weight[[5, 6]] = weight[[6, 5]]


def resize(lm: Any) -> None:
    lm.resize_token_embeddings(100)


def train_a_norm(lm: Any) -> None:
    norm = next(one for name, one in lm.named_parameters() if "norm" in name or "ln_" in name)
    norm.data += 1e-3


CHANGES = [set_rows, set_rows_behind_torch, swap_rows, resize, train_a_norm]


@pytest.fixture(params=["Llama", "tied Qwen2", "GPT2"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> ModelSettings:
    tiny(request.param).save_pretrained(tmp_path / "base")
    return ModelSettings(str(tmp_path / "base"), device="cpu")


@pytest.mark.parametrize("change", CHANGES)
def test_a_base_that_changed_under_its_adapters_is_refused(
    base: ModelSettings, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    model = RewardModel.load(base, lora=LoraSettings(rank=2))
    model.save_pretrained(tmp_path / "before")
    change(model.causal_lm)
    with pytest.raises(ModelError, match="base has changed in memory") as caught:
        model.save_pretrained(tmp_path / "after")
    assert "save_pretrained" in caught.value.fix and not (tmp_path / "after").exists()
    model.merge().save_pretrained(tmp_path / "merged")


@pytest.mark.parametrize("change", [set_rows, resize])
def test_a_base_that_changed_before_is_refused_too(
    base: ModelSettings, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    loaded = load_causal_lm(base)
    change(loaded.model)
    model = RewardModel(add_lora(loaded.model, LoraSettings(rank=2)), origin=base)
    with pytest.raises(ModelError, match="base has changed in memory"):
        model.save_pretrained(tmp_path / "after")


def test_training_the_adapters_casting_and_copying_change_no_base(
    base: ModelSettings, tmp_path: Path
) -> None:
    model = RewardModel.load(base, lora=LoraSettings(rank=2))
    optimizer = torch.optim.SGD([one for one in model.parameters() if one.requires_grad], lr=0.1)
    ids = torch.arange(3, 13)[None]
    model(ids, torch.ones_like(ids).bool()).scores.sum().backward()
    optimizer.step()
    model.save_pretrained(tmp_path / "trained")
    copy.deepcopy(model).save_pretrained(tmp_path / "copied")
    model.to(torch.bfloat16).save_pretrained(tmp_path / "cast")


def test_the_same_bits_written_again_are_no_change(base: ModelSettings, tmp_path: Path) -> None:
    """A launcher of several processes sends the first one's weights to all."""
    model = RewardModel.load(base, lora=LoraSettings(rank=2))
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight.clone())
    model.save_pretrained(tmp_path / "kept")
    assert any(
        ".lora_" in name for name, _ in RewardModel.from_pretrained(tmp_path / "kept").named_parameters()
    )
