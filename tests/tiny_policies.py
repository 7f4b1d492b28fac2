"""Tiny policies of both kinds with a word-level tokenizer, and rewards that are easy to check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from workbench.rewards import Sample, Span, whole
from workbench.training.ppo import PPOSettings, ValuedPolicy
from workbench.training.ppo.prompts import collate_prompts, encode_prompts

WORDS = ("<pad>", "<eos>", "a", "b", "c", "d", "e", "f", ".")
KINDS = ("decoder-only", "encoder-decoder")
PROMPTS = ("a b c", "d", "e f", "b b b b", "c a", "f e d")


def tokenizer(vocabulary: Sequence[str] = WORDS) -> Any:
    words = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(vocabulary)}, unk_token="<pad>")
    )
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", clean_up_tokenization_spaces=False
    )


def language_model(kind: str = "decoder-only", *, seed: int = 0, spread: float = 1.0, rows: int = 0) -> Any:
    """Make a model with random weights; the larger the spread, the surer it is. `rows`: tokens beyond the words."""
    torch.manual_seed(seed)
    special: dict[str, Any] = {"pad_token_id": 0, "eos_token_id": 1}
    if kind == "decoder-only":
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(WORDS) + rows, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
                num_attention_heads=2, max_position_embeddings=64, initializer_range=0.3 * spread,
                bos_token_id=None, **special,
            )
        ).eval()  # fmt: skip
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=len(WORDS) + rows, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2,
            decoder_start_token_id=0, initializer_factor=1.0 * spread, **special,
        )
    ).eval()  # fmt: skip


def policy_of(kind: str = "decoder-only", **options: Any) -> ValuedPolicy:
    return ValuedPolicy(language_model(kind, **options))


def quick(**changes: Any) -> PPOSettings:
    """Return settings of a training of a second."""
    settings: dict[str, Any] = {
        "max_prompt_tokens": 16, "max_new_tokens": 6, "batch": 8, "minibatch": 4, "micro_batch": 2, "ppo_epochs": 2,
        "max_steps": 3, "learning_rate": 3e-3, "checkpoint_steps": 0, "progress": False, "too_short": None,
    }  # fmt: skip
    return PPOSettings(**settings | changes)


def batch_of(policy: ValuedPolicy, prompts: Sequence[str] = PROMPTS) -> Any:
    return collate_prompts(encode_prompts(prompts, tokenizer(), policy, quick()))


class WholeReward:
    """A number for the whole response."""

    def __init__(self, value: Callable[[Sample], float], name: str = "whole") -> None:
        self.value, self.name, self.calls = value, name, 0

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        self.calls += 1
        return [[whole(sample, float(self.value(sample)))] for sample in samples]


def count_of(word: str) -> Callable[[Sample], float]:
    return lambda sample: sample.response.split().count(word)
