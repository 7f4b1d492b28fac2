"""Models: load any causal language model, adapt it, and make a reward model of it that stays a policy."""

from workbench.core.errors import ModelError
from workbench.models.classifier import ClassifierRewardModel, load_scorer
from workbench.models.encoding import (
    EncodedTexts,
    EncodingSettings,
    TokenBatch,
    collate,
    encode,
    load_encoding,
    prompt_text,
    save_encoding,
)
from workbench.models.loading import LoadedModel, ModelSettings, load_causal_lm, load_tokenizer
from workbench.models.lora import LoraSettings, add_lora
from workbench.models.reward_model import RewardModel, RewardOutput
from workbench.models.saving import restore_reward_model
from workbench.models.token_logps import label_logps

__all__ = [
    "ClassifierRewardModel",
    "EncodedTexts",
    "EncodingSettings",
    "LoadedModel",
    "LoraSettings",
    "ModelError",
    "ModelSettings",
    "RewardModel",
    "RewardOutput",
    "TokenBatch",
    "add_lora",
    "collate",
    "encode",
    "label_logps",
    "load_causal_lm",
    "load_encoding",
    "load_scorer",
    "load_tokenizer",
    "prompt_text",
    "restore_reward_model",
    "save_encoding",
]
