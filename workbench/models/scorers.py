"""Open a reward model, whoever made it: one of ours, a classifier, adapters that TRL left, UltraRM."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.core.errors import ModelError
from workbench.models.classifier import ClassifierRewardModel
from workbench.models.damage import whole_files
from workbench.models.kinds import ADAPTERS, LANGUAGE_MODEL, OURS, ULTRA, adapter_config, kind_of
from workbench.models.loading import ModelSettings, describe, load_checkpoint, load_tokenizer
from workbench.models.pickles import only_tensors
from workbench.models.quiet import without_old_name
from workbench.models.reward_model import RewardModel
from workbench.models.ultra import UltraLoader

__all__ = ["load_scorer"]


def load_scorer(settings: ModelSettings) -> RewardModel | ClassifierRewardModel:
    """Load a reward model for scoring.

    It may be a folder of `RewardModel.save_pretrained`; a sequence classifier of one label; adapters of one with its
    trained head, as TRL's reward training with LoRA leaves them; or a checkpoint of UltraRM's architecture.

    Args:
        settings: Which one, and how. A saved reward model is held as it was saved, but for device and dtype.

    Returns:
        In evaluation mode, without gradients.

    Raises:
        ModelError: It cannot be loaded, has not one label, or its score head was never trained.
    """
    from transformers import AutoModelForSequenceClassification

    kind = kind_of(settings)
    if kind == OURS:
        dtype = None if settings.dtype == "auto" else settings.dtype
        return RewardModel.from_pretrained(settings.source, device=settings.device, dtype=dtype)
    if kind == ADAPTERS:
        return _load_adapters(settings)
    loader = UltraLoader if kind == ULTRA else AutoModelForSequenceClassification
    model, missing = load_checkpoint(loader, settings, "a sequence classifier")
    if missing:
        raise ModelError(
            got=f"{settings.name} has no weights for {', '.join(missing)}",
            needed="a reward model: a sequence classifier with one label, its head trained",
            fix="name a reward model; to make one of a language model, train it: workbench reward train"
            if kind == LANGUAGE_MODEL
            else "name another one, or fetch it again",
        )
    if model.config.num_labels != 1:
        raise _labels(settings, model.config.num_labels, list(model.config.id2label.values()))
    return ClassifierRewardModel(model.requires_grad_(False), describe(model, settings))


class _OneLabel:
    """Loads a base as a sequence classifier with a fresh head of one label."""

    @staticmethod
    def from_pretrained(name: str, **options: Any) -> Any:
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification.from_pretrained(name, num_labels=1, **options)


def _load_adapters(settings: ModelSettings) -> ClassifierRewardModel:
    """Load the base, and put the adapters with their trained head on it."""
    from peft import PeftModel
    from peft.utils import load_peft_weights

    config = adapter_config(settings)
    with whole_files(settings.name), only_tensors(settings.name):
        weights = load_peft_weights(settings.source, device="cpu", revision=settings.revision)
    heads = {name: one for name, one in weights.items() if "lora_" not in name and one.ndim == 2}
    trained = [
        one for name, one in heads.items() if name.split(".")[-2] in ("score", "classifier", "out_proj")
    ]
    if not trained:
        raise ModelError(
            got=f"{settings.name}: adapters without a score head",
            needed="the trained head among them: modules_to_save=['score'] in their LoraConfig, as TRL sets it",
            fix="train them again so; a head that was not saved is lost",
        )
    if len(trained[-1]) != 1:
        raise _labels(settings, len(trained[-1]), [])
    base = replace(settings, name=config.base_model_name_or_path, revision=config.revision)
    try:
        model, missing = load_checkpoint(_OneLabel, base, "the base of a reward model")
    except ModelError as error:
        raise ModelError(
            got=f"the base of {settings.name}: {error.got}",
            needed=f"the model that its adapters belong to: {config.base_model_name_or_path}",
            fix="put it back, or write its place into base_model_name_or_path of adapter_config.json",
        ) from error
    lost = [name for name in missing if not any(saved.endswith(name) for saved in weights)]
    if lost:
        raise ModelError(
            got=f"{settings.name} and its base have no weights for {', '.join(lost)}",
            needed="a trained head, in one of the two",
            fix="name another reward model; those weights would be random numbers",
        )
    rows = next((len(one) for name, one in heads.items() if name.endswith(_embeddings(model))), None)
    if rows is not None and rows != len(model.get_input_embeddings().weight):
        model.resize_token_embeddings(rows)  # tokens that the training added
    if model.config.get_text_config().pad_token_id is None:  # the training read scores before this token
        model.config.get_text_config().pad_token_id = load_tokenizer(settings).pad_token_id
    with without_old_name(), whole_files(settings.name), only_tensors(settings.name):
        adapted = PeftModel.from_pretrained(model, settings.source, revision=settings.revision)
    inner: Any = adapted.eval().requires_grad_(False).get_base_model()
    return ClassifierRewardModel(inner, f"{settings.name} on {describe(inner, base)}")


def _embeddings(model: Any) -> str:
    """Return the end of the name of a model's embeddings."""
    embeddings = model.get_input_embeddings()
    return next(f"{name}.weight" for name, one in model.named_modules() if one is embeddings)


def _labels(settings: ModelSettings, count: int, names: list[str]) -> ModelError:
    """Say what to do with a classifier that has not one label."""
    named = f" ({', '.join(names[:4])})" if names else ""
    return ModelError(
        got=f"{settings.name} has {count} labels{named}",
        needed="a reward model: a sequence classifier with one label, whose value is the reward",
        fix="train it with num_labels=1; or make one label's probability the reward, in Python: "
        "workbench.rewards.OracleReward(lambda prompt, answer: classify(answer)), classify being a pipeline of "
        "transformers that returns that label's score",
    )
