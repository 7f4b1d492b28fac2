"""UltraRM's checkpoints: a Llama with a head of another name."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForSequenceClassification

from workbench.core.errors import ModelError
from workbench.models.loading import ModelSettings
from workbench.rewards.ultra import is_ultra, load_holistic


def make(folder):
    """Save a tiny checkpoint as UltraRM has it; return the scores of its two texts."""
    torch.manual_seed(0)
    model = LlamaForSequenceClassification(
        LlamaConfig(
            vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
            initializer_range=0.3, num_labels=1, pad_token_id=0,
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    weights["regression_head.weight"] = weights.pop("score.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": ["LlamaRewardModel"]}
    for name in ("id2label", "label2id"):
        config.pop(name, None)
    (folder / "config.json").write_text(json.dumps(config))
    ids = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])
    return ids, model.eval()(ids).logits[:, 0].detach()


def test_it_scores_as_its_own_head_does(tmp_path):
    ids, scores = make(tmp_path)
    settings = ModelSettings(str(tmp_path), device="cpu", dtype="float32")
    assert is_ultra(settings)
    found = load_holistic(settings)(ids, torch.ones_like(ids, dtype=torch.bool)).scores
    assert torch.allclose(found, scores, atol=1e-5)


def test_a_checkpoint_without_its_head_is_refused(tmp_path):
    make(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["regression_head.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"score\.weight"):
        load_holistic(ModelSettings(str(tmp_path), device="cpu"))


def test_any_other_model_is_not_taken_for_it(tmp_path):
    assert not is_ultra(ModelSettings(str(tmp_path / "nothing")))
