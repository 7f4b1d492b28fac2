"""Scoring with a sequence classifier of transformers, and with what the workbench saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from workbench.core.errors import ModelError
from workbench.models import ClassifierRewardModel, ModelSettings, RewardModel, load_scorer

SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "initializer_range": 0.3,
}
DECODER = transformers.LlamaConfig(**SIZES, num_labels=1, pad_token_id=0)
IDS = torch.tensor([[5, 6, 7, 8, 9], [5, 9, 4, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool()


def save(
    folder: Path, config: Any, kind: Any = transformers.AutoModelForSequenceClassification
) -> ModelSettings:
    torch.manual_seed(0)
    kind.from_config(config).save_pretrained(folder)
    return ModelSettings(str(folder), device="cpu")


@pytest.mark.parametrize(
    "config",
    [
        DECODER,
        transformers.GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2, num_labels=1, pad_token_id=0),
        transformers.BertConfig(**SIZES, num_labels=1, pad_token_id=0),
    ],
    ids=["llama", "gpt2", "bert"],
)
def test_scores_are_those_of_transformers(tmp_path: Path, config: Any) -> None:
    settings = save(tmp_path, config)
    scorer = load_scorer(settings)
    plain = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        expected = plain(IDS, attention_mask=MASK.long()).logits[:, 0]
    out = scorer(IDS, MASK)
    torch.testing.assert_close(out.scores, expected)
    assert isinstance(scorer, ClassifierRewardModel) and f": {config.model_type}, " in scorer.summary
    assert out.token_logps is None and not out.scores.requires_grad


def test_a_decoder_is_read_at_the_last_real_token_on_either_side(tmp_path: Path) -> None:
    scorer = load_scorer(save(tmp_path, DECODER))
    ended = torch.tensor([[5, 6, 7, 8, 9], [5, 9, 0, 0, 0]])  # its end token is the padding token too
    right = scorer(ended, MASK).scores
    left = scorer(torch.tensor([[5, 6, 7, 8, 9], [0, 0, 5, 9, 0]]), MASK.flip(1)).scores
    torch.testing.assert_close(right, left)
    torch.testing.assert_close(right[1:], scorer(torch.tensor([[5, 9, 0]]), torch.ones(1, 3).bool()).scores)


def test_a_saved_reward_model_is_known_by_its_folder(tmp_path: Path) -> None:
    settings = save(tmp_path / "base", DECODER, transformers.AutoModelForCausalLM)
    model = RewardModel.load(settings, init_std=0.5).eval()
    model.save_pretrained(tmp_path / "saved")
    scorer = load_scorer(ModelSettings(str(tmp_path / "saved"), device="cpu"))
    assert isinstance(scorer, RewardModel)
    with torch.no_grad():
        assert torch.equal(scorer(IDS, MASK).scores, model(IDS, MASK).scores)


def test_a_language_model_is_no_reward_model(tmp_path: Path) -> None:
    """Transformers would load it with a warning, and score by random numbers."""
    settings = save(tmp_path, DECODER, transformers.AutoModelForCausalLM)
    with pytest.raises(ModelError, match=r"no weights for score\.weight"):
        load_scorer(settings)


def test_a_classifier_of_several_labels_is_refused(tmp_path: Path) -> None:
    config = transformers.LlamaConfig(**SIZES, num_labels=3, pad_token_id=0)
    with pytest.raises(ModelError, match="has 3 labels"):
        load_scorer(save(tmp_path, config))


def test_a_missing_one_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_scorer(ModelSettings(str(tmp_path), device="cpu"))
