"""Saved adapters come back whole, in families too whose layers peft renames when it loads them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from workbench.benchmarks.families import Family, tiny_of
from workbench.core.errors import ModelError
from workbench.models import LoraSettings, ModelSettings, RewardModel


def saved(folder: Path, family: str) -> RewardModel:
    tiny_of(Family(family)).save_pretrained(folder / "base")
    model = RewardModel.load(ModelSettings(str(folder / "base"), device="cpu"), lora=LoraSettings(rank=2))
    with torch.no_grad():
        for name, one in model.named_parameters():
            if "lora_B" in name:
                one.normal_()
    model.save_pretrained(folder / "adapters")
    return model


@pytest.mark.parametrize("family", ["llama", "laguna"])
def test_every_adapter_comes_back(tmp_path: Path, family: str) -> None:
    model = saved(tmp_path, family)
    again = RewardModel.from_pretrained(tmp_path / "adapters", device="cpu")
    one, other = model.state_dict(), again.state_dict()
    assert set(one) == set(other) and all(torch.equal(value, other[name]) for name, value in one.items())


def test_adapters_that_are_not_all_there_are_refused(tmp_path: Path) -> None:
    saved(tmp_path, "llama")
    file = tmp_path / "adapters" / "adapter_model.safetensors"
    values = load_file(file)
    values.pop(next(name for name in values if "lora_B" in name))
    save_file(values, file)
    with pytest.raises(ModelError, match=r"not both saved and in the model: .*lora_B"):
        RewardModel.from_pretrained(tmp_path / "adapters", device="cpu")
