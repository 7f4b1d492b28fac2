"""Train a span classifier from labelled segments."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch

from workbench.core.errors import DataError, SettingsError
from workbench.models.loading import ModelSettings, load_checkpoint, load_tokenizer
from workbench.models.longest import made_for
from workbench.models.pickles import START_OVER, only_tensors
from workbench.models.placement import pick_device
from workbench.rewards.aspect_data import SpanExample
from workbench.rewards.span_encoding import SpanSettings, encode_segments
from workbench.rewards.span_models import DESCRIPTION, LABELS, SpanClassifierReward, save_span_classifier

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainingArguments

    from workbench.training.session import Session

__all__ = ["SpanTrainingSettings", "train_span_classifier"]

IGNORED = -100
"""Label of a token that is not learned from, as torch's cross entropy knows it."""


@dataclass(frozen=True)
class SpanTrainingSettings:
    """How a span classifier is trained. The defaults are those of Wu et al. for QA-Feedback.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    epochs: float = 50.0
    """Passes over the answers (paper: 50)."""
    max_steps: int | None = None
    """Optimizer steps; counts instead of `epochs` where given."""
    batch: int = 24
    """Answers a step (paper: 24)."""
    learning_rate: float = 5e-6
    """Of AdamW (paper: 5e-6)."""
    weight_decay: float = 0.001
    """Of AdamW (paper: 0.001)."""
    warmup: float = 0.1
    """Part of the steps in which the learning rate goes up first (paper: 0.1)."""
    bf16: bool | None = False
    """Compute in bfloat16 by autocast (paper: True). None: where there is a GPU that has it."""
    evaluate_steps: int = 0
    """Steps between evaluations, of which the best weights are kept; 0: the last weights are."""
    checkpoint_steps: int = 200
    """Steps between checkpoints; 0: none, so an interrupted training starts over."""
    log_steps: int = 10
    """Steps between lines of the log."""
    progress: bool = True
    """Show a bar."""
    seed: int = 0
    """Of the head's first weights, dropout, and the order of the answers."""

    def __post_init__(self) -> None:
        faults = []
        for name, lowest in (
            ("batch", 1),
            ("log_steps", 1),
            ("checkpoint_steps", 0),
            ("evaluate_steps", 0),
            ("seed", 0),
        ):
            if getattr(self, name) < lowest:
                faults.append((f"{name} {getattr(self, name)}", f"{name}: at least {lowest}"))
        if not self.epochs > 0 or (self.max_steps is not None and self.max_steps < 1):
            got = f"epochs {self.epochs}, max_steps {self.max_steps}"
            faults.append((got, "epochs: above 0; max_steps: at least 1"))
        if not self.learning_rate > 0 or not 0 <= self.warmup < 1:
            got = f"learning_rate {self.learning_rate}, warmup {self.warmup}"
            faults.append((got, "learning_rate: above 0; warmup: from 0 to below 1"))
        if faults:
            raise SettingsError.listing(faults)


def train_span_classifier(
    examples: Sequence[SpanExample],
    model: ModelSettings,
    settings: SpanSettings,
    *,
    folder: str | Path,
    name: str,
    training: SpanTrainingSettings | None = None,
    eval_examples: Sequence[SpanExample] = (),
    resume: bool = True,
) -> SpanClassifierReward:
    """Train a token classifier on labelled segments and save it. After an interruption, it goes on where it was.

    Args:
        examples: From `span_examples`; their segments are those of `settings.segmentation`.
        model: A pretrained model of any kind that transformers has a token classifier of.
        settings: What it judges, and how it reads; saved with it. Its longest input is at most what the model has
            positions for.
        folder: Where it goes, to be loaded by `SpanClassifierReward.load`. One that holds it already is loaded.
        name: What tables call the reward.
        training: How; the paper's if None.
        eval_examples: What the best weights are chosen by, by the loss, where `evaluate_steps` is above 0.
        resume: False: start over, and forget an earlier training in the folder.

    Raises:
        DataError: There are not both segments with an error and without one.
        ModelError: The model cannot be loaded.
        RunError: The folder holds something else.
        SettingsError: The folder was begun with other settings, model or examples.
    """
    from workbench.training.session import Session

    training = training or SpanTrainingSettings()
    if training.bf16 is None:
        device = pick_device(model.device)
        training = replace(training, bf16=device.type == "cuda" and torch.cuda.is_bf16_supported())
    if bool(training.evaluate_steps) != bool(eval_examples):
        raise SettingsError(
            got=f"evaluate_steps {training.evaluate_steps} with {len(eval_examples)} eval_examples",
            needed="both, or neither",
            fix="give examples to choose the best weights by, or set evaluate_steps=0",
        )
    asked = {
        "name": name,
        "base": model.name,
        "settings": asdict(settings),
        # folders of before do not say that nothing was evaluated
        "training": {
            name: value for name, value in asdict(training).items() if value or name != "evaluate_steps"
        },
        "examples": _mark(examples),
        **({"eval_examples": _mark(eval_examples)} if eval_examples else {}),
    }
    with Session(folder, description=DESCRIPTION) as session:
        _check_labels(examples)
        if session.claim(asked, {"answers": len(examples)}, resume=resume) is None:
            network, tokenizer, summary = _trained(
                (examples, eval_examples), model, settings, training, session
            )
            read = settings.within(made_for(network, tokenizer))
            save_span_classifier(network, tokenizer, read, session.place.path, name=name)
            session.finish(summary)
    return SpanClassifierReward.load(replace(model, name=str(session.place.path), revision=None))


def _trained(
    examples: tuple[Sequence[SpanExample], Sequence[SpanExample]],
    model: ModelSettings,
    settings: SpanSettings,
    training: SpanTrainingSettings,
    session: Session,
) -> tuple[Any, PreTrainedTokenizerBase, dict[str, Any]]:
    """Train on the first examples, going on at the last whole checkpoint, and evaluate on the second.

    Returns:
        Model, tokenizer, and what came of it.
    """
    from transformers import AutoModelForTokenClassification, Trainer, set_seed
    from transformers.trainer_callback import PrinterCallback

    from workbench.training.callbacks import JsonLog, ProgressBar

    set_seed(training.seed)
    labels = {number: label for label, number in LABELS.items()}
    fresh = partial(AutoModelForTokenClassification.from_pretrained, id2label=dict(LABELS), label2id=labels)
    held = replace(model, dtype="float32") if model.dtype == "auto" else model
    network, _ = load_checkpoint(SimpleNamespace(from_pretrained=fresh), held, "a pretrained model")
    tokenizer = load_tokenizer(model)
    read = settings.within(made_for(network, tokenizer))
    trainer = Trainer(
        model=network,
        args=_arguments(training, session.place.checkpoints, pick_device(model.device)),
        train_dataset=_features(examples[0], tokenizer, read),
        eval_dataset=_features(examples[1], tokenizer, read) if examples[1] else None,
        data_collator=partial(_collate, pad=tokenizer.pad_token_id or 0),
        callbacks=[JsonLog(session), _completing(), *([ProgressBar()] if training.progress else [])],
    )
    trainer.remove_callback(PrinterCallback)
    done = session.checkpoint()
    with only_tensors(str(done), fix=START_OVER):
        result = trainer.train(resume_from_checkpoint=str(done) if done else None)
    return network.eval(), tokenizer, {"steps": result.global_step, "loss": result.training_loss}


def _arguments(training: SpanTrainingSettings, folder: Path, device: torch.device) -> TrainingArguments:
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=training.batch,
        num_train_epochs=training.epochs,
        max_steps=training.max_steps or -1,
        learning_rate=training.learning_rate,
        weight_decay=training.weight_decay,
        warmup_steps=training.warmup,  # below 1: a part of all steps
        bf16=bool(training.bf16),
        use_cpu=device.type == "cpu",
        dataloader_pin_memory=device.type == "cuda",
        save_strategy="steps" if training.checkpoint_steps or training.evaluate_steps else "no",
        save_steps=training.evaluate_steps or training.checkpoint_steps or 500,
        save_total_limit=2,
        eval_strategy="steps" if training.evaluate_steps else "no",
        eval_steps=training.evaluate_steps or None,
        per_device_eval_batch_size=training.batch,
        load_best_model_at_end=training.evaluate_steps > 0,
        metric_for_best_model="eval_loss" if training.evaluate_steps else None,
        logging_steps=training.log_steps,
        report_to="none",
        disable_tqdm=True,  # the workbench has a bar of its own
        remove_unused_columns=False,
        seed=training.seed,
    )


def _completing() -> TrainerCallback:
    """Return a callback that marks each checkpoint once it is whole: a half-written one is never resumed."""
    from transformers import TrainerCallback

    from workbench.training.checkpoints import mark_complete

    class Completing(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    return Completing()


def _features(
    examples: Sequence[SpanExample], tokenizer: PreTrainedTokenizerBase, settings: SpanSettings
) -> list[dict[str, list[int]]]:
    """Return token ids and labels of each answer: that of a segment where it is read, `IGNORED` elsewhere."""
    samples, segments = [one.sample for one in examples], [one.segments for one in examples]
    features = []
    for example, one in zip(examples, encode_segments(samples, segments, tokenizer, settings), strict=True):
        labels = [IGNORED] * len(one.tokens)
        for place, correct in zip(one.places, example.correct, strict=False):  # what did not fit has no place
            if correct is not None:
                labels[place] = int(correct)
        features.append({"input_ids": one.tokens, "labels": labels})
    return features


def _collate(features: Sequence[dict[str, list[int]]], pad: int) -> dict[str, torch.Tensor]:
    """Put answers into one batch, padded at the right."""
    width = max(len(feature["input_ids"]) for feature in features)

    def padded(name: str, filler: int) -> torch.Tensor:
        return torch.tensor([feature[name] + [filler] * (width - len(feature[name])) for feature in features])

    lengths = torch.tensor([len(feature["input_ids"]) for feature in features])[:, None]
    mask = (torch.arange(width)[None] < lengths).long()
    return {
        "input_ids": padded("input_ids", pad),
        "attention_mask": mask,
        "labels": padded("labels", IGNORED),
    }


def _check_labels(examples: Sequence[SpanExample]) -> None:
    labels = [label for example in examples for label in example.correct if label is not None]
    if len(set(labels)) < 2:
        raise DataError(
            got=f"{len(examples)} answers with {len(labels)} labelled segments, {sum(labels)} of them right",
            needed="segments with an error, and segments without one",
            fix="give more answers, or see how the examples were made",
        )


def _mark(examples: Sequence[SpanExample]) -> str:
    """Return a digest of all that is learned from."""
    plain = [
        [
            example.sample.prompt,
            example.sample.response,
            dict(example.sample.metadata),
            example.segments,
            example.correct,
        ]
        for example in examples
    ]
    return hashlib.sha256(json.dumps(plain, default=str).encode()).hexdigest()
