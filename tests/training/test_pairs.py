"""Pairs as tokens: what is refused and left out, batches, and the order of an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_training import ENCODING, make_pairs, save_tiny, tokenizer_of

from workbench.core.errors import DataError
from workbench.datasets import PreferencePair
from workbench.models import EncodingSettings
from workbench.models.encoding import CutReport, EncodedText
from workbench.training.pairs import EncodedPair, EncodedPairs, PairOrder, collate_pairs, encode_pairs


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tokenizer_of(save_tiny(tmp_path_factory.mktemp("tiny")))


def of_lengths(*lengths: int) -> EncodedPairs:
    """Make pairs whose longer response has so many tokens."""
    texts = [EncodedText(np.arange(length, dtype=np.int32), 1) for length in lengths]
    shortest = EncodedText(np.arange(1, dtype=np.int32), 1)
    pairs = tuple(EncodedPair(text, shortest, row) for row, text in enumerate(texts))
    return EncodedPairs(pairs, CutReport(2 * len(pairs), max(lengths)))


def test_pairs_keep_their_rows_and_sources(tokenizer: Any) -> None:
    encoded = encode_pairs(make_pairs(3), tokenizer, ENCODING)
    assert [pair.row for pair in encoded.pairs] == [0, 1, 2]
    assert encoded.sources == ("made up",)
    assert tokenizer.decode(encoded[1].chosen.tokens) == "q1q1 yes a<eos>"
    assert tokenizer.decode(encoded[1].rejected.tokens) == "q1q1 no b<eos>"
    assert [text.tokens.tolist() for text in encoded.texts()][:2] == [
        encoded[0].chosen.tokens.tolist(),
        encoded[0].rejected.tokens.tolist(),
    ]
    assert str(encoded).startswith("3 pairs: 6 texts")


def test_the_mark_is_of_the_tokens(tokenizer: Any) -> None:
    pairs = make_pairs(3)
    mark = encode_pairs(pairs, tokenizer, ENCODING).mark()
    assert mark == encode_pairs(list(pairs), tokenizer, ENCODING).mark()
    assert mark != encode_pairs(pairs[::-1], tokenizer, ENCODING).mark()
    assert mark != encode_pairs(pairs, tokenizer, EncodingSettings(template="{prompt}", separator="")).mark()


def test_no_pairs_at_all(tokenizer: Any) -> None:
    with pytest.raises(DataError, match="no preference pairs"):
        encode_pairs([], tokenizer)


def test_chosen_equal_to_rejected_names_the_rows(tokenizer: Any) -> None:
    pairs = make_pairs(30)
    for row in range(3, 15):
        pairs[row] = PreferencePair("p", "same", "same", "made up")
    with pytest.raises(DataError, match="in pair 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more") as caught:
        encode_pairs(pairs, tokenizer)
    assert "equal='drop'" in caught.value.fix


def test_pairs_that_differ_only_after_the_cut_are_left_out_and_counted(tokenizer: Any) -> None:
    short = EncodingSettings(template="{prompt}", separator="", max_tokens=6, max_prompt_tokens=2)
    pairs = [PreferencePair("ab", "xyzwv", "xyzwu", "s"), PreferencePair("ab", "xyzw", "xyzu", "s")]
    encoded = encode_pairs(pairs, tokenizer, short)
    assert [pair.row for pair in encoded.pairs] == [1] and encoded.equal_after_cut == 1
    assert "1 pairs left out: what differs in them was cut" in str(encoded)
    with pytest.raises(DataError, match="all 1 pairs are equal once they are cut") as caught:
        encode_pairs(pairs[:1], tokenizer, short)
    assert "raise max_tokens" in caught.value.fix


def test_chosen_and_rejected_are_one_batch_trimmed_to_its_longest_row(tokenizer: Any) -> None:
    encoded = encode_pairs(make_pairs(3), tokenizer, ENCODING)
    batch = collate_pairs([encoded[2], encoded[0]])
    texts = [encoded[2].chosen, encoded[0].chosen, encoded[2].rejected, encoded[0].rejected]
    assert batch["input_ids"].shape == (4, max(len(text.tokens) for text in texts))
    for row, text in enumerate(texts):
        assert batch["input_ids"][row][batch["attention_mask"][row]].tolist() == text.tokens.tolist()
        assert batch["response_mask"][row].sum() == len(text.tokens) - text.prompt_tokens
    assert batch["rows"].tolist() == [2, 0] and "reference_logps" not in batch
    known = encoded.with_reference([-1.0, -2.0, -3.0, -4.0, -5.0, -6.0])
    assert collate_pairs([known[2], known[0]])["reference_logps"].tolist() == [-5.0, -1.0, -6.0, -2.0]


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=70),
    step=st.integers(1, 9),
    grouped=st.booleans(),
    seed=st.integers(0, 5),
)
def test_an_epoch_meets_each_pair_once_and_depends_on_seed_and_epoch_alone(
    lengths: list[int], step: int, grouped: bool, seed: int
) -> None:
    pairs = of_lengths(*lengths)
    order = PairOrder(pairs, step, seed, group_by_length=grouped)
    first = list(order)
    assert sorted(first) == list(range(len(lengths))) and len(order) == len(lengths)
    torch.rand(3)  # whatever was drawn before
    order.set_epoch(1)
    second = list(order)
    assert sorted(second) == sorted(first)
    again = PairOrder(pairs, step, seed, group_by_length=grouped)
    assert list(again) == first
    again.set_epoch(1)
    assert list(again) == second
    for start in range(0, len(first), step):
        longest = [pairs[row].length for row in first[start : start + step]]
        assert longest == sorted(longest)


def test_sorting_within_a_step_does_not_change_which_pairs_it_holds() -> None:
    lengths = torch.randint(1, 100, (64,), generator=torch.Generator().manual_seed(0)).tolist()
    sorted_steps = list(PairOrder(of_lengths(*lengths), 16, 3))
    plain_steps = list(PairOrder(of_lengths(*[5] * 64), 16, 3))  # nothing to sort by
    for start in range(0, 64, 16):
        assert set(sorted_steps[start : start + 16]) == set(plain_steps[start : start + 16])


def test_grouped_steps_hold_less_padding() -> None:
    lengths = torch.randint(1, 100, (320,), generator=torch.Generator().manual_seed(0)).tolist()
    pairs = of_lengths(*lengths)

    def padding(grouped: bool) -> int:
        order = list(PairOrder(pairs, 16, 0, group_by_length=grouped))
        steps = [[lengths[row] for row in order[start : start + 16]] for start in range(0, 320, 16)]
        return sum(max(step) * len(step) - sum(step) for step in steps)

    assert padding(grouped=True) < padding(grouped=False) / 4
