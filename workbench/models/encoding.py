"""Turn prompts and responses into tokens, the same way for training, evaluation, best-of-N and rewards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np
import torch
from torch import Tensor

from workbench.core.errors import DataError, ModelError
from workbench.models.chat import turn_end_text
from workbench.models.encoding_settings import (
    SLOT,
    EncodingSettings,
    check_characters,
    described,
    listed,
    load_encoding,
    prompt_text,
    refused,
    save_encoding,
    settled,
)
from workbench.models.tokenizing import Parts, Refusals, chat_parts, plain_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "CutReport",
    "EncodedText",
    "EncodedTexts",
    "EncodingSettings",
    "TokenBatch",
    "collate",
    "described",
    "encode",
    "load_encoding",
    "prompt_text",
    "save_encoding",
    "settled",
]

BLOCK = 1000  # texts tokenized at a time: Python's own lists of numbers take ten times an array's memory


class EncodedText(NamedTuple):
    """A prompt and a response as one sequence of tokens."""

    tokens: NDArray[np.int32]
    """Prompt, then response. Shape [tokens]."""
    prompt_tokens: int
    """How many of them are the prompt's."""


@dataclass(frozen=True)
class CutReport:
    """What did not fit; `print` it."""

    texts: int
    """Sequences encoded."""
    longest: int
    """Tokens of the longest one, after cutting."""
    prompts_cut: int = 0
    """Sequences whose prompt lost its beginning, or its end; see `prompt_part`."""
    prompt_tokens_cut: int = 0
    """Tokens that these prompts lost."""
    responses_cut: int = 0
    """Sequences whose response lost its end."""
    response_tokens_cut: int = 0
    """Tokens that these responses lost."""
    prompt_part: str = "beginning"
    """What the prompts lost: see `EncodingSettings.cut`."""

    def __str__(self) -> str:
        said = f"{self.texts:,} texts, the longest of {self.longest} tokens; "
        parts = [
            f"{count:,} {name} ({count / self.texts:.1%}) lost their {part}, {tokens / count:.0f} tokens on average"
            for count, tokens, name, part in (
                (self.prompts_cut, self.prompt_tokens_cut, "prompts", self.prompt_part),
                (self.responses_cut, self.response_tokens_cut, "responses", "end"),
            )
            if count
        ]
        return said + ("; ".join(parts) or "nothing was cut")


@dataclass(frozen=True, repr=False)
class EncodedTexts(Sequence[EncodedText]):
    """Encoded texts, to be used as a list of them, and what was cut."""

    texts: tuple[EncodedText, ...]
    """In the order given."""
    report: CutReport
    """What did not fit."""
    cut: tuple[bool, ...]
    """Of each text, whether its prompt or its response lost something."""

    def __repr__(self) -> str:
        return f"<EncodedTexts {self.report}>"

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> EncodedText: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[EncodedText, ...]: ...
    def __getitem__(self, index: int | slice) -> EncodedText | tuple[EncodedText, ...]:
        return self.texts[index]


class TokenBatch(NamedTuple):
    """A batch in the order of `RewardModel.forward`: `model(*batch)`. True = participates."""

    input_ids: Tensor
    """Shape [batch, tokens], int64. Padding, at the right, is 0: the masks tell it from a token."""
    attention_mask: Tensor
    """True at real tokens. Shape [batch, tokens], bool."""
    response_mask: Tensor
    """True at the response's tokens. Shape [batch, tokens], bool."""

    def to(self, device: torch.device | str) -> TokenBatch:
        """Return the batch on a device."""
        return TokenBatch(*(tensor.to(device) for tensor in self))


def encode(
    texts: Sequence[tuple[str, str]],
    tokenizer: PreTrainedTokenizerBase,
    settings: EncodingSettings | None = None,
    *,
    each: int = 1,
) -> EncodedTexts:
    """Turn (prompt, response) texts into tokens, cut to their budgets.

    The prompt's tokens are the same before every response, and are those that a policy sees when it writes one.

    Args:
        texts: The user's words and the response, in this order.
        tokenizer: The model's.
        settings: Template and budgets, see `settled`; None: HaF-RM's, whatever the tokenizer brings.
        each: How many texts make up a row, as errors name them: 2 in pairs.

    Returns:
        The sequences in the order given, and a report of what was cut.

    Raises:
        DataError: Texts without a token of the prompt or of the response, or that are no Unicode, or that the chat
            template refuses; the first of them are named.
        ModelError: An end token is wanted, but the tokenizer has none.
        SettingsError: See `settled`.
    """
    settings = settled(settings or EncodingSettings(chat=False), tokenizer)
    name = "text" if each == 1 else "pair"
    check_characters((text for pair in texts for text in pair), name, 2 * each)
    encoded: list[EncodedText] = []
    cuts: list[tuple[int, int]] = []
    for start in range(0, len(texts), BLOCK):
        try:
            parts = _parts(texts[start : start + BLOCK], tokenizer, settings)
        except Refusals as refusals:
            raise refused([((start + row) // each, why) for row, why in refusals.rows], name) from refusals
        for prompt, response, lost in parts:
            left = settings.max_tokens - len(prompt)
            tokens = np.array(prompt + response[:left], dtype=np.int32)
            encoded.append(EncodedText(tokens, len(prompt)))
            cuts.append((lost, max(len(response) - left, 0)))
    _check_empty(encoded, name, each)
    by_part = np.array(cuts, dtype=np.int64).reshape(-1, 2)
    (prompts_cut, responses_cut), (prompt_lost, response_lost) = (by_part > 0).sum(0), by_part.sum(0)
    longest = max((len(text.tokens) for text in encoded), default=0)
    report = CutReport(
        len(encoded),
        longest,
        int(prompts_cut),
        int(prompt_lost),
        int(responses_cut),
        int(response_lost),
        prompt_part=settings.cut,
    )
    return EncodedTexts(tuple(encoded), report, tuple(sum(cut) > 0 for cut in cuts))


def collate(texts: Sequence[EncodedText]) -> TokenBatch:
    """Put texts into one batch, padded at the right to the longest of them.

    Args:
        texts: At least one.
    """
    shape = len(texts), max(len(text.tokens) for text in texts)
    lengths = np.array([len(text.tokens) for text in texts])[:, None]
    prompts = np.array([text.prompt_tokens for text in texts])[:, None]
    columns = np.arange(shape[1])[None]
    real = columns < lengths
    ids = np.zeros(shape, dtype=np.int64)
    ids[real] = np.concatenate([text.tokens for text in texts])
    masks = real, real & (columns >= prompts)
    return TokenBatch(torch.from_numpy(ids), *(torch.from_numpy(mask) for mask in masks))


def _parts(
    texts: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerBase, settings: EncodingSettings
) -> list[Parts]:
    """Tokenize some texts by settled settings."""
    room = settings.max_prompt_tokens
    if settings.chat:
        end = _end_token(tokenizer, settings) if settings.end_token and not turn_end_text(tokenizer) else []
        return chat_parts(texts, tokenizer, room, end if settings.end_token else None)
    before, _, after = settings.template.partition(SLOT)
    spaced = [(prompt, settings.separator + response) for prompt, response in texts]
    end = _end_token(tokenizer, settings)
    return plain_parts(spaced, tokenizer, (before, after), room, end, cut_end=settings.cut == "end")


def _end_token(tokenizer: PreTrainedTokenizerBase, settings: EncodingSettings) -> list[int]:
    """Return the token that ends a response, if it is wanted."""
    if not settings.end_token:
        return []
    token = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
    if token is None:
        raise ModelError(
            got=f"{tokenizer.name_or_path or 'the tokenizer'} has no end token",
            needed="one, to put after each response",
            fix="set end_token=False, or tokenizer.eos_token",
        )
    return [token]


def _check_empty(texts: Sequence[EncodedText], name: str, each: int) -> None:
    """Raise if a prompt or a response has no token: there would be nothing to score, or to predict it from."""
    for part, rows in (
        ("prompt", [row // each for row, text in enumerate(texts) if not text.prompt_tokens]),
        (
            "response",
            [row // each for row, text in enumerate(texts) if len(text.tokens) == text.prompt_tokens],
        ),
    ):
        if rows:
            raise DataError(
                got=f"the {part} has no token in {name} {listed(rows)} (counted from 0)",
                needed=f"a {part} of at least one token",
                fix="leave these texts out, or set end_token=True"
                if part == "response"
                else "give a template",
            )
