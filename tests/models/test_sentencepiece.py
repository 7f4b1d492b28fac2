"""Tokenizers that come as a SentencePiece file alone: mT5's spiece.model, UltraRM's tokenizer.model."""

import importlib.util
import json
import sys

import pytest
from sentencepiece_files import write_llama_tokenizer, write_mt5_tokenizer

from workbench.core.errors import ModelError
from workbench.models import ModelSettings, load_tokenizer

CONFIGS = {
    "mt5": {"model_type": "mt5", "tokenizer_class": "T5Tokenizer", "vocab_size": 90},
    "ultra": {"model_type": "llama", "architectures": ["LlamaRewardModel"], "vocab_size": 400},
}
WRITERS = {"mt5": write_mt5_tokenizer, "ultra": write_llama_tokenizer}


@pytest.fixture
def folder(tmp_path, request):
    WRITERS[request.param](tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS[request.param]))
    return tmp_path


@pytest.mark.parametrize("folder", ["mt5", "ultra"], indirect=True)
def test_it_is_read(folder):
    tokenizer = load_tokenizer(ModelSettings(str(folder)))
    assert tokenizer.is_fast  # PPO and span rewards ask it for offsets
    ids = tokenizer("the house is big")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == "the house is big"


@pytest.mark.parametrize("folder", ["mt5", "ultra"], indirect=True)
@pytest.mark.parametrize("package", ["sentencepiece", "protobuf"])
def test_without_a_package_the_error_names_that_package_and_not_tiktoken(folder, package, monkeypatch):
    module = {"sentencepiece": "sentencepiece", "protobuf": "google.protobuf"}[package]
    found = importlib.util.find_spec

    def lacking(name, *where):
        return None if name == module or name.startswith(f"{module}.") else found(name, *where)

    monkeypatch.setattr(importlib.util, "find_spec", lacking)
    for name in [name for name in sys.modules if name.startswith((module, "sentencepiece"))]:
        monkeypatch.delitem(sys.modules, name)  # what was imported before would still be there
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelError) as told:
        load_tokenizer(ModelSettings(str(folder)))
    assert package in told.value.got and "tiktoken" not in str(told.value)
    assert told.value.fix == f"pip install {package}"
