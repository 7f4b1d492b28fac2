"""What a policy translates: several samples a sentence, and what they are worth, to make preference pairs of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.worlds.passages.sampling import Candidates
from workbench.worlds.translation.oracle import utility

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from workbench.training.ppo import ValuedPolicy

__all__ = ["LONGEST", "sample_translations"]

LONGEST = 28
"""Tokens of the longest translation: the longest sentence of the world takes 23 in English, its end included."""


def sample_translations(
    policy: ValuedPolicy,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    *,
    samples: int,
    seed: int,
    batch_size: int = 256,
) -> list[Candidates]:
    """Sample translations at temperature 1; see `answer_prompts`.

    Args:
        policy: Translates.
        tokenizer: Its tokenizer.
        prompts: Spanish sentences of the world.
        samples: Translations of each.
        seed: Fixes the samples, together with the prompts.
        batch_size: Translations at a time.

    Returns:
        In the order of the prompts.
    """
    from workbench.training.ppo.answering import answer_prompts
    from workbench.training.ppo.settings import PPOSettings

    settings = PPOSettings(max_new_tokens=LONGEST, seed=seed, evaluation_batch=batch_size)
    answers = answer_prompts(policy, tokenizer, prompts, settings, samples=samples)
    return [
        Candidates(prompt, texts, tuple(utility(prompt, text) for text in texts))
        for prompt, texts in zip(prompts, answers, strict=True)
    ]
