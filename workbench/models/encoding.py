"""Turn prompts and responses into tokens, the same way for training, evaluation, best-of-N and rewards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np
import torch
from torch import Tensor

from workbench.core.errors import DataError, ModelError, SettingsError
from workbench.store.atomic import write_json

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
    "encode",
    "load_encoding",
    "prompt_text",
    "save_encoding",
]

ENCODING = "encoding.json"
SLOT = "{prompt}"
BLOCK = 1000  # texts tokenized at a time: Python's own lists of numbers take ten times an array's memory
SHOWN = 5


@dataclass(frozen=True)
class EncodingSettings:
    """How a prompt and a response become one sequence of tokens. The defaults are HaF-RM's.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    template: str = "Instruct: {prompt}\nOutput:"
    """Text of the prompt, `{prompt}` standing for the user's words. `{prompt}` alone adds nothing."""
    separator: str = " "
    """What the response begins with, so that its first word is tokenized as it is within a text."""
    chat: bool = False
    """Use the tokenizer's chat template instead of `template` and `separator`."""
    max_tokens: int = 512
    """Longest sequence. A longer response loses its end (the end token too: it has not ended)."""
    max_prompt_tokens: int = 128
    """Longest prompt, template and first token included. A longer one loses its beginning."""
    end_token: bool = True
    """Put the tokenizer's end token after the response, so that the policy learns to stop."""

    def __post_init__(self) -> None:
        faults = []
        if self.template.count(SLOT) != 1:
            faults.append((f"template {self.template!r}", f"template: a text with {SLOT} in it, once"))
        if self.max_prompt_tokens < 1:
            faults.append((f"max_prompt_tokens {self.max_prompt_tokens}", "max_prompt_tokens: at least 1"))
        if self.max_tokens <= self.max_prompt_tokens:
            faults.append((f"max_tokens {self.max_tokens}", f"max_tokens: above {self.max_prompt_tokens}"))
        if faults:
            raise SettingsError.listing(faults)


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
    """Sequences whose prompt lost its beginning."""
    prompt_tokens_cut: int = 0
    """Tokens that these prompts lost."""
    responses_cut: int = 0
    """Sequences whose response lost its end."""
    response_tokens_cut: int = 0
    """Tokens that these responses lost."""

    def __str__(self) -> str:
        said = f"{self.texts:,} texts, the longest of {self.longest} tokens; "
        parts = [
            f"{count:,} {name} ({count / self.texts:.1%}) lost their {part}, {tokens / count:.0f} tokens on average"
            for count, tokens, name, part in (
                (self.prompts_cut, self.prompt_tokens_cut, "prompts", "beginning"),
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


def prompt_text(
    prompt: str, settings: EncodingSettings, tokenizer: PreTrainedTokenizerBase | None = None
) -> str:
    """Return the text that a policy continues: the prompt in its template.

    Args:
        prompt: The user's words, or a dialogue as `workbench.datasets.preference_pair.prompt_of` writes it.
        settings: The template.
        tokenizer: Has the chat template; needed for `chat` only.

    Raises:
        SettingsError: `chat` is set, but there is no chat template.
    """
    if not settings.chat:
        before, _, after = settings.template.partition(SLOT)
        return before + prompt + after
    if tokenizer is None or not tokenizer.chat_template:
        raise SettingsError(
            got="chat=True, but the tokenizer has no chat template",
            needed="the tokenizer of a chat model",
            fix="leave out --chat (in Python: chat=False), or load an instruction-tuned model",
        )
    from workbench.datasets.preference_pair import messages_of

    messages = [{"role": turn.role, "content": turn.content} for turn in messages_of(prompt)]
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def save_encoding(settings: EncodingSettings, folder: Path) -> None:
    """Write beside a model how its texts were encoded, so that it is never scored in another way unawares."""
    write_json(folder / ENCODING, asdict(settings))


def load_encoding(folder: Path) -> EncodingSettings | None:
    """Return how the texts of a saved model were encoded; None where its folder does not say.

    Raises:
        DataError: The folder says it in a way that cannot be read.
    """
    path = Path(folder).expanduser() / ENCODING
    if not path.is_file():
        return None
    try:
        return EncodingSettings(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise DataError(
            got=f"{path}: {str(error).splitlines()[0]}",
            needed="the encoding's settings, as save_encoding writes them",
            fix="give the settings yourself, and remove the file",
        ) from error


def encode(
    texts: Sequence[tuple[str, str]],
    tokenizer: PreTrainedTokenizerBase,
    settings: EncodingSettings | None = None,
) -> EncodedTexts:
    """Turn (prompt, response) texts into tokens, cut to their budgets.

    Prompt and response are tokenized apart: so the prompt's tokens are the same before every response, and are
    those that a policy sees when it writes one.

    Args:
        texts: The user's words and the response, in this order.
        tokenizer: The model's.
        settings: Template and budgets; those of HaF-RM if None.

    Returns:
        The sequences in the order given, and a report of what was cut.

    Raises:
        DataError: Texts without a token of the prompt or of the response; the first of them are named.
        ModelError: An end token is wanted, but the tokenizer has none.
        SettingsError: See `prompt_text`.
    """
    settings = settings or EncodingSettings()
    first, last = _first_token(tokenizer, settings), _end_token(tokenizer, settings)
    separator = "" if settings.chat else settings.separator
    encoded: list[EncodedText] = []
    cuts: list[tuple[int, int]] = []
    for start in range(0, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        prompts = _tokens([prompt_text(prompt, settings, tokenizer) for prompt, _ in block], tokenizer)
        responses = _tokens([separator + response for _, response in block], tokenizer)
        for prompt, response in zip(prompts, responses, strict=True):
            text, cut = _fitted(prompt, response + last, first, settings)
            encoded.append(text)
            cuts.append(cut)
    _check_empty(encoded)
    by_part = np.array(cuts, dtype=np.int64).reshape(-1, 2)
    (prompts_cut, responses_cut), (prompt_lost, response_lost) = (by_part > 0).sum(0), by_part.sum(0)
    longest = max((len(text.tokens) for text in encoded), default=0)
    report = CutReport(
        len(encoded), longest, int(prompts_cut), int(prompt_lost), int(responses_cut), int(response_lost)
    )
    return EncodedTexts(tuple(encoded), report)


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


def _fitted(
    prompt: list[int], response: list[int], first: list[int], settings: EncodingSettings
) -> tuple[EncodedText, tuple[int, int]]:
    """Return a text within its budgets, and how many tokens prompt and response lost."""
    room = settings.max_prompt_tokens - len(first)
    kept = first + prompt[max(len(prompt) - room, 0) :]
    left = settings.max_tokens - len(kept)
    tokens = np.array(kept + response[:left], dtype=np.int32)
    return EncodedText(tokens, len(kept)), (max(len(prompt) - room, 0), max(len(response) - left, 0))


def _tokens(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> Iterator[list[int]]:
    """Tokenize texts as they are. Never a warning about length: what is too long is cut, and reported."""
    found: list[list[int]] = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    yield from found


def _first_token(tokenizer: PreTrainedTokenizerBase, settings: EncodingSettings) -> list[int]:
    """Return the token that the tokenizer puts before every text, if it does; chat templates bring their own."""
    begins = {tokenizer.bos_token_id, tokenizer.cls_token_id} - {None}
    return [] if settings.chat else [token for token in tokenizer("")["input_ids"] if token in begins][:1]


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


def _check_empty(texts: Sequence[EncodedText]) -> None:
    """Raise if a prompt or a response has no token: there would be nothing to score, or to predict it from."""
    for name, rows in (
        ("prompt", [row for row, text in enumerate(texts) if not text.prompt_tokens]),
        ("response", [row for row, text in enumerate(texts) if len(text.tokens) == text.prompt_tokens]),
    ):
        if rows:
            more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            raise DataError(
                got=f"the {name} has no token in text {', '.join(map(str, rows[:SHOWN]))}{more} (counted from 0)",
                needed=f"a {name} of at least one token",
                fix="leave these texts out, or set end_token=True"
                if name == "response"
                else "give a template",
            )
