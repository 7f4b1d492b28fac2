"""Texts that a model cannot read are named before any is read: by what its tables hold, whatever its family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_classifiers import make_tokenizer, save_classifier
from tiny_configs import CONFIGS, tiny
from tiny_training import make_pairs, quick, save_tiny, tokenizer_of

from workbench.core.errors import ModelError
from workbench.models import EncodingSettings, ModelSettings, RewardModel, load_scorer, load_tokenizer
from workbench.models.encoding import EncodedText
from workbench.models.reading import plain_tokens, read_model
from workbench.rewards import Sample
from workbench.rewards.sequence_model import SequenceModelReward
from workbench.training import train_reward_model


@pytest.mark.parametrize("family", CONFIGS)
def test_the_longest_text_is_what_the_model_can_read(family: str) -> None:
    """All have 256 positions in their configuration; some have learned them, and one counts from 1."""
    lm = tiny(family)
    longest = read_model(lm).longest
    with torch.no_grad():
        lm(plain_tokens(lm, longest or 300)[None], use_cache=False)
        if longest is not None:
            with pytest.raises((IndexError, RuntimeError)):
                lm(plain_tokens(lm, longest + 1)[None], use_cache=False)


def test_a_text_and_what_to_do_are_named() -> None:
    model, tokenizer = RewardModel(tiny("GPT2")), make_tokenizer()
    texts = [EncodedText(np.arange(size, dtype=np.int32) % 90, 3) for size in (256, 257)]
    model.check_texts(texts[:1], tokenizer)
    with pytest.raises(ModelError, match=r"text 1 .* has 257 tokens; the model has learned 256 positions"):
        model.check_texts(texts, tokenizer)
    with pytest.raises(
        ModelError, match=r"text 7 .* has token 96, .*; the model has embeddings of 96 tokens"
    ) as caught:
        model.check_texts([EncodedText(np.array([3, 96], dtype=np.int32), 1)], tokenizer, [7])
    assert f"resize_token_embeddings({len(tokenizer)})" in caught.value.fix


@pytest.mark.parametrize("trainable", ["pairs", "evaluation pairs"])
def test_training_says_it_before_its_first_step(tmp_path: Path, trainable: str) -> None:
    tokenizer = tokenizer_of(save_tiny(tmp_path / "tiny"))
    tokenizer.add_tokens(["yes"])
    settings = ModelSettings(str(tmp_path / "tiny"), device="cpu")
    plain = list(make_pairs(4))
    pairs = [
        pair.__class__(pair.prompt, pair.chosen.replace("yes", "sure"), pair.rejected, "") for pair in plain
    ]
    given: dict[str, Any] = (
        {"pairs": plain} if trainable == "pairs" else {"pairs": pairs, "eval_pairs": plain}
    )
    with pytest.raises(ModelError, match=r"text chosen of pair 0 .* 'yes'"):
        train_reward_model(settings, tokenizer, settings=quick(max_steps=1), folder=tmp_path / "rm", **given)
    assert not (tmp_path / "rm" / "training_log.jsonl").exists()


def test_a_classifier_says_it_too(tmp_path: Path) -> None:
    folder = save_classifier(tmp_path, task="SequenceClassification")
    settings = ModelSettings(str(folder), device="cpu")
    scorer, tokenizer = load_scorer(settings), load_tokenizer(settings)
    encoding = EncodingSettings("{prompt} ", max_tokens=4096)
    reward = SequenceModelReward(scorer, tokenizer, encoding)
    assert reward([Sample("a", "cow " * 100)])
    with pytest.raises(ModelError, match=r"text 1 .* learned 1023 positions"):
        reward([Sample("a", "b"), Sample("a", "x1" * 2000)])
    tokenizer.add_tokens(["moo"])
    with pytest.raises(ModelError, match=r"text 0 .* 'moo'"):
        reward([Sample("a", "moo")])
