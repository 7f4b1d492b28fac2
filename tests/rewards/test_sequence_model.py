"""Models that score whole answers: against plain calls of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from tiny_classifiers import make_tokenizer, save_classifier
from tiny_model import make_tiny_model

from workbench.core.errors import ModelError
from workbench.models import ModelSettings, RewardModel
from workbench.models.encoding import EncodingSettings, collate, encode
from workbench.rewards import Sample, SequenceModelReward
from workbench.rewards.sequence_model import COMPLETENESS_ENCODING, ULTRA_ENCODING

SAMPLES = [
    Sample("What?", "Hay."),
    Sample("Who eats hay?", "The cow eats grass, and hay too."),
    Sample("Why?", ""),
]


@pytest.mark.parametrize("batch_size", [1, 2])
def test_a_classifier_of_texts_scores_as_transformers_does(tmp_path: Path, batch_size: int) -> None:
    save_classifier(tmp_path, task="SequenceClassification")
    settings = ModelSettings(str(tmp_path), device="cpu")
    reward = SequenceModelReward.load(
        settings, COMPLETENESS_ENCODING, name="completeness", batch_size=batch_size
    )
    plain = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    tokenizer = make_tokenizer()
    for sample, spans in zip(SAMPLES, reward(SAMPLES), strict=True):
        ids = tokenizer(f"{sample.prompt} answer: {sample.response}", return_tensors="pt")["input_ids"]
        with torch.no_grad():
            expected = plain(ids).logits[0, 0].item()
        assert [(span.start, span.end) for span in spans] == [(0, len(sample.response))]
        assert spans[0].value == pytest.approx(expected, abs=1e-5)
    assert reward([]) == [] and reward.name == "completeness"


def test_a_reward_model_scores_without_its_language_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_tiny_model(tmp_path / "base")
    model = RewardModel.load(ModelSettings(str(folder), device="cpu"), init_std=0.5).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model.save_pretrained(tmp_path / "saved", tokenizer=tokenizer)
    reward = SequenceModelReward.load(ModelSettings(str(tmp_path / "saved"), device="cpu"))
    encoded = encode([(one.prompt, one.response) for one in SAMPLES], tokenizer, EncodingSettings())
    with torch.no_grad():
        expected = model(*collate(list(encoded))).scores.tolist()
    monkeypatch.setattr(RewardModel, "_token_logps", None)
    scores = [spans[0].value for spans in reward(SAMPLES)]
    assert scores == pytest.approx(expected, abs=1e-5) and len(set(scores)) == 3


def test_scores_that_are_no_numbers_are_said(tmp_path: Path) -> None:
    save_classifier(tmp_path, task="SequenceClassification", family="Llama")
    reward = SequenceModelReward.load(ModelSettings(str(tmp_path), device="cpu"), ULTRA_ENCODING)
    with torch.no_grad():
        reward.model.model.score.weight.fill_(torch.nan)
    with pytest.raises(ModelError, match="2 of 2 scores of holistic are not finite"):
        reward(SAMPLES[:2])
