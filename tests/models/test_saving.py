"""Saving: a reward model scores the same when loaded, in every way it can be held; and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from tiny_families import FAMILIES, WAYS, batch, config_of, load, run, save_tiny_models

from workbench.core.errors import ModelError
from workbench.models import ModelSettings, RewardModel, restore_reward_model


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return save_tiny_models(tmp_path_factory.mktemp("families"))


@pytest.fixture(scope="module")
def llama(checkpoints: dict[str, str]) -> str:
    return checkpoints["Llama"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_reloaded_reward_model_gives_the_same_bits(
    checkpoints: dict[str, str], tmp_path: Path, family: str, way: str
) -> None:
    model = load(checkpoints[family], way)
    before = run(model)
    assert before.token_logps is not None
    assert before.scores.abs().min() > 1e-3, "scores near zero would prove nothing"
    model.save_pretrained(tmp_path / "saved")
    after = run(RewardModel.from_pretrained(tmp_path / "saved", device="cpu"))
    assert after.token_logps is not None
    assert torch.equal(before.scores, after.scores)
    assert torch.equal(before.token_logps, after.token_logps)


ON_DISK: dict[str, dict[str, Any]] = {
    "half precision": {"dtype": torch.float16},
    "bfloat16": {"dtype": torch.bfloat16},
    "in shards": {"max_shard_size": "20KB"},
    "untied": {"tie_word_embeddings": False},
    "tied": {"tie_word_embeddings": True},
    "a pickle": {"pickle": True},
    "a pickle in shards": {"pickle": True, "max_shard_size": "20KB"},
}


def save_as(
    folder: Path,
    dtype: torch.dtype = torch.float32,
    max_shard_size: str = "1GB",
    pickle: bool = False,
    **config: bool,
) -> str:
    """Save a tiny Llama as checkpoints on the Hub lie there: number type, shards, format, tied or not."""
    torch.manual_seed(0)
    made = config_of("Llama")
    vars(made).update(config)
    lm = transformers.AutoModelForCausalLM.from_config(made).to(dtype)
    lm.save_pretrained(folder, max_shard_size=max_shard_size)
    if pickle:
        for file in sorted(folder.glob("*.safetensors")):
            torch.save(load_file(file), folder / f"pytorch_{file.stem}.bin")
            file.unlink()
        index = folder / "model.safetensors.index.json"
        if index.exists():
            names = index.read_text().replace("model-0", "pytorch_model-0").replace(".safetensors", ".bin")
            (folder / "pytorch_model.bin.index.json").write_text(names)
            index.unlink()
    return str(folder)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", ON_DISK)
def test_it_does_not_matter_how_the_checkpoint_lies_on_disk(tmp_path: Path, layout: str, way: str) -> None:
    base = save_as(tmp_path / "base", **ON_DISK[layout])
    if "shards" in layout:
        assert len(list((tmp_path / "base").glob("*-of-*"))) > 1
    model = load(base, way)
    before = run(model)
    assert before.token_logps is not None
    model.save_pretrained(tmp_path / "saved")
    after = run(RewardModel.from_pretrained(tmp_path / "saved", device="cpu"))
    assert after.token_logps is not None
    assert torch.equal(before.scores, after.scores)
    assert torch.equal(before.token_logps, after.token_logps)
    merged = run(model.merge() if way in ("lora", "nf4") else model).scores
    assert torch.allclose(merged, before.scores, atol=2e-3 if way == "nf4" else 1e-4)


@pytest.mark.parametrize("family", ["Llama", "GPT2"])
def test_a_merged_nf4_model_is_saved_whole(checkpoints: dict[str, str], tmp_path: Path, family: str) -> None:
    model = load(checkpoints[family], "nf4").merge()
    model.save_pretrained(tmp_path)
    assert torch.equal(run(RewardModel.from_pretrained(tmp_path, device="cpu")).scores, run(model).scores)
    transformers.AutoModelForCausalLM.from_pretrained(tmp_path)  # the folder is a plain policy's too


@pytest.mark.parametrize("way", ["full", "lora"])
def test_weights_are_restored_in_place(llama: str, tmp_path: Path, way: str) -> None:
    model = load(llama, way)
    expected = run(model)
    model.save_pretrained(tmp_path, state_dict=model.state_dict())
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(1.0)
    restore_reward_model(model, tmp_path)
    assert torch.equal(run(model).scores, expected.scores)
    other = load(llama, "lora" if way == "full" else "full")
    with pytest.raises(ModelError, match="a model of the same kind"):
        restore_reward_model(other, tmp_path)


def test_a_loaded_model_trains_on_only_when_asked(llama: str, tmp_path: Path) -> None:
    folder = load(llama, "lora").save_pretrained(tmp_path)
    trained = RewardModel.from_pretrained(folder, device="cpu", trainable=True)
    names = [name for name, parameter in trained.named_parameters() if parameter.requires_grad]
    assert len(names) == 13 and all("lora" in name or name == "reward_head.weight" for name in names)
    frozen = RewardModel.from_pretrained(folder, device="cpu")
    assert not any(parameter.requires_grad for parameter in frozen.parameters())


def test_a_head_alone_on_a_quantized_body(llama: str, tmp_path: Path) -> None:
    model = RewardModel.load(ModelSettings(llama, device="cpu", quantize="nf4"), init_std=0.5).eval()
    assert [n for n, p in model.named_parameters() if p.requires_grad] == ["reward_head.weight"]
    model.save_pretrained(tmp_path)
    assert not list(tmp_path.glob("model*"))
    assert torch.equal(run(RewardModel.from_pretrained(tmp_path, device="cpu")).scores, run(model).scores)


def test_a_base_that_moved_is_said_and_can_be_given(llama: str, tmp_path: Path) -> None:
    shutil.copytree(llama, tmp_path / "base")
    model = load(str(tmp_path / "base"), "lora")
    folder = model.save_pretrained(tmp_path / "saved")
    (tmp_path / "base").rename(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="the base of") as caught:
        RewardModel.from_pretrained(folder, device="cpu")
    assert "base=" in caught.value.fix
    again = RewardModel.from_pretrained(folder, device="cpu", base=str(tmp_path / "elsewhere"))
    assert torch.equal(run(again).scores, run(model).scores)


def test_a_base_that_changed_is_refused(llama: str, tmp_path: Path) -> None:
    shutil.copytree(llama, tmp_path / "base")
    folder = load(str(tmp_path / "base"), "lora").save_pretrained(tmp_path / "saved")
    torch.manual_seed(5)
    transformers.AutoModelForCausalLM.from_config(config_of("Llama")).save_pretrained(tmp_path / "base")
    for place in (None, str(tmp_path / "base")):
        with pytest.raises(ModelError, match="not those that this reward model was trained on"):
            RewardModel.from_pretrained(folder, device="cpu", base=place)
    again = RewardModel.from_pretrained(folder, device="cpu", base=llama)
    assert again.origin is not None and again.origin.name == llama


def test_adapters_and_their_base_are_kept_apart(llama: str, tmp_path: Path) -> None:
    shutil.copytree(llama, tmp_path / "base")
    model = load(str(tmp_path / "base"), "lora")
    with pytest.raises(ModelError, match="the folder of the model's own base"):
        model.save_pretrained(tmp_path / "base")
    folder = model.save_pretrained(tmp_path / "saved")
    with pytest.raises(ModelError, match=r"RewardModel\.from_pretrained"):
        RewardModel.load(ModelSettings(str(folder), device="cpu"))


def test_an_interrupted_save_is_no_reward_model(
    llama: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(llama)
    model.save_pretrained(tmp_path)
    monkeypatch.setattr(type(model.policy), "save_pretrained", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="to its end"):
        RewardModel.from_pretrained(tmp_path, device="cpu")


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "reward_head.safetensors"])
def test_a_part_that_was_not_copied_to_its_end_is_named(llama: str, tmp_path: Path, name: str) -> None:
    folder = load(llama, "lora").save_pretrained(tmp_path)
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=f"{name} is damaged, or was not copied to its end"):
        RewardModel.from_pretrained(folder, device="cpu")


def test_a_folder_that_is_no_reward_model(llama: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no readable reward_model\.json"):
        RewardModel.from_pretrained(llama)
    folder = load(llama).save_pretrained(tmp_path)
    description = json.loads((folder / "reward_model.json").read_text())
    (folder / "reward_model.json").write_text(json.dumps(description | {"format": 99}))
    with pytest.raises(ModelError, match="another format"):
        RewardModel.from_pretrained(folder)
    (folder / "reward_model.json").write_text(json.dumps(description))
    (folder / "reward_head.safetensors").unlink()
    with pytest.raises(ModelError, match="the scalar head that belongs"):
        RewardModel.from_pretrained(folder, device="cpu")


def test_what_cannot_be_saved_or_be_its_own_reference(llama: str, tmp_path: Path) -> None:
    model = load(llama, "lora")
    model.origin = None
    with pytest.raises(ModelError, match="unknown origin"):
        model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="without adapters"):
        load(llama).reference_logps(**batch())
