"""UltraRM's checkpoints: a Llama with a head of another name."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_classifiers import save_ultra

from workbench.core.errors import ModelError
from workbench.models.kinds import ULTRA, kind_of
from workbench.models.loading import ModelSettings
from workbench.models.scorers import load_scorer


def test_it_scores_as_its_own_head_does(tmp_path):
    ids, scores = save_ultra(tmp_path)
    settings = ModelSettings(str(tmp_path), device="cpu", dtype="float32")
    assert kind_of(settings) == ULTRA
    found = load_scorer(settings)(ids, torch.ones_like(ids, dtype=torch.bool)).scores
    assert torch.allclose(found, scores, atol=1e-5)


def test_a_checkpoint_without_its_head_is_refused(tmp_path):
    save_ultra(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["regression_head.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"score\.weight"):
        load_scorer(ModelSettings(str(tmp_path), device="cpu"))
