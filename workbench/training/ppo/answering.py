"""What a policy answers: several samples a prompt, from its whole distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.models.stopping import stop_token_ids
from workbench.rewards.placement import decode_responses
from workbench.training.ppo.policy import ValuedPolicy
from workbench.training.ppo.prompt_checks import Prompt
from workbench.training.ppo.prompts import (
    EVALUATION,
    SAMPLES,
    EncodedPrompt,
    allowed_tokens,
    chance,
    collate_prompts,
    encode_prompts,
)
from workbench.training.ppo.rollout import Collector, Rollout
from workbench.training.ppo.sampling import sample
from workbench.training.ppo.settings import PPOSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["answer_prompts", "held_out_rollouts"]


def answer_prompts(
    policy: ValuedPolicy,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    settings: PPOSettings,
    *,
    samples: int = 1,
) -> list[tuple[str, ...]]:
    """Sample answers as training does, without a reward or a reference.

    Args:
        policy: Answers; it is left in evaluation mode.
        tokenizer: Its tokenizer, of the fast kind.
        prompts: Texts, messages, or samples whose responses are not looked at; see `read_prompts`.
        settings: Budgets, temperature, seed, and in `evaluation_batch` the answers at a time.
        samples: Answers to each prompt.

    Returns:
        The answers to each prompt, in the order of the prompts. They depend on settings and prompts alone, but for
        rounding.
    """
    encoded = encode_prompts(prompts, tokenizer, policy, settings)
    allowed = allowed_tokens(policy, tokenizer, settings)
    stops = stop_token_ids(policy.lm, tokenizer)
    # like lengths together: less padding
    order = sorted(range(len(encoded)), key=lambda place: len(encoded[place].tokens))
    rows = [place for place in order for _ in range(samples)]
    uniform = chance(settings, SAMPLES, 0, len(rows))
    texts: list[list[str]] = [[] for _ in encoded]
    policy.eval()
    for start in range(0, len(rows), settings.evaluation_batch):
        part = slice(start, start + settings.evaluation_batch)
        given = sample(
            policy,
            collate_prompts([encoded[place] for place in rows[part]]).to(policy.device),
            uniform[part],
            stop_tokens=stops,
            allowed=allowed,
            temperature=settings.temperature,
        )
        written = decode_responses(given.ids, given.mask, tokenizer, stop_tokens=stops).texts
        for place, text in zip(rows[part], written, strict=True):
            texts[place].append(text)
    return [tuple(found) for found in texts]


def held_out_rollouts(
    collect: Collector, prompts: Sequence[EncodedPrompt], *, greedy: bool = False
) -> list[Rollout]:
    """Let a policy answer held-out prompts, an answer each, `evaluation_batch` at a time.

    Args:
        collect: Of the policy; made before it was trained, it knows the reference policy.
        prompts: From `encode_prompts`.
        greedy: Take the most probable tokens instead of sampling.

    Returns:
        In the order of the prompts. The sampling noise is that of seed and prompts alone: policies of one seed share
        it, whatever they were trained on.
    """
    uniform = chance(collect.settings, EVALUATION, 0, len(prompts))
    size = collect.settings.evaluation_batch
    return [
        collect(prompts[start : start + size], uniform[start : start + size], greedy=greedy)
        for start in range(0, len(prompts), size)
    ]
