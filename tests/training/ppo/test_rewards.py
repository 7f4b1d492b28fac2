"""Rewards on the policy's tokens: where they land, by hand, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from tiny_policies import WholeReward, tokenizer

from workbench.core.errors import DataError, SettingsError
from workbench.rewards import HierarchicalReward, HierarchySettings, Sample, Span, decode_responses
from workbench.training.ppo.token_rewards import ending_offsets, token_rewards

A, B, STOP, END = 2, 3, 8, 1
IDS = torch.tensor([[A, B, A, END, 0], [A, B, B, A, STOP], [END, 0, 0, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]]).bool()


class Letters:
    """1 for each letter a of a response, on itself."""

    name = "letters"

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        return [
            [Span(place, place + 1, 1.0) for place, letter in enumerate(one.response) if letter == "a"]
            for one in samples
        ]


def given(reward: object, too_short: float | None = None) -> tuple[list[list[float]], dict[str, list[float]]]:
    texts, offsets = decode_responses(IDS, MASK, tokenizer())
    assert texts == ["a b a", "a b b a .", ""]
    samples = [Sample("a", text) for text in texts]
    found = token_rewards(reward, samples, offsets, MASK, too_short=too_short)  # type: ignore[arg-type]
    return found.tokens.tolist(), {name: values.tolist() for name, values in found.scores.items()}


def test_a_whole_answers_reward_lands_on_its_end_token() -> None:
    """On the token before, it would be paid whatever came after: going on would be the only way to earn more."""
    tokens, scores = given(WholeReward(lambda sample: 2.0))
    assert tokens == [[0, 0, 0, 2, 0], [0, 0, 0, 0, 2], [2, 0, 0, 0, 0]] and scores == {}


def test_spans_land_on_their_own_tokens() -> None:
    # the last letter of the first answer is the last word before its end: that it is the last was decided there
    assert given(Letters())[0] == [[1, 0, 0, 1, 0], [1, 0, 0, 1, 0], [0, 0, 0, 0, 0]]


def test_only_a_bare_last_token_is_moved() -> None:
    offsets = torch.tensor([[[0, 1], [1, 1]], [[0, 1], [2, 3]], [[0, 0], [0, 0]]])
    moved = ending_offsets(offsets, torch.ones(3, 2, dtype=torch.bool))
    assert moved.tolist() == [[[0, 1], [0, 1]], [[0, 1], [2, 3]], [[0, 0], [0, 0]]]
    assert ending_offsets(torch.zeros(2, 0, 2, dtype=torch.long), torch.ones(2, 0).bool()).shape == (2, 0, 2)


def test_answers_that_are_too_short_get_their_price_and_nothing_else() -> None:
    tokens, _ = given(Letters(), too_short=-10.0)
    assert tokens[2] == [-10, 0, 0, 0, 0] and tokens[0] == [1, 0, 0, 1, 0]


def test_the_hierarchy_places_its_values_and_says_its_parts() -> None:
    holistic = WholeReward(lambda sample: 1.0 if "." in sample.response else 0.0, "good")
    reward = HierarchicalReward(
        holistic, [Letters()], HierarchySettings(threshold=0.5, holistic_weight=3.0, shaping=False)
    )
    tokens, scores = given(reward, too_short=99.0)
    assert tokens == [[0, 0, 0, 0, 0], [1, 0, 0, 1, 3], [-30, 0, 0, 0, 0]], "its own rule for short answers"
    assert scores["gate"] == [0, 1, 0] and scores["holistic"] == [0, 1, 0] and scores["letters"] == [1, 1, 0]
    aspect_only = HierarchicalReward(
        holistic, [Letters()], HierarchySettings(mode="aspect_only", shaping=False)
    )
    assert set(given(aspect_only)[1]) == {"letters"}


def test_a_reward_that_does_not_answer_for_each_response_is_named() -> None:
    class Lazy(Letters):
        def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
            return super().__call__(samples[1:])

    with pytest.raises(SettingsError, match="'letters' gave spans for 2 of 3"):
        given(Lazy())


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(SettingsError, match="nan"):
        given(WholeReward(lambda sample: float("nan")))

    class Wild(HierarchicalReward):
        def on_tokens(self, *_: object) -> torch.Tensor:  # type: ignore[override]
            return torch.full(MASK.shape, torch.inf)

    with pytest.raises(SettingsError, match="'wild' gave a value that is no finite number"):
        given(Wild(WholeReward(lambda sample: 1.0), [], name="wild"))


def test_a_span_beyond_its_response_is_named() -> None:
    class Wide(Letters):
        def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
            return [[Span(0, 99, 1.0)] for _ in samples]

    with pytest.raises(DataError, match="row 0: a span 0:99 beyond the 5 characters"):
        given(Wide())
