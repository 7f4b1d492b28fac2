"""Span classifiers: what they are shown, against plain transformers, and what they refuse."""

from __future__ import annotations

import functools
import json
import operator
import statistics
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_classifiers import make_tokenizer, save_classifier

from workbench.core.errors import DataError, ModelError, SettingsError
from workbench.models import ModelSettings
from workbench.rewards import FACTUALITY, RELEVANCE, Sample, Span, SpanClassifierReward, SpanSettings
from workbench.rewards.span_encoding import encode_segments
from workbench.rewards.span_models import DESCRIPTION, save_span_classifier

SAMPLES = [
    Sample("question: What? context: Hay.", "The cow eats grass. It moos.", {"question": "What?"}),
    Sample("question: Who? context: Hay.", "Cows.", {"question": "Who?"}),
    Sample("question: Why?", "", {"question": "Why?"}),
    Sample("question: Long?", "Cows moo. \N{COW} Cows eat é. Hay is dried grass. No.", {"question": "Long?"}),
]


def settings_of(folder: Path) -> ModelSettings:
    return ModelSettings(str(folder), device="cpu")


def test_a_label_stands_at_the_end_of_its_segment_or_at_the_separator_before_it() -> None:
    tokenizer = make_tokenizer()
    sample, cut = [Sample("Who?", "Cows.  It   moos.")], [[(0, 5), (7, 17)]]
    (last,) = encode_segments(sample, cut, tokenizer, FACTUALITY)
    assert tokenizer.decode(last.tokens) == "<s> Who? answer: Cows. It moos.</s>"
    assert [tokenizer.decode(last.tokens[: place + 1]) for place in last.places] == [
        "<s> Who? answer: Cows.",
        "<s> Who? answer: Cows. It moos.",
    ]
    (before,) = encode_segments(sample, cut, tokenizer, SpanSettings(separator="</s>"))
    assert tokenizer.decode(before.tokens) == "<s> Who? answer:</s> Cows.</s> It moos.</s>"
    assert [before.tokens[place] for place in before.places] == [2, 2]
    assert before.tokens.index(2) == before.places[0]


def test_what_is_too_long_loses_the_end_of_its_prompt_and_then_of_the_answer() -> None:
    tokenizer = make_tokenizer()
    sample, cut = [Sample("Who? " + "x" * 50, "Cows. It moos.")], [[(0, 5), (6, 14)]]
    answer = len(tokenizer(" Cows. It moos.", add_special_tokens=False)["input_ids"])
    (kept,) = encode_segments(sample, cut, tokenizer, SpanSettings(max_tokens=answer + 7))
    assert len(kept.tokens) == answer + 7 and len(kept.places) == 2
    assert tokenizer.decode(kept.tokens).startswith("<s> Who?") and "answer" not in tokenizer.decode(
        kept.tokens
    )
    (half,) = encode_segments(sample, cut, tokenizer, SpanSettings(max_tokens=answer))
    assert len(half.tokens) == answer and len(half.places) == 1


@pytest.mark.parametrize(
    ("family", "settings", "labels"),
    [
        (
            "Roberta",
            SpanSettings("subsentence", "question: {question} answer:", 0.3, -0.3, "</s>"),
            ("Ignore", "NF-ERR", "O"),
        ),
        ("Roberta", FACTUALITY, ("F-ERR", "Ignore", "O")),
        ("Llama", RELEVANCE, ("ERR", "O")),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_verdicts_are_those_of_transformers(
    tmp_path: Path, family: str, settings: SpanSettings, labels: tuple[str, ...], batch_size: int
) -> None:
    save_classifier(tmp_path, family=family, labels=labels)
    reward = SpanClassifierReward.load(settings_of(tmp_path), settings, batch_size=batch_size, name="aspect")
    plain = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path).eval()
    bad, good = next(k for k, name in enumerate(labels) if name.endswith("ERR")), labels.index("O")
    cuts = [reward.segments(sample.response) for sample in SAMPLES]
    margins: list[list[float]] = []
    for sample, cut in zip(SAMPLES, cuts, strict=True):
        (one,) = encode_segments([sample], [cut], reward.tokenizer, settings)
        with torch.no_grad():
            logits = plain(torch.tensor([one.tokens])).logits[0, one.places]
        margins.append((logits[:, good] - logits[:, bad]).tolist())
    middle = statistics.median(
        functools.reduce(operator.iadd, margins, [])
    )  # a random head may find all alike: let both verdicts occur
    with torch.no_grad():
        head = reward.model.score if family == "Llama" else reward.model.classifier
        head.bias[good] -= middle + 1e-3
    found = reward(SAMPLES)
    for cut, row, spans in zip(cuts, margins, found, strict=True):
        values = [settings.correct if margin > middle + 1e-3 else settings.wrong for margin in row]
        assert spans == [Span(start, end, value) for (start, end), value in zip(cut, values, strict=True)]
    assert found[2] == [] and {span.value for spans in found for span in spans} == {
        settings.correct,
        settings.wrong,
    }
    assert reward([]) == []


def test_a_saved_classifier_needs_nothing_but_its_folder(tmp_path: Path) -> None:
    source = save_classifier(tmp_path / "a", labels=("ERR", "O"))
    first = SpanClassifierReward.load(settings_of(source), RELEVANCE)
    save_span_classifier(first.model, first.tokenizer, RELEVANCE, tmp_path / "b", name="relevance")
    second = SpanClassifierReward.load(settings_of(tmp_path / "b"))
    assert (second.name, second.settings) == ("relevance", first.settings)
    assert second(SAMPLES) == first(SAMPLES)
    (tmp_path / "b" / DESCRIPTION).write_text(json.dumps({"name": "x"}))
    with pytest.raises(ModelError, match="what save_span_classifier wrote"):
        SpanClassifierReward.load(settings_of(tmp_path / "b"))


def test_a_model_that_was_not_saved_here_needs_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="give settings=RELEVANCE"):
        SpanClassifierReward.load(settings_of(save_classifier(tmp_path, labels=("ERR", "O"))))


@pytest.mark.parametrize("labels", [("ERR", "FINE"), ("A-ERR", "B-ERR", "O"), ("Ignore", "O")])
def test_labels_that_say_nothing_are_refused(tmp_path: Path, labels: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match="'O' for what has no error"):
        SpanClassifierReward.load(settings_of(save_classifier(tmp_path, labels=labels)), FACTUALITY)


def test_a_head_that_was_never_trained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no weights for"):
        SpanClassifierReward.load(settings_of(save_classifier(tmp_path, task="MaskedLM")), FACTUALITY)


def test_what_the_template_asks_for_must_be_there(tmp_path: Path) -> None:
    reward = SpanClassifierReward.load(settings_of(save_classifier(tmp_path, labels=("ERR", "O"))), RELEVANCE)
    with pytest.raises(DataError, match="a sample without question; it has prompt"):
        reward([Sample("p", "Cows.")])


def test_a_separator_that_is_no_token_is_said() -> None:
    with pytest.raises(SettingsError, match="a token of the model's tokenizer"):
        encode_segments(SAMPLES[:1], [[(0, 3)]], make_tokenizer(), SpanSettings(separator="[SEP]"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"segmentation": "word"}, "segmentation 'word'"),
        ({"correct": -1.0}, "correct -1.0, wrong -0.5"),
        ({"max_tokens": 2}, "max_tokens 2"),
    ],
)
def test_settings_are_checked(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        SpanSettings(**options)
