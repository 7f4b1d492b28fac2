"""Training a span classifier: it learns, goes on after an interruption, and is what it is when loaded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_classifiers
import torch
from tiny_classifiers import save_classifier

from workbench.core.errors import DataError, RunError, SettingsError
from workbench.datasets.qa_feedback import load_qa_feedback
from workbench.models import EncodingSettings, ModelSettings
from workbench.rewards import (
    FACTUALITY,
    RELEVANCE,
    Normalized,
    Sample,
    SequenceModelReward,
    SpanClassifierReward,
    SpanExample,
    SpanSettings,
    completeness_pairs,
    fit_normalization,
    qa_sample,
    span_agreement,
    span_examples,
)
from workbench.training import SpanTrainingSettings, train_span_classifier

FEEDBACK = Path(__file__).resolve().parents[3] / "shared" / "data" / "qa-feedback" / "dev_feedback.json.gz"

QUICK = SpanTrainingSettings(
    max_steps=40, batch=8, learning_rate=3e-3, warmup=0.0, checkpoint_steps=0, progress=False
)


def example(*sentences: str) -> SpanExample:
    """Return an answer whose sentences are right where cows eat grass."""
    text, segments = " ".join(sentences), []
    for sentence in sentences:
        start = text.index(sentence, segments[-1][1] if segments else 0)
        segments.append((start, start + len(sentence)))
    return SpanExample(Sample("Who?", text), tuple(segments), tuple("grass" in one for one in sentences))


RIGHT, WRONG = "The cow eats grass.", "The cow eats hay."
EXAMPLES = [example(*mix) for mix in ((RIGHT, WRONG), (WRONG, RIGHT), (RIGHT, RIGHT), (WRONG, WRONG))] * 4


def base(folder: Path, family: str = "Roberta") -> ModelSettings:
    task = "MaskedLM" if family == "Roberta" else "CausalLM"
    return ModelSettings(str(save_classifier(folder, task=task, family=family)), device="cpu")


@pytest.mark.parametrize("family", ["Roberta", "Llama"])
def test_it_learns_and_is_loaded_as_it_was(tmp_path: Path, family: str) -> None:
    settings = SpanSettings(correct=1.0, wrong=0.0)
    reward = train_span_classifier(
        EXAMPLES,
        base(tmp_path / "base", family),
        settings,
        folder=tmp_path / "out",
        name="facts",
        training=replace(QUICK, max_steps=80),
    )
    found = span_agreement(reward, EXAMPLES[:4])
    assert (found.segments, found.wrong, found.baseline) == (8, 4, 0.5)
    assert found.accuracy > 0.8 and found.f1 > 0.8
    again = SpanClassifierReward.load(ModelSettings(str(tmp_path / "out"), device="cpu"))
    assert (again.name, again.settings) == ("facts", reward.settings)
    samples = [one.sample for one in EXAMPLES]
    assert again(samples) == reward(samples)
    log = [json.loads(line) for line in (tmp_path / "out" / "training_log.jsonl").read_text().splitlines()]
    assert log[0]["loss"] > log[3]["loss"]


def test_an_interrupted_training_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops after its second checkpoint, of which a kill left half; the first is whole."""
    import workbench.training.spans as module
    from workbench.training import checkpoints

    model = base(tmp_path / "base")
    training = replace(QUICK, max_steps=8, checkpoint_steps=3)
    options: dict[str, Any] = {"name": "facts", "training": training}
    whole = train_span_classifier(EXAMPLES, model, FACTUALITY, folder=tmp_path / "whole", **options)

    class Killed(Exception):
        pass

    def killing(checkpoint: Path) -> None:
        if checkpoint.name == "checkpoint-6":
            raise Killed
        marked(checkpoint)

    marked = checkpoints.mark_complete
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(checkpoints, "mark_complete", killing)
        train_span_classifier(EXAMPLES, model, FACTUALITY, folder=tmp_path / "cut", **options)
    assert checkpoints.last_checkpoint(tmp_path / "cut" / "checkpoints").name == "checkpoint-3"
    cut = train_span_classifier(EXAMPLES, model, FACTUALITY, folder=tmp_path / "cut", **options)
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, cut.model.state_dict()[name]), name
    assert not (tmp_path / "cut" / "checkpoints").exists()

    monkeypatch.setattr(module, "_trained", None)  # what is done is not done again
    train_span_classifier(EXAMPLES, model, FACTUALITY, folder=tmp_path / "cut", **options)


def test_inputs_are_as_long_as_the_model_has_positions_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MiniLM and RoBERTa have 512, the settings of QA-Feedback ask for 1,024."""
    monkeypatch.setitem(tiny_classifiers.SIZES, "max_position_embeddings", 40)
    long = [replace(one, sample=replace(one.sample, prompt="Who eats hay? " * 20)) for one in EXAMPLES]
    few, model = replace(QUICK, max_steps=1), base(tmp_path / "base")
    trained = train_span_classifier(long, model, FACTUALITY, folder=tmp_path / "own", name="f", training=few)
    assert trained.settings.max_tokens == 39  # the first row of RoBERTa's table is padding's
    again = SpanClassifierReward.load(ModelSettings(str(tmp_path / "own"), device="cpu"))
    assert again.settings.max_tokens == 39
    assert again([long[0].sample])


def test_a_folder_is_only_continued_with_the_same(tmp_path: Path) -> None:
    model, training = base(tmp_path / "base"), replace(QUICK, max_steps=1)
    options: dict[str, Any] = {"name": "facts", "training": training, "folder": tmp_path / "out"}
    train_span_classifier(EXAMPLES, model, FACTUALITY, **options)
    with pytest.raises(SettingsError, match=r"training.seed was 0, is 1"):
        train_span_classifier(
            EXAMPLES, model, FACTUALITY, **options | {"training": replace(training, seed=1)}
        )
    with pytest.raises(SettingsError, match="examples was"):
        train_span_classifier(EXAMPLES[1:], model, FACTUALITY, **options)
    fresh = train_span_classifier(EXAMPLES[1:], model, FACTUALITY, **options, resume=False)
    assert fresh.settings == replace(FACTUALITY, max_tokens=1023)
    with pytest.raises(RunError, match="was not trained here"):
        train_span_classifier(EXAMPLES, model, FACTUALITY, **options | {"folder": tmp_path / "base"})


def test_labels_of_one_kind_teach_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 labelled segments, 2 of them right"):
        train_span_classifier(
            [example(RIGHT, RIGHT)],
            base(tmp_path / "base"),
            FACTUALITY,
            folder=tmp_path / "out",
            name="facts",
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch": 0, "seed": -1}, "batch 0; seed -1"),
        ({"epochs": 0.0}, "epochs 0.0"),
        ({"max_steps": 0}, "max_steps 0"),
        ({"warmup": 1.0}, "warmup 1.0"),
    ],
)
def test_settings_are_checked(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        SpanTrainingSettings(**options)


@pytest.mark.realdata
@pytest.mark.skipif(not FEEDBACK.exists(), reason="no QA-Feedback beside the project")
def test_real_feedback_trains_aspects_that_score(tmp_path: Path) -> None:
    """A few steps of tiny models on the real rows: relevance, factuality and completeness, loaded and asked."""
    from workbench.models import load_tokenizer
    from workbench.training import RewardTrainingSettings, train_reward_model

    rows = load_qa_feedback(FEEDBACK)[:24]
    samples = [qa_sample(row, prediction) for row in rows[:4] for prediction in range(4)]
    training = replace(QUICK, max_steps=3)
    for name, paper in {"relevance": RELEVANCE, "factuality": FACTUALITY}.items():
        settings = replace(paper, separator="</s>", max_tokens=256)
        train_span_classifier(
            span_examples(rows, name),
            base(tmp_path / "base"),
            settings,
            folder=tmp_path / name,
            name=name,
            training=training,
        )
        reward = SpanClassifierReward.load(ModelSettings(str(tmp_path / name), device="cpu"))
        found = reward(samples)
        assert all(abs(span.value) == settings.correct for spans in found for span in spans)
        assert sum(map(len, found)) > 16

    encoding = EncodingSettings("{prompt} answer:", max_tokens=256, max_prompt_tokens=128)
    decoder = base(tmp_path / "decoder", "Llama")
    train_reward_model(
        decoder,
        load_tokenizer(decoder),
        completeness_pairs(rows),
        RewardTrainingSettings(
            alpha=0.0,
            max_steps=3,
            batch=4,
            micro_batch=4,
            learning_rate=1e-3,
            init_std=0.1,
            encoding=encoding,
            checkpoint_steps=0,
            log_steps=0,
            progress=False,
        ),
        folder=tmp_path / "completeness",
    )
    completeness = SequenceModelReward.load(
        ModelSettings(str(tmp_path / "completeness"), device="cpu"), encoding, name="completeness"
    )
    normalized = Normalized(completeness, fit_normalization(completeness, samples), scale=0.3)
    values = torch.tensor([spans[0].value for spans in normalized(samples)])
    torch.testing.assert_close(values.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    assert values.std(correction=0).item() == pytest.approx(0.3, abs=1e-5)


def test_the_weights_that_are_best_on_other_examples_are_kept(tmp_path: Path) -> None:
    """A rate at which training falls apart: the last weights are not the best."""
    wild = replace(QUICK, max_steps=12, evaluate_steps=2, learning_rate=3e-3)
    where = {"folder": tmp_path / "best", "name": "n", "training": wild}
    train_span_classifier(EXAMPLES, base(tmp_path / "base"), FACTUALITY, **where, eval_examples=EXAMPLES[:4])
    log = [json.loads(line) for line in (tmp_path / "best" / "training_log.jsonl").read_text().splitlines()]
    assert sum("eval_loss" in row for row in log) == 6
    for wrong in ({"training": wild}, {"training": QUICK, "eval_examples": EXAMPLES[:4]}):
        with pytest.raises(SettingsError, match="evaluate_steps"):
            train_span_classifier(
                EXAMPLES, base(tmp_path / "other"), FACTUALITY, folder=tmp_path / "no", name="n", **wrong
            )
