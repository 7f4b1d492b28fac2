"""A model that a run loads, looked for as it will be loaded: a checkpoint, or adapters with their model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_training import load, save_tiny, tokenizer_of

from workbench.models import ModelSettings, RewardModel
from workbench.runs.needs import Found, Lack, ModelNeed, judge_needs
from workbench.runs.needs.memory import model_size


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def reward(base: Path, tmp_path: Path) -> Path:
    """Return the folder of a reward model with adapters, as a training leaves it: without config.json."""
    folder = tmp_path / "reward"
    load(base, lora=True).save_pretrained(folder, tokenizer=tokenizer_of(base))
    assert not (folder / "config.json").exists()
    return folder


def test_a_reward_model_with_adapters_is_found_where_it_can_be_loaded(base: Path, reward: Path) -> None:
    (need,) = judge_needs(f"reward:{reward}")
    found = need.check()
    assert isinstance(found, Found)
    assert found.detail.startswith(f"{reward}: adapters on {base}: llama, ")
    RewardModel.from_pretrained(reward)
    assert model_size(ModelSettings(str(reward))) == model_size(ModelSettings(str(base)))


def test_adapters_whose_model_is_gone_are_refused_by_its_name(reward: Path, tmp_path: Path) -> None:
    told = reward / "adapter_config.json"
    said = json.loads(told.read_text())
    empty = tmp_path / "empty"
    empty.mkdir()
    for name, words in (
        (str(empty), "has a configuration and no weights"),
        ("", "do not say of which model"),
    ):
        told.write_text(json.dumps(said | {"base_model_name_or_path": name}))
        found = ModelNeed("policy", ModelSettings(str(reward))).check()
        assert isinstance(found, Lack) and words in found.got
