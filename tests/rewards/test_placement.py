"""Values on tokens: by hand, with real tokenizers, and where sampled tokens are not the tokenizer's own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from workbench.core.errors import DataError, SettingsError
from workbench.rewards import Sample, Span, decode_responses, mapped, place_on_tokens, sequence_score, whole

# "Cows eat. Yes!" with a padding before it and an end token after it
TEXT = "Cows eat. Yes!"
OFFSETS = torch.tensor([[(0, 0), (0, 4), (4, 8), (8, 9), (9, 13), (13, 14), (14, 14)]])
MASK = torch.tensor([[0, 1, 1, 1, 1, 1, 1]]).bool()


def placed(*spans: Span, offsets: Tensor = OFFSETS, mask: Tensor = MASK) -> list[float]:
    return place_on_tokens([list(spans)], offsets, mask)[0].tolist()


def test_a_value_lands_on_the_last_token_of_its_span() -> None:
    assert placed(Span(0, 9, 1.0), Span(10, 14, 2.0)) == [0, 0, 0, 1, 0, 2, 0]


def test_a_span_that_ends_within_a_token_lands_on_it() -> None:
    assert placed(Span(0, 6, 1.0)) == [0, 0, 1, 0, 0, 0, 0]


def test_values_on_one_token_are_added() -> None:
    assert placed(Span(0, 9, 1.0), Span(8, 9, 0.5)) == [0, 0, 0, 1.5, 0, 0, 0]


def test_values_on_each_token_replace_one_another_and_add_to_those_given_once() -> None:
    everywhere, error = Span(0, 14, 0.5, on_each=True), Span(5, 9, -1.0, on_each=True)
    assert placed(everywhere, error) == [0, 0.5, -1, -1, 0.5, 0.5, 0]
    assert placed(everywhere, Span(0, 14, 2.0), error) == [0, 0.5, -1, -1, 0.5, 2.5, 0]


def test_a_span_between_tokens_goes_to_the_token_before_it() -> None:
    gap = torch.tensor([[(0, 0), (0, 3), (5, 6), (6, 8), (9, 13), (13, 14), (14, 14)]])
    assert placed(Span(3, 5, 1.0), offsets=gap) == [0, 1, 0, 0, 0, 0, 0]


def test_the_whole_of_an_empty_response_goes_to_its_end_token() -> None:
    offsets, mask = torch.zeros(1, 3, 2).long(), torch.tensor([[0, 0, 1]]).bool()
    assert placed(whole(Sample("p", ""), 1.0), offsets=offsets, mask=mask) == [0, 0, 1]


def test_an_answer_of_padding_only_has_no_reward() -> None:
    """A rollout that ends at once: nothing participates, and nothing crashes."""
    offsets, mask = torch.zeros(2, 3, 2).long(), torch.tensor([[0, 0, 0], [1, 0, 0]]).bool()
    spans = [[Span(0, 0, 1.0)], [Span(0, 0, 2.0)]]
    assert place_on_tokens(spans, offsets, mask).tolist() == [[0, 0, 0], [2, 0, 0]]
    assert place_on_tokens([[Span(0, 0, 1.0, on_each=True)]], offsets[:1], mask[:1]).tolist() == [[0, 0, 0]]
    assert place_on_tokens([], offsets[:0], mask[:0]).shape == (0, 3)


def make_tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """Byte-level pieces, of which 'co' and 'cow' join some; or characters after a T5-like normalization."""
    if kind == "bytes":
        letters = sorted(pre_tokenizers.ByteLevel.alphabet())
        vocabulary = {piece: number for number, piece in enumerate(["<pad>", "<eos>", *letters, "co", "cow"])}
        made = Tokenizer(models.BPE(vocabulary, [("c", "o"), ("co", "w")]))
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
    else:
        pieces = [("<pad>", 0.0), ("<eos>", 0.0), ("<unk>", -9.0), ("▁", -3.0), ("▁cow", -2.0)]
        pieces += [(letter, -4.0 - number / 10) for number, letter in enumerate("abcdeow.é牛")]
        made = Tokenizer(models.Unigram(pieces, unk_id=2))
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        made.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<eos>")


BYTES, PIECES = make_tokenizer("bytes"), make_tokenizer("pieces")


def rows_of(tokenizer: Any, *rows: list[str], left: bool = False) -> tuple[Tensor, Tensor]:
    """Return ids and mask of rows of pieces, padded."""
    ids = [tokenizer.convert_tokens_to_ids(row) for row in rows]
    width = max(map(len, ids)) + 1
    out, mask = torch.zeros(len(ids), width).long(), torch.zeros(len(ids), width).bool()
    for row, one in enumerate(ids):
        place = slice(width - len(one), width) if left else slice(0, len(one))
        out[row, place], mask[row, place] = torch.tensor(one), True
    return out, mask


def parts(texts: list[str], offsets: Tensor, mask: Tensor) -> list[list[str]]:
    """Return the characters of each participating token."""
    return [
        [text[start:end] for start, end in row[held].tolist()]
        for text, row, held in zip(texts, offsets, mask, strict=True)
    ]


@pytest.mark.parametrize("left", [False, True])
def test_offsets_of_the_tokenizers_own_tokens_and_of_others(left: bool) -> None:
    """The second row spells `cow` as no tokenizer would: sampling does."""
    ids, mask = rows_of(
        BYTES, ["cow", "Ġ", "cow", "<eos>"], ["c", "o", "w", "Ġ", "co", "w", "<eos>"], left=left
    )
    texts, offsets = decode_responses(ids, mask, BYTES)
    assert texts == ["cow cow", "cow cow"]
    assert parts(texts, offsets, mask) == [
        ["cow", " ", "cow", ""],
        ["c", "o", "w", " ", "co", "w", ""],
    ]
    values = place_on_tokens([[Span(0, 3, 1.0), Span(4, 7, 2.0)]] * 2, offsets, mask)
    assert values[mask].tolist() == [1, 0, 2, 0, 0, 0, 1, 0, 0, 2, 0]


@pytest.mark.parametrize("canonical", [True, False])
def test_a_character_of_several_tokens_takes_its_value_on_the_last_of_them(canonical: bool) -> None:
    """The emoji is four bytes, each a token: half a character is no text."""
    emoji = [BYTES.convert_ids_to_tokens(token) for token in BYTES("\N{COW}")["input_ids"]]
    ids, mask = rows_of(BYTES, [*(["cow"] if canonical else ["c", "o", "w"]), *emoji, "Ġ"])
    texts, offsets = decode_responses(ids, mask, BYTES)
    assert texts == ["cow\N{COW} "] and len(emoji) == 4
    assert parts(texts, offsets, mask)[0][-5:] == ["\N{COW}"] * 4 + [" "]
    assert place_on_tokens([[Span(3, 4, 1.0)]], offsets, mask)[mask].tolist()[-5:] == [0, 0, 0, 1, 0]


def test_half_a_character_at_the_end_is_no_crash() -> None:
    emoji = [BYTES.convert_ids_to_tokens(token) for token in BYTES("\N{COW}")["input_ids"]]
    ids, mask = rows_of(BYTES, ["cow", *emoji[:2]], [emoji[2], "cow"])
    texts, offsets = decode_responses(ids, mask, BYTES)
    assert texts[0].startswith("cow") and texts[1].endswith("cow")
    values = place_on_tokens([[Span(0, len(text), 1.0)] for text in texts], offsets, mask)
    assert values.sum(1).tolist() == [1, 1] and values[:, 2].tolist() == [1, 0] and values[1, 1] == 1


def test_pieces_with_spaces_of_their_own() -> None:
    ids, mask = rows_of(PIECES, ["▁cow", "▁cow", "é", "<eos>"], ["▁", "c", "o", "w", "▁cow", "é"])
    texts, offsets = decode_responses(ids, mask, PIECES)
    assert texts == ["cow cowé"] * 2
    values = place_on_tokens([[Span(0, 3, 1.0), Span(4, 8, 2.0)]] * 2, offsets, mask)
    assert values[mask].tolist() == [1, 0, 2, 0, 0, 0, 0, 1, 0, 2]


def test_rows_without_a_token() -> None:
    texts, offsets = decode_responses(torch.zeros(2, 3).long(), torch.zeros(2, 3).bool(), BYTES)
    assert texts == ["", ""] and offsets.tolist() == [[[0, 0]] * 3] * 2
    assert decode_responses(torch.zeros(0, 3).long(), torch.zeros(0, 3).bool(), BYTES).offsets.shape == (
        0,
        3,
        2,
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(0, len(BYTES) - 1), max_size=12), min_size=1, max_size=4))
def test_any_tokens_have_offsets_that_cover_their_text(rows: list[list[int]]) -> None:
    width = max(map(len, rows)) + 1
    ids, mask = torch.zeros(len(rows), width).long(), torch.zeros(len(rows), width).bool()
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)], mask[row, : len(tokens)] = torch.tensor(tokens).long(), True
    texts, offsets = decode_responses(ids, mask, BYTES)
    for text, row, held in zip(texts, offsets, mask, strict=True):
        places = row[held].tolist()
        assert set().union(*[range(start, end) for start, end in places]) == set(range(len(text)))
        # a special token may stand between the halves of a character, after the whole of which it is said to be
        held_by = [place for place in places if place[0] < place[1]]
        assert held_by == sorted(held_by) and all(0 <= start <= end <= len(text) for start, end in places)
    values = place_on_tokens([[Span(0, len(text), 1.0)] for text in texts], offsets, mask)
    assert values.sum(1).tolist() == [float(bool(tokens)) for tokens in rows]


def test_shapes_and_tokenizers_that_do_not_fit_are_said() -> None:
    with pytest.raises(SettingsError, match="spans of 2 rows"):
        place_on_tokens([[], []], OFFSETS, MASK)
    with pytest.raises(SettingsError, match="response_mask: bool"):
        place_on_tokens([[]], OFFSETS, MASK.long())
    with pytest.raises(SettingsError, match="a fast tokenizer"):
        decode_responses(torch.zeros(1, 1).long(), torch.ones(1, 1).bool(), object())  # type: ignore[arg-type]


def test_a_score_of_a_response_is_a_mean_and_not_a_sum() -> None:
    assert sequence_score([Span(0, 4, 1.0), Span(4, 10, -1.0), Span(0, 10, 0.3)], 10) == pytest.approx(0.1)
    errors = [Span(0, 10, 0.0, on_each=True), Span(2, 4, -1.0, on_each=True), Span(3, 5, -1.0, on_each=True)]
    assert sequence_score(errors, 10) == pytest.approx(-0.3)
    assert sequence_score([], 0) == 0


def test_spans_are_checked() -> None:
    for start, end, value in ((3, 2, 0.0), (-1, 2, 0.0), (0, 1, float("nan"))):
        with pytest.raises(SettingsError, match="0 <= start <= end"):
            Span(start, end, value)
    with pytest.raises(DataError, match="a span 0:5 of a response of 4 characters"):
        sequence_score([Span(0, 5, 1.0)], 4)
    assert mapped([Span(0, 5, 2.0, on_each=True)], lambda value: value / 4) == [Span(0, 5, 0.5, on_each=True)]
