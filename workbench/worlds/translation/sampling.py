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
    """Sample translations at temperature 1, from the policy's whole distribution.

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
    from workbench.rewards.placement import decode_responses
    from workbench.training.ppo.prompts import SAMPLES, chance, collate_prompts, encode_prompts
    from workbench.training.ppo.sampling import sample
    from workbench.training.ppo.settings import PPOSettings

    settings = PPOSettings(max_new_tokens=LONGEST, seed=seed)
    encoded = encode_prompts(prompts, tokenizer, policy, settings)
    # like lengths together: less padding
    order = sorted(range(len(prompts)), key=lambda i: (len(encoded[i].tokens), i))
    rows = [i for i in order for _ in range(samples)]
    uniform = chance(settings, SAMPLES, 0, len(rows))
    texts: dict[int, list[str]] = {i: [] for i in order}
    policy.eval()
    for start in range(0, len(rows), batch_size):
        places = rows[start : start + batch_size]
        given = sample(
            policy,
            collate_prompts([encoded[i] for i in places]).to(policy.device),
            uniform[start : start + batch_size],
            end_token=tokenizer.eos_token_id,
        )
        for i, text in zip(places, decode_responses(given.ids, given.mask, tokenizer).texts, strict=True):
            texts[i].append(text)
    return [
        Candidates(prompt, tuple(texts[i]), tuple(utility(prompt, text) for text in texts[i]))
        for i, prompt in enumerate(prompts)
    ]
