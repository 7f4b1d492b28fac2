"""Loading: devices and number types, quantisation, what is said, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import safetensors.torch
import torch
import transformers
from tiny_model import make_tiny_model

from workbench.core.errors import ModelError, SettingsError
from workbench.models import ModelSettings, load_causal_lm, load_tokenizer
from workbench.models.damage import damage
from workbench.models.placement import pick_device, pick_dtype
from workbench.retrieval.dense import load_encoder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model")))


def test_a_model_is_loaded_and_said_in_one_line(checkpoint: str) -> None:
    model, summary = load_causal_lm(ModelSettings(checkpoint, device="cpu"))
    assert not model.training and model.dtype == torch.float32
    said = f"{checkpoint}: llama, {model.num_parameters():,} parameters, float32 weights, on cpu"
    assert summary == said
    tokenizer = load_tokenizer(ModelSettings(checkpoint))
    assert tokenizer.decode(tokenizer("sum")["input_ids"]) == "sum"


def test_nf4_is_double_quantized_and_computes_in_the_type_picked(checkpoint: str) -> None:
    settings = ModelSettings(
        checkpoint, quantize="nf4", dtype="bfloat16", device="cpu", gradient_checkpointing=True
    )
    model, summary = load_causal_lm(settings)
    layer: Any = model.get_submodule("model.layers.0.mlp.up_proj")
    assert type(layer).__name__ == "Linear4bit" and layer.weight.quant_type == "nf4"
    assert layer.weight.quant_state.nested and layer.compute_dtype == torch.bfloat16
    assert type(model.get_output_embeddings()) is torch.nn.Linear
    assert "nf4 weights, computing in bfloat16, on cpu, gradient checkpointing" in summary
    assert model(torch.tensor([[3, 4]])).logits.isfinite().all()


def test_what_auto_picks(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert pick_dtype("auto", cpu) == torch.float32
    assert pick_dtype("float16", cpu) == torch.float16
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("auto") == gpu
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ModelError, match=r"torch sees 2 GPU\(s\)"):
        pick_device("cuda:2")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert pick_dtype("auto", gpu) == torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert pick_dtype("auto", gpu) == torch.float16


def test_native_is_bfloat16_on_a_processor_that_multiplies_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    for sets, dtype in ((["avx2", "avx512_bf16"], torch.bfloat16), (["avx2", "avx512f"], torch.float32)):
        monkeypatch.setattr("workbench.models.placement.instruction_sets", lambda sets=sets: sets)
        assert pick_dtype("native", cpu) == dtype
        assert pick_dtype("auto", cpu) == torch.float32


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device("auto") == torch.device("cpu")
    with pytest.raises(ModelError, match="torch sees no GPU") as caught:
        pick_device("cuda")
    assert caught.value.fix == "set device='cpu'"
    with pytest.raises(ModelError, match="an Apple GPU"):
        pick_device("mps")
    with pytest.raises(ModelError, match="device 'gpu'"):
        pick_device("gpu")


def test_settings_are_checked_together() -> None:
    with pytest.raises(SettingsError) as caught:
        ModelSettings(" ", quantize="int4", dtype="fp32")
    assert caught.value.got == "name ' '; quantize 'int4'; dtype 'fp32'"
    assert "quantize: one of None, nf4, 8bit" in caught.value.needed


def test_a_missing_model(tmp_path: Path) -> None:
    for load in (load_causal_lm, load_tokenizer):
        with pytest.raises(ModelError, match="cannot be loaded") as caught:
            load(ModelSettings(str(tmp_path), device="cpu"))
        assert caught.value.got.startswith(str(tmp_path))


def raising(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("transformers' own words\nand more of them") from error

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", refuse)


def test_a_gated_model_says_where_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import GatedRepoError

    response: Any = SimpleNamespace(headers={}, request=None, status_code=403)
    raising(monkeypatch, GatedRepoError("gated", response=response))
    with pytest.raises(ModelError, match="it is gated") as caught:
        load_causal_lm(ModelSettings("org/model", device="cpu"))
    assert caught.value.fix == "accept them at https://huggingface.co/org/model, then run `hf auth login`"


def test_a_model_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    raising(monkeypatch, LocalEntryNotFoundError("no connection"))
    with pytest.raises(ModelError, match="transformers' own words") as caught:
        load_causal_lm(ModelSettings("org/model", device="cpu"))
    assert "check the connection" in caught.value.fix and "and more" not in caught.value.got


def test_a_model_too_big(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", full)
    with pytest.raises(ModelError, match="does not fit into the memory of cpu") as caught:
        load_causal_lm(ModelSettings("org/model", device="cpu"))
    assert "quantize='nf4'" in caught.value.fix


def test_a_checkpoint_without_its_lm_head_is_not_filled_with_random_numbers(tmp_path: Path) -> None:
    config = transformers.LlamaConfig(
        vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    transformers.LlamaModel(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"has no weights for lm_head\.weight"):
        load_causal_lm(ModelSettings(str(tmp_path), device="cpu"))


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n"


def damaged(checkpoint: str, folder: Path, name: str, content: bytes | None) -> str:
    """Copy a checkpoint, with one file cut in half, or with other content."""
    shutil.copytree(checkpoint, folder)
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2] if content is None else content)
    return str(folder)


@pytest.mark.parametrize("content", [None, b"", LFS], ids=["half", "empty", "git-lfs"])
@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"]
)
def test_a_file_that_was_not_downloaded_to_its_end_is_named(
    name: str, content: bytes | None, checkpoint: str, tmp_path: Path
) -> None:
    folder = damaged(checkpoint, tmp_path / "copy", name, content)
    load: Any = load_tokenizer if "tokenizer" in name else load_causal_lm
    with pytest.raises(ModelError, match=f"{name} is damaged, or was not copied to its end") as caught:
        load(ModelSettings(folder, device="cpu"))
    assert "download it again" in caught.value.fix


@pytest.mark.parametrize("content", [None, b"", LFS], ids=["half", "empty", "git-lfs"])
def test_weights_in_the_older_format_that_are_not_whole(
    content: bytes | None, checkpoint: str, tmp_path: Path
) -> None:
    shutil.copytree(checkpoint, tmp_path / "older")
    weights = safetensors.torch.load_file(tmp_path / "older" / "model.safetensors")
    (tmp_path / "older" / "model.safetensors").unlink()
    torch.save(weights, tmp_path / "older" / "pytorch_model.bin")
    folder = damaged(str(tmp_path / "older"), tmp_path / "copy", "pytorch_model.bin", content)
    with pytest.raises(ModelError, match="copy is damaged, or was not copied to its end"):
        load_causal_lm(ModelSettings(folder, device="cpu"))


def test_a_damaged_encoder_is_named(checkpoint: str, tmp_path: Path) -> None:
    folder = damaged(checkpoint, tmp_path / "copy", "model.safetensors", None)
    (tmp_path / "copy" / "modules.json").write_text(
        '[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]'
    )
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged"):
        load_encoder(folder)


def test_a_model_on_the_hub_is_downloaded_again() -> None:
    error = damage(safetensors.SafetensorError("incomplete metadata"), "org/model")
    assert error is not None and "hf download org/model --force-download" in error.fix
    assert damage(ValueError("another fault"), "org/model") is None
