"""From characters to the policy's tokens: where the value of a span lands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from workbench.core.errors import SettingsError
from workbench.rewards.spans import Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["DecodedResponses", "decode_responses", "place_on_tokens", "require_fast"]


class DecodedResponses(NamedTuple):
    """Responses as texts, and where their tokens stand in them."""

    texts: list[str]
    """One for each row, without special tokens: what rewards score."""
    offsets: Tensor
    """First character and one past the last of each token in its text. Shape [batch, tokens, 2], int64. Both are the
    same at special tokens and off the mask, and those of the character where several tokens make up one. On the
    device of the ids."""


def decode_responses(
    input_ids: Tensor,
    response_mask: Tensor,
    tokenizer: PreTrainedTokenizerBase,
    *,
    stop_tokens: Collection[int] = (),
) -> DecodedResponses:
    """Turn sampled tokens into texts, and say which characters each token is.

    A sampled response is often not the tokenizer's own way to write its text. Rows that are get the offsets that the
    tokenizer gives; for the others the text is compared with that of each of its beginnings, all decoded in one call.

    Args:
        input_ids: Shape [batch, tokens], int64.
        response_mask: True at the response's tokens. Shape [batch, tokens], bool.
        tokenizer: The policy's; of the fast kind.
        stop_tokens: Tokens that end a response: no part of its text, also where the tokenizer calls them ordinary.

    Raises:
        SettingsError: The tokenizer is not fast, or the mask does not fit.
    """
    require_fast(tokenizer)
    _check_mask(response_mask, input_ids.shape)
    special = {*tokenizer.all_special_ids, *stop_tokens}
    columns = [row.nonzero()[:, 0].tolist() for row in response_mask.cpu()]
    rows = [ids[places].tolist() for ids, places in zip(input_ids.cpu(), columns, strict=True)]
    plain = [[token for token in row if token not in special] for row in rows]
    texts = _decoded(plain, tokenizer)
    again: Any = {"input_ids": [], "offset_mapping": []}
    if texts:  # tokenizers take no empty batch
        again = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    offsets = torch.zeros((*input_ids.shape, 2), dtype=torch.long)
    for row, (places, ids) in enumerate(zip(columns, rows, strict=True)):
        same = again["input_ids"][row] == plain[row]
        left = iter(again["offset_mapping"][row] if same else _offsets(plain[row], texts[row], tokenizer))
        found, end = [], 0
        for token in ids:
            start, end = (end, end) if token in special else next(left)
            found.append((start, end))
        offsets[row, places] = torch.tensor(found, dtype=torch.long).reshape(-1, 2)
    return DecodedResponses(texts, offsets.to(input_ids.device))


def require_fast(tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise a `SettingsError` for a tokenizer that does not tell characters from tokens."""
    if not getattr(tokenizer, "is_fast", False):
        raise SettingsError(
            got=f"{type(tokenizer).__name__}, which does not tell characters from tokens",
            needed="a fast tokenizer",
            fix="load it by AutoTokenizer, with use_fast left as it is",
        )


def place_on_tokens(spans: Sequence[Sequence[Span]], offsets: Tensor, response_mask: Tensor) -> Tensor:
    """Place the values of spans on tokens, whatever tokenizer the reward itself used.

    A value lands on the last token that holds a character of its span (`on_each`: on all that do). A span that no
    token holds, such as the whole of an empty response, gives its value to the last token that begins before its
    end, else to the first of the response: nothing is lost. Values given once that meet on a token are added; of
    those on each token the last span of the list counts. A row without any token, all padding, stays 0.

    Args:
        spans: Those of each row. Length [batch].
        offsets: First character and one past the last of each token, as `decode_responses` gives. Shape
            [batch, tokens, 2].
        response_mask: True where a token participates. Shape [batch, tokens], bool.

    Returns:
        Shape [batch, tokens], float32, on the offsets' device; 0 off the mask.

    Raises:
        SettingsError: Shapes do not fit.
    """
    _check_mask(response_mask, offsets.shape[:2])
    if len(spans) != len(response_mask) or offsets.shape[2:] != (2,):
        raise SettingsError(
            got=f"spans of {len(spans)} rows, offsets {list(offsets.shape)}",
            needed=f"spans of {len(response_mask)} rows, offsets {[*response_mask.shape, 2]}",
            fix="give the spans of all rows, and the offsets of the same batch",
        )
    values = torch.zeros(response_mask.shape, dtype=torch.float32, device=offsets.device)
    flat = [(row, span) for row, listed in enumerate(spans) for span in listed]
    if not flat or not response_mask.any():
        return values
    rows, held, landing = _tokens_of(flat, offsets, response_mask)
    given = torch.tensor([span.value for _, span in flat], device=offsets.device)
    for number, (row, span) in enumerate(flat):  # in the list's order: later ones replace
        if span.on_each:
            values[row, held[number]] = given[number]
    once = torch.tensor([not span.on_each for _, span in flat], device=offsets.device) & landing.any(1)
    columns = torch.arange(landing.shape[1], device=offsets.device)
    last = torch.where(landing, columns, -1).amax(1)
    return values.index_put((rows[once], last[once]), given[once], accumulate=True)


def _tokens_of(
    flat: Sequence[tuple[int, Span]], offsets: Tensor, response_mask: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return each span's row, the tokens that hold it, and the tokens of which the last one gets its value.

    Shapes [spans], [spans, tokens], [spans, tokens].
    """
    rows = torch.tensor([row for row, _ in flat], device=offsets.device)
    places = torch.tensor([(span.start, span.end) for _, span in flat], device=offsets.device)
    start, end = places[:, :1], places[:, 1:]
    real, (first, last) = response_mask[rows], offsets[rows].unbind(-1)
    before = real & (first < end)
    held = before & (last > start)
    at_first = real & (real.cumsum(1) == 1)
    landing = torch.where(before.any(1, keepdim=True), before, at_first)
    return rows, held, torch.where(held.any(1, keepdim=True), held, landing)


def _offsets(tokens: list[int], text: str, tokenizer: PreTrainedTokenizerBase) -> list[tuple[int, int]]:
    """Return the characters of each token of one response that its tokenizer would write in another way."""
    beginnings = _decoded([tokens[:count] for count in range(1, len(tokens) + 1)], tokenizer)
    ends = list(accumulate((_common(beginning, text) for beginning in beginnings), max))
    starts = [0, *ends[:-1]]
    # a token that is a part of a character counts as the whole of it; half a character at the end is one of its own
    for number in range(1, len(ends)):
        if starts[number] == len(text):
            starts[number] = starts[number - 1]
    for number in reversed(range(len(ends) - 1)):
        if ends[number] == starts[number]:
            starts[number], ends[number] = starts[number + 1], ends[number + 1]
    return list(zip(starts, ends, strict=True))


def _common(first: str, second: str) -> int:
    """Return the length of the longest beginning that two texts share."""
    length = min(len(first), len(second))
    if first[:length] == second[:length]:  # the usual case, without a loop
        return length
    return next(place for place in range(length) if first[place] != second[place])


def _decoded(rows: list[list[int]], tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Return texts just as the tokens have them, spaces before commas too."""
    return [str(text) for text in tokenizer.batch_decode(rows, clean_up_tokenization_spaces=False)]


def _check_mask(response_mask: Tensor, shape: Sequence[int]) -> None:
    if response_mask.dtype != torch.bool or list(response_mask.shape) != list(shape):
        raise SettingsError(
            got=f"response_mask {response_mask.dtype} {list(response_mask.shape)}",
            needed=f"response_mask: bool, {list(shape)}",
            fix="give the mask of the same batch; True = participates",
        )
