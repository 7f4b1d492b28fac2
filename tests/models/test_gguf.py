"""GGUF files where checkpoints are taken: the same weights, tokens and template, unpacked once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_gguf import write_tiny_gguf

from workbench.core.errors import ModelError
from workbench.models import gguf
from workbench.models.gguf import checkpoint_of, is_gguf, whole_folder
from workbench.models.loading import ModelSettings, load_causal_lm, load_tokenizer

pytest.importorskip("gguf", reason="the extra gguf is not installed")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_file_is_the_same_model_as_its_checkpoint(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, file = write_tiny_gguf(tmp_path)
    capsys.readouterr()
    own, unpacked = (load_causal_lm(ModelSettings(str(one))).model for one in (checkpoint, file))
    said = capsys.readouterr().err
    assert "tiny.gguf: unpacking into" in said
    assert "%|" not in said  # no bar of a library
    one, other = (load_tokenizer(ModelSettings(str(each))) for each in (checkpoint, file))
    assert other.chat_template == one.chat_template
    assert other.eos_token_id == one.eos_token_id
    ids = one("<|user|>result = df.sum()<eos>", return_tensors="pt")["input_ids"]
    assert other("<|user|>result = df.sum()<eos>")["input_ids"] == ids[0].tolist()
    with torch.no_grad():
        torch.testing.assert_close(unpacked(ids).logits, own(ids).logits, rtol=1e-4, atol=1e-4)
    (folder,) = (each for each in (cache / "models").iterdir() if each.is_dir())
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert ModelSettings(str(file)).source == str(folder)
    assert (folder / "model.safetensors").stat().st_mtime_ns == before  # once


def test_a_damaged_file_leaves_nothing_behind(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "half.gguf"
    file.write_bytes(write_tiny_gguf(tmp_path)[1].read_bytes()[:3000])
    with pytest.raises(ModelError, match=r"half\.gguf cannot be read") as caught:
        load_causal_lm(ModelSettings(str(file)))
    assert "download it again" in caught.value.fix
    assert not [one for one in (cache / "models").iterdir() if one.is_dir()]


def test_the_extra_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF and more")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError) as caught:
        checkpoint_of(file)
    assert "alignment-workbench[gguf]" in caught.value.fix


def test_a_full_disk_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF and more")

    def full(file: Path, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gguf, "converted", full)
    with pytest.raises(ModelError, match="is full") as caught:
        checkpoint_of(file)
    assert "WORKBENCH_CACHE" in caught.value.fix


def test_what_an_interrupted_filling_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "a"
    left = folder.with_name(".a.partial")
    left.mkdir(parents=True)
    (left / "heap").write_text("half")
    with whole_folder(folder) as partial:
        assert partial is not None
        assert not folder.exists()
        (partial / gguf.COMPLETE).write_text("{}")
    assert [one.name for one in folder.iterdir()] == [gguf.COMPLETE]
    with whole_folder(folder) as again:
        assert again is None


def test_a_file_is_known_by_how_it_begins(tmp_path: Path) -> None:
    named, other = tmp_path / "weights", tmp_path / "a.gguf"
    named.write_bytes(b"GGUF\x03")
    other.write_bytes(b"PK")
    assert is_gguf(named)
    assert not is_gguf(other)
    assert not is_gguf(tmp_path)
    with pytest.raises(ModelError, match="no GGUF file"):
        load_tokenizer(ModelSettings(str(other)))
    with pytest.raises(ModelError, match="no file"):
        load_tokenizer(ModelSettings(str(tmp_path / "none.gguf")))
