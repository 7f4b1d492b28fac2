"""UltraRM, ALaRM's holistic reward: a Llama whose head has a name of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ModelError
from workbench.models.classifier import ClassifierRewardModel, load_scorer
from workbench.models.loading import ModelSettings, describe, load_checkpoint

if TYPE_CHECKING:
    from workbench.models.reward_model import RewardModel

__all__ = ["is_ultra", "load_holistic"]

ARCHITECTURE, HEAD = "LlamaRewardModel", "regression_head"


def load_holistic(settings: ModelSettings) -> RewardModel | ClassifierRewardModel:
    """Load UltraRM, or whatever `load_scorer` takes.

    Raises:
        ModelError: It cannot be loaded, or its score head was never trained.

    Source: Cui et al. 2023, "UltraFeedback"; the checkpoint is openbmb/UltraRM-13b.
    """
    if not is_ultra(settings):
        return load_scorer(settings)
    model, missing = load_checkpoint(_Ultra, settings, "UltraRM")
    if missing:
        raise ModelError(
            got=f"{settings.name} has no weights for {', '.join(missing)}",
            needed=f"a whole checkpoint of {ARCHITECTURE}",
            fix="fetch it again",
        )
    return ClassifierRewardModel(model.requires_grad_(False), describe(model, settings))


def is_ultra(settings: ModelSettings) -> bool:
    """Tell whether a checkpoint's configuration names UltraRM's architecture."""
    config = Path(settings.source) / "config.json"
    try:
        if config.is_file():
            said = json.loads(config.read_text(encoding="utf-8"))
            return ARCHITECTURE in (said.get("architectures") or [])
        from transformers import AutoConfig

        found = AutoConfig.from_pretrained(settings.source, revision=settings.revision)
    except (OSError, ValueError):
        return False  # load_scorer says in full what is wrong
    return ARCHITECTURE in (found.architectures or [])


class _Ultra:
    """Loads the checkpoint into transformers' classifier of the same computation, the head under its name there."""

    @staticmethod
    def from_pretrained(name: str, **options: Any) -> Any:
        from transformers import LlamaForSequenceClassification

        return LlamaForSequenceClassification.from_pretrained(
            name, num_labels=1, key_mapping={f"^{HEAD}": "score"}, **options
        )
