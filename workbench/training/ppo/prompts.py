"""Prompts as a policy sees them, what may be sampled after them, and where random numbers come from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.core.errors import DataError, SettingsError
from workbench.models.chat import uses_template
from workbench.models.encoding import EncodingSettings, prompt_text
from workbench.models.encoding_settings import SLOT, check_characters, refused
from workbench.models.generation_config import never_written
from workbench.models.stopping import stop_token_ids
from workbench.models.tokenizing import Refusals, around_tokens, chat_prompts, cut_inside, tokens_of
from workbench.rewards.spans import Sample
from workbench.training.ppo.layouts import EncoderDecoder, PromptBatch
from workbench.training.ppo.policy import ValuedPolicy
from workbench.training.ppo.prompt_checks import Prompt, check_known, check_room, read_prompts
from workbench.training.ppo.settings import PPOSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "EncodedPrompt",
    "allowed_tokens",
    "chance",
    "collate_prompts",
    "encode_prompts",
    "prompt_order",
    "told_cut",
    "uses_chat",
]

ORDER, SAMPLES, EVALUATION, MINIBATCHES, DROPOUT = range(5)
"""Uses of random numbers. Each has a generator of its own, seeded by the step: nothing has to be saved to go on."""


@dataclass(frozen=True)
class EncodedPrompt:
    """A prompt as tokens."""

    tokens: tuple[int, ...]
    sample: Sample
    """The prompt as rewards see it, with its metadata; the response is empty."""
    lost: int = 0
    """Tokens that were cut, at its beginning or its end; see `PPOSettings.cut`."""


def encode_prompts(
    prompts: Sequence[Prompt],
    tokenizer: PreTrainedTokenizerBase,
    policy: ValuedPolicy,
    settings: PPOSettings,
) -> list[EncodedPrompt]:
    """Turn prompts into tokens, cut to `max_prompt_tokens` inside what they say; a warning tells of how many.

    Args:
        prompts: See `read_prompts`.
        tokenizer: The policy's.
        policy: An encoder gets the special tokens that the tokenizer puts around texts; a decoder those before.
        settings: Template and budgets.

    Raises:
        DataError: See `read_prompts`; or one has no token, holds half a character, or is refused by the template. Its
            row is named.
        ModelError: A prompt holds a token that the policy does not have.
        SettingsError: There is no chat template where one is asked for; or a prompt leaves no room for a response
            within the policy's context.
    """
    samples = read_prompts(prompts)
    check_characters([sample.prompt for sample in samples], "prompt")
    if uses_chat(settings, tokenizer):
        rows = _chat_rows(samples, tokenizer, settings)
    else:
        rows = _plain_rows(samples, tokenizer, settings, around=isinstance(policy.layout, EncoderDecoder))
    empty = [row for row, (tokens, _) in enumerate(rows) if not tokens]
    if empty:
        raise DataError(
            got=f"prompt {empty[0]} (counted from 0) has no token",
            needed="prompts of at least one token",
            fix="leave it out, or give a template",
        )
    encoded = [tokens for tokens, _ in rows]
    check_known(policy.lm, encoded)
    check_room(policy.lm, encoded, settings)
    found = [
        EncodedPrompt(tuple(row), sample, lost) for (row, lost), sample in zip(rows, samples, strict=True)
    ]
    if said := told_cut([prompt.lost for prompt in found], settings.cut):
        warnings.warn(f"{len(found):,} prompts{said}", stacklevel=2)
    return found


def told_cut(lost: Sequence[int], part: str) -> str:
    """Say of how many texts something was cut, and how much; empty where nothing was.

    Args:
        lost: The tokens that each lost.
        part: What they lost: their `beginning` or their `end`.
    """
    cut = [count for count in lost if count]
    return (
        f", of which {len(cut):,} lost their {part}, {sum(cut) / len(cut):.0f} tokens on average"
        if cut
        else ""
    )


def uses_chat(settings: PPOSettings, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Tell whether prompts are written by the tokenizer's chat template.

    Raises:
        SettingsError: `chat` is set, but there is no chat template.
    """
    return uses_template(tokenizer, settings.chat, own=settings.template != PPOSettings.template)


def _chat_rows(
    samples: Sequence[Sample], tokenizer: PreTrainedTokenizerBase, settings: PPOSettings
) -> list[tuple[list[int], int]]:
    """Return each prompt's tokens by the chat template, and how many it lost."""
    try:
        texts = [sample.prompt for sample in samples]
        return chat_prompts(texts, tokenizer, settings.max_prompt_tokens, cut_end=settings.cut == "end")
    except Refusals as refusals:
        raise refused(refusals.rows, "prompt") from refusals


def _plain_rows(
    samples: Sequence[Sample], tokenizer: PreTrainedTokenizerBase, settings: PPOSettings, *, around: bool
) -> list[tuple[list[int], int]]:
    """Return the same by a plain template, with all special tokens around a text or those before it only."""
    form = EncodingSettings(template=settings.template, chat=False)
    first, last = around_tokens(tokenizer)
    last = last if around else []
    room = settings.max_prompt_tokens - len(first) - len(last)
    rows = tokens_of([prompt_text(sample.prompt, form, tokenizer) for sample in samples], tokenizer)
    opening, closing = tokens_of([*settings.template.split(SLOT)], tokenizer)
    kept = [cut_inside(row, room, opening, closing, cut_end=settings.cut == "end") for row in rows]
    return [([*first, *some, *last], len(row) - len(some)) for row, some in zip(rows, kept, strict=True)]


def collate_prompts(prompts: Sequence[EncodedPrompt]) -> PromptBatch:
    """Put prompts into one batch, padded at the left to the longest of them."""
    width = max(len(prompt.tokens) for prompt in prompts)
    ids = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt.tokens) :] = torch.tensor(prompt.tokens)
        mask[row, width - len(prompt.tokens) :] = True
    return PromptBatch(ids, mask)


def allowed_tokens(
    policy: ValuedPolicy, tokenizer: PreTrainedTokenizerBase, settings: PPOSettings
) -> Tensor | None:
    """Return what may be sampled: all that the tokenizer knows, and that neither settings nor layout ban.

    Models often have more rows than their tokenizer has tokens. What the checkpoint's `generation_config` suppresses
    is banned too; what the layout bans may end a response, for nothing follows it then.

    Returns:
        Shape [vocabulary], bool, on the policy's device; None where all may be.

    Raises:
        SettingsError: A banned token does not exist.
    """
    vocabulary = policy.lm_head.weight.shape[0]
    beyond = [token for token in settings.banned_tokens if token >= vocabulary]
    if beyond:
        raise SettingsError(
            got=f"banned_tokens {beyond}", needed=f"ids below {vocabulary}", fix="correct banned_tokens"
        )
    allowed = torch.zeros(vocabulary, dtype=torch.bool, device=policy.device)
    allowed[[token for token in tokenizer.get_vocab().values() if token < vocabulary]] = True
    allowed[list(settings.banned_tokens)] = False
    allowed[[token for token in never_written(policy.lm) if token < vocabulary]] = False
    misread = policy.layout.banned_token
    if misread is not None and misread not in stop_token_ids(policy.lm, tokenizer):
        allowed[misread] = False
    return None if bool(allowed.all()) else allowed


def prompt_order(prompts: int, step: int, settings: PPOSettings) -> list[int]:
    """Return which prompts a rollout takes: those of shuffled passes over all, one pass after the other.

    Args:
        prompts: How many there are.
        step: The rollout, from 0.
        settings: Batch and seed.
    """
    found: list[int] = []
    for place in range(step * settings.batch, (step + 1) * settings.batch):
        if not found or place % prompts == 0:
            shuffled = generator(settings.seed, ORDER, place // prompts).permutation(prompts)
        found.append(int(shuffled[place % prompts]))
    return found


def chance(settings: PPOSettings, use: int, step: int, rows: int) -> Tensor:
    """Return one uniform number for each token of each response of a rollout, in all processes the same.

    Returns:
        Shape [rows, max_new_tokens], float64, from 0 to below 1.
    """
    drawn: NDArray[np.float64] = generator(settings.seed, use, step).random((rows, settings.max_new_tokens))
    return torch.from_numpy(drawn)


def generator(*numbers: int) -> np.random.Generator:
    """Return a generator of random numbers that only depends on these numbers."""
    return np.random.default_rng(numbers)
