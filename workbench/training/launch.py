"""What `workbench reward train` does, alone or in each process of `accelerate launch -m workbench.training`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.preferences import check_named_once, load_preferences
from workbench.models.encoding import EncodingSettings
from workbench.models.encoding_settings import chosen_form
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.models.lora import LoraSettings
from workbench.store.folders import shown
from workbench.training.settings import RewardTrainingSettings
from workbench.training.train import TrainedRewardModel, train_reward_model

__all__ = ["launch"]


def launch(options: Mapping[str, Any], say: Callable[[str], None]) -> TrainedRewardModel:
    """Load data and model as a command line names them, train, and say what happens.

    Args:
        options: The command's options by name. Those that are None are left at their defaults; names are those of
            `RewardTrainingSettings`, `EncodingSettings`, `ModelSettings` and, behind `lora_`, of `LoraSettings`.
        say: Receives the lines; of several processes only the first one speaks.

    Raises:
        WorkbenchError: See `load_preferences` and `train_reward_model`.
    """
    say = say if os.environ.get("RANK", "0") == "0" else lambda line: None
    if options["quantize"] and not options["lora"]:
        raise SettingsError(
            got=f"--quantize {options['quantize']} with --full",
            needed="--lora: quantised weights cannot be trained, adapters on them can",
            fix="leave out one of the two",
        )
    settings = _settings(options)
    model = ModelSettings(options["model"], **_given(ModelSettings, options, but=("name",)))
    lora = LoraSettings(**_given(LoraSettings, options, prefix="lora_")) if options["lora"] else None
    pairs = _pairs(options["data"], "train", options["limit"], say)
    held_out = _pairs(options["data"], "test", options["evaluate"], say) if options["evaluate"] else []
    trained = train_reward_model(
        model,
        load_tokenizer(model),
        pairs,
        settings,
        folder=options["out"],
        eval_pairs=held_out or None,
        lora=lora,
        resume=not options["fresh"],
        say=say,
    )
    for line in _closing(trained, options, len(held_out)):
        say(line)
    return trained


def _settings(options: Mapping[str, Any]) -> RewardTrainingSettings:
    """Return the training's settings, its encoding included."""
    encoding = EncodingSettings(**chosen_form(_given(EncodingSettings, options)))
    return RewardTrainingSettings(
        **_given(RewardTrainingSettings, options, but=("encoding",)), encoding=encoding
    )


def _given(
    kind: Any, options: Mapping[str, Any], *, prefix: str = "", but: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the options that are settings of a class, without those that were not given."""
    names = [field.name for field in fields(kind) if field.name not in but]
    found = {name: options.get(prefix + name) for name in names}
    return {name: value for name, value in found.items() if value not in (None, ())}


def _pairs(
    sources: Sequence[str], split: str, limit: int | None, say: Callable[[str], None]
) -> list[PreferencePair]:
    """Load the pairs of all sources; a source without a test split of its own may have none there."""
    check_named_once(sources)
    found: list[PreferencePair] = []
    for source in sources:
        try:
            loaded = load_preferences(source, split)
        except DataError as error:
            if split != "test" or error.needed != "at least one pair":  # a small file may hold none out
                raise
            say(f"{source}: no pairs to evaluate on")
            continue
        found += loaded[:limit]
        say(str(loaded.report))
    return found


def _closing(trained: TrainedRewardModel, options: Mapping[str, Any], held_out: int) -> list[str]:
    """Return the lines that say what came of it, and what to do next."""
    folder = shown(Path(options["out"]))
    measured = ", ".join(
        f"{name.replace('_', ' ')} {trained.evaluation[name]:.3f}"
        for name in ("accuracy", "implicit_accuracy", "loss")
        if name in trained.evaluation
    )
    data = " ".join(f"--data {source}" for source in options["data"])
    return [
        f"trained: {trained.steps} steps, {trained.seconds:.1f} s"
        + (f"; on {held_out} held-out pairs: {measured}" if measured else ""),
        f"written: {folder} (the model; training_log.jsonl, training.json, training_summary.json)",
        f"next: workbench reward score --model {folder} {data} --out {folder}-scored",
    ]
