from .classifier import ClassifierRewardModel as ClassifierRewardModel
from .encoding import EncodedTexts as EncodedTexts
from .encoding import EncodingSettings as EncodingSettings
from .encoding import TokenBatch as TokenBatch
from .encoding import collate as collate
from .encoding import encode as encode
from .encoding import load_encoding as load_encoding
from .encoding import prompt_text as prompt_text
from .encoding import save_encoding as save_encoding
from .loading import LoadedModel as LoadedModel
from .loading import ModelSettings as ModelSettings
from .loading import load_causal_lm as load_causal_lm
from .loading import load_tokenizer as load_tokenizer
from .lora import LoraSettings as LoraSettings
from .lora import add_lora as add_lora
from .reward_model import RewardModel as RewardModel
from .reward_model import RewardOutput as RewardOutput
from .saving import restore_reward_model as restore_reward_model
from .scorers import load_scorer as load_scorer
from .token_logps import label_logps as label_logps

__all__ = [
    "ClassifierRewardModel",
    "EncodedTexts",
    "EncodingSettings",
    "LoadedModel",
    "LoraSettings",
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
