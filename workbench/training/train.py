"""Train a reward model, from pairs to a saved model: what notebooks, the command and launchers all call."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models.encoding import described, save_encoding, settled
from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings
from workbench.models.reward_model import RewardModel
from workbench.models.saving import restore_reward_model
from workbench.training.pairs import EncodedPairs, encode_pairs
from workbench.training.preparation import (
    asked_for,
    describe,
    device_of,
    ready_model,
    reference_before,
    with_reference,
)
from workbench.training.session import Session
from workbench.training.settings import RewardTrainingSettings
from workbench.training.watching import TrainingStopped, Watcher

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, TrainerCallback

    from workbench.training.trainer import HybridRewardTrainer

__all__ = ["TrainedRewardModel", "train_reward_model"]


@dataclass(frozen=True, repr=False)
class TrainedRewardModel:
    """A trained reward model, and how it was trained."""

    model: RewardModel
    """In evaluation mode."""
    steps: int
    """Optimizer steps, those before an interruption included."""
    seconds: float
    """Wall time of training in this process; before an interruption not counted."""
    evaluation: dict[str, float]
    """Metrics of the evaluation pairs by name, such as `accuracy`; empty where there were none."""
    log: tuple[dict[str, Any], ...]
    """What was logged: `step`, `loss`, `reward_loss`, `policy_loss`, `accuracy`, ..."""
    pairs: str
    """What was trained on and what was cut, in words."""
    folder: Path | None
    """Where the model lies."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {value:.3f}" for name, value in self.evaluation.items())
        return f"<TrainedRewardModel {self.steps} steps{', ' + shown if shown else ''}, in {self.folder}>"


def train_reward_model(
    model: RewardModel | ModelSettings,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[PreferencePair],
    settings: RewardTrainingSettings | None = None,
    *,
    folder: str | Path | None,
    eval_pairs: Sequence[PreferencePair] | None = None,
    lora: LoraSettings | None = None,
    resume: bool = True,
    reference_cache: str | Path | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    watcher: Watcher | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> TrainedRewardModel:
    """Train a reward model and save it. Called again after an interruption, it goes on at the last checkpoint.

    Called again when all is done, it loads the result. Called with anything that would give other weights, it
    refuses: a changed setting never meets an old checkpoint. In processes started by `accelerate launch` or
    `torchrun` all train together, and the first one writes.

    Args:
        model: What to train, changed in place; or what to load, in a way that only depends on the seed.
        tokenizer: The model's.
        pairs: To train on.
        settings: How; the paper's if None.
        folder: Where the model goes, to be loaded by `RewardModel.from_pretrained`; see `TrainingFolder` for what
            lies beside it. None: nothing is written, and nothing can be resumed.
        eval_pairs: To evaluate on.
        lora: Adapters to put on a model that is to be loaded.
        resume: False: start over, and forget an earlier training in the folder.
        reference_cache: Where the reference's log-probabilities are kept, to be shared by trainings that start from
            the same weights with the same pairs; None: in the folder, until training is done.
        callbacks: Of transformers' Trainer.
        watcher: Hears what is logged, and may end the training. For one process.
        say: Receives lines on what is about to happen, such as `print`.

    Raises:
        DataError: See `encode_pairs`.
        ModelError: The model cannot be loaded or saved; its head gets no gradient; the loss is no number.
        RunError: Another process trains in the folder, or it holds another model.
        SettingsError: The folder was begun with other settings; see also `RewardTrainingSettings`.
        TrainingStopped: The watcher ended it; the same call goes on at its checkpoint.
    """
    # what follows imports transformers' Trainer, which takes seconds
    from workbench.training.arguments import training_arguments
    from workbench.training.callbacks import JsonLog, ProgressBar, WatchCallback
    from workbench.training.trainer import HybridRewardTrainer

    settings = settings or RewardTrainingSettings()
    if lora is not None and isinstance(model, RewardModel):
        raise SettingsError(
            got="lora with a model that is loaded already",
            needed="lora for a model that is to be loaded",
            fix="give ModelSettings, or RewardModel.load(..., lora=lora)",
        )
    settings = replace(settings, encoding=settled(settings.encoding, tokenizer))
    train_on = encode_pairs(pairs, tokenizer, settings.encoding)
    say(f"training pairs: {train_on}")
    say(described(settings.encoding, tokenizer))
    evaluate_on = None if eval_pairs is None else encode_pairs(eval_pairs, tokenizer, settings.encoding)
    if evaluate_on is not None:
        say(f"evaluation pairs: {evaluate_on}")
    if folder is None:
        settings = replace(settings, checkpoint_steps=0)
    with Session(folder) as session:
        place = session.place
        # this also makes the processes of a launcher meet
        arguments = training_arguments(
            settings, place.checkpoints, device_of(model), evaluates=evaluate_on is not None
        )
        model = ready_model(model, settings, lora)
        say(describe(model, settings, arguments))
        _check_pairs(model, tokenizer, train_on, evaluate_on)
        if folder is not None:
            asked = asked_for(model, train_on, evaluate_on, settings, lora)
            reported = {"model": model.summary, "pairs": str(train_on)}
            done = session.claim(asked, reported, together=arguments, resume=resume)
            if done is not None:
                say(f"this training is done already: {place.path}")
                restore_reward_model(model, place.path)
                return TrainedRewardModel(model.eval(), **done, log=tuple(session.log()), folder=place.path)
        cache = Path(reference_cache) if reference_cache else place.reference if folder else None
        if reference_before(model, train_on, settings):
            train_on = with_reference(model, train_on, settings, arguments, cache)
            evaluate_on = evaluate_on and with_reference(model, evaluate_on, settings, arguments, cache)
        trainer = HybridRewardTrainer(
            model,
            settings,
            train_on,
            args=arguments,
            eval_pairs=evaluate_on,
            tokenizer=tokenizer,
            callbacks=[
                *([JsonLog(session)] if folder else []),
                *([ProgressBar()] if settings.progress else []),
                *([WatchCallback(watcher, saves=folder is not None)] if watcher else []),
                *callbacks,
            ],
        )
        return _run(trainer, session, watcher=watcher, say=say)


def _check_pairs(model: RewardModel, tokenizer: PreTrainedTokenizerBase, *given: EncodedPairs | None) -> None:
    """Raise where the model cannot read a response, before anything is computed."""
    for pairs in filter(None, given):
        sides = [(pair.row, side) for pair in pairs.pairs for side in ("chosen", "rejected")]
        model.check_texts(list(pairs.texts()), tokenizer, [f"{side} of pair {row}" for row, side in sides])
        model.check_layout(
            2 * pairs.report.longest
        )  # prompt and both responses; longer rows are measured as they come


def _run(
    trainer: HybridRewardTrainer,
    session: Session,
    *,
    watcher: Watcher | None,
    say: Callable[[str], None],
) -> TrainedRewardModel:
    """Train from the last checkpoint on, evaluate, and save."""
    checkpoint = session.checkpoint()
    if checkpoint is not None:
        say(f"going on at {checkpoint.name.replace('-', ' ')}")
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    seconds = time.monotonic() - started
    done, steps = trainer.state.global_step, trainer.state.max_steps
    if watcher is not None and watcher.stopping() and done < steps:
        raise TrainingStopped(done, steps, session.folder)
    found = trainer.evaluate() if trainer.eval_dataset is not None else {}
    metrics = {name.removeprefix("eval_"): value for name, value in found.items() if name.startswith("eval_")}
    for name in ("runtime", "samples_per_second", "steps_per_second", "model_preparation_time"):
        metrics.pop(name, None)
    summary: dict[str, Any] = {
        "steps": trainer.state.global_step,
        "seconds": seconds,
        "evaluation": metrics,
        "pairs": str(trainer.train_dataset),
    }
    if session.kept:
        trainer.save_model(str(session.folder))
        if session.first:
            save_encoding(trainer.settings.encoding, session.place.path)
        session.finish(summary)
    return TrainedRewardModel(
        trainer.reward_model.eval(),
        **summary,
        log=tuple(trainer.state.log_history),
        folder=session.folder,
    )
