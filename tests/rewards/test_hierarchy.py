"""The hierarchy of rewards: by hand, and the properties that the paper argues with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from workbench.core.errors import SettingsError
from workbench.rewards import MODES, hierarchical_reward, passes, sigmoid_shaping

# four tokens, four and a padding, three between paddings, two (too short), none
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [1, 1, 0, 0, 0], [0] * 5]).bool()
ASPECTS = torch.tensor(
    [[0.5, 0, 0, 0.25, 0], [0.5, 0, 0, 0, 9], [9, 0.5, 0, 0.5, 9], [0.5, 0.5, 9, 9, 9], [9] * 5]
)
HOLISTIC = torch.tensor([1.0, 0.5, 0.6, 2.0, 3.0])
EXPECTED = {
    "hierarchical": [
        [0.5, 0, 0, 0.25, 5],
        [0, 0, 0, 2.5, 0],
        [0, 0.5, 0, 3.5, 0],
        [0, -50, 0, 0, 0],
        [0] * 5,
    ],
    "weighted_sum": [
        [0.5, 0, 0, 0.25, 5],
        [0.5, 0, 0, 2.5, 0],
        [0, 0.5, 0, 3.5, 0],
        [0.5, -49.5, 0, 0, 0],
        [0] * 5,
    ],
    "holistic_only": [[0, 0, 0, 0, 5], [0, 0, 0, 2.5, 0], [0, 0, 0, 3, 0], [0, -50, 0, 0, 0], [0] * 5],
    "aspect_only": [
        [0.5, 0, 0, 0.25, 0],
        [0.5, 0, 0, 0, 0],
        [0, 0.5, 0, 0.5, 0],
        [0.5, 0.5, 0, 0, 0],
        [0] * 5,
    ],
}


def reward(
    aspects: Tensor = ASPECTS, holistic: Tensor = HOLISTIC, mask: Tensor = MASK, **options: Any
) -> Tensor:
    return hierarchical_reward(
        aspects, holistic, mask, **{"threshold": 0.6, "holistic_weight": 5.0} | options
    )


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_by_hand(mode: str) -> None:
    torch.testing.assert_close(reward(mode=mode), torch.tensor(EXPECTED[mode]))


def test_hierarchical_is_the_default_and_the_gate_is_told() -> None:
    assert torch.equal(reward(), reward(mode="hierarchical"))
    assert passes(HOLISTIC, MASK, 0.6).tolist() == [True, False, True, False, False]


def test_values_off_the_mask_and_the_arguments_do_not_matter() -> None:
    garbage = ASPECTS.masked_fill(~MASK, torch.nan)
    kept = garbage.clone()
    assert torch.equal(reward(garbage), reward())
    torch.testing.assert_close(garbage, kept, equal_nan=True)


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_batch_and_answers_without_columns_are_no_crash(mode: str) -> None:
    assert reward(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, 4).bool(), mode=mode).shape == (0, 4)
    assert reward(torch.zeros(2, 0), torch.zeros(2), torch.zeros(2, 0).bool(), mode=mode).shape == (2, 0)


def test_half_precision_keeps_its_type_and_gates_on_the_exact_score() -> None:
    """0.599 is 0.6 in bfloat16: the gate looks at the score before it is rounded."""
    out = reward(torch.ones(1, 3).bfloat16(), torch.tensor([0.599]), torch.ones(1, 3).bool())
    assert out.dtype == torch.bfloat16 and out[0, :2].tolist() == [0, 0]


finite = st.floats(-5, 5, width=32)


@st.composite
def answers(draw: st.DrawFn, low: float = -5.0) -> tuple[Tensor, Tensor]:
    """Aspects and the mask of one answer, with padding on both sides."""
    length, left, right = draw(st.integers(1, 6)), draw(st.integers(0, 2)), draw(st.integers(0, 2))
    values = draw(st.lists(st.floats(low, 5, width=32), min_size=length, max_size=length))
    aspects, mask = torch.zeros(1, left + length + right), torch.zeros(1, left + length + right).bool()
    aspects[0, left : left + length], mask[0, left : left + length] = torch.tensor(values), True
    return aspects, mask


@given(answers(), finite, finite, finite, st.sampled_from(MODES))
def test_a_better_holistic_score_never_lowers_the_reward_within_a_zone(
    answer: tuple[Tensor, Tensor], first: float, second: float, threshold: float, mode: str
) -> None:
    worse, better = sorted((first, second))
    if (worse >= threshold) != (better >= threshold):
        threshold = -6.0  # both in the upper zone
    aspects, mask = answer
    low, high = (
        reward(aspects, torch.tensor([score]), mask, threshold=threshold, mode=mode)
        for score in (worse, better)
    )
    assert (high >= low).all()


@given(answers(low=0.0), finite, finite, finite)
def test_crossing_the_threshold_upward_never_pays_less_with_positive_aspects(
    answer: tuple[Tensor, Tensor], first: float, second: float, threshold: float
) -> None:
    worse, better = sorted((first, second))
    aspects, mask = answer
    low, high = (
        reward(aspects, torch.tensor([score]), mask, threshold=threshold) for score in (worse, better)
    )
    assert (high >= low).all()


@given(answers(), finite, finite)
def test_the_hierarchy_is_one_of_two_baselines_on_either_side_of_the_threshold(
    answer: tuple[Tensor, Tensor], score: float, threshold: float
) -> None:
    aspects, mask = answer
    holistic = torch.tensor([score])
    upper = bool(passes(holistic, mask, threshold))
    expected = reward(aspects, holistic, mask, mode="weighted_sum" if upper else "holistic_only")
    assert torch.equal(reward(aspects, holistic, mask, threshold=threshold), expected)


def test_sigmoid_shaping_by_hand_on_numbers_arrays_and_tensors() -> None:
    assert sigmoid_shaping(0.0) == 0.5
    assert sigmoid_shaping(-0.3) == pytest.approx(0.42555748)  # 1 / (1 + e^0.3)
    assert sigmoid_shaping(-1000.0) == 0.0 and sigmoid_shaping(1000.0) == 1.0
    np.testing.assert_allclose(sigmoid_shaping(np.array([[0.0, 0.5]])), [[0.5, 0.62245933]])
    torch.testing.assert_close(sigmoid_shaping(torch.tensor([0.0, 0.5])), torch.tensor([0.5, 0.62245933]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": "sum"}, "mode 'sum'"),
        ({"threshold": float("nan")}, "threshold nan"),
        ({"holistic_weight": -1.0}, "holistic_weight -1.0"),
        ({"mask": MASK.long()}, "response_mask int64 [5, 5]"),
        ({"mask": MASK[:, :4]}, "response_mask bool [5, 4]"),
        ({"aspects": ASPECTS.long()}, "aspect_rewards int64 [5, 5]"),
        ({"holistic": HOLISTIC[:2]}, "holistic float32 [2]"),
        ({"holistic": HOLISTIC * torch.nan}, "a holistic score that is not finite"),
        ({"aspects": ASPECTS / 0}, "an aspect reward that is not finite"),
    ],
)
def test_what_cannot_be_used_is_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        reward(**change)
    assert said in caught.value.got


def test_all_settings_are_listed_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        reward(mode="sum", holistic_weight=-1.0)
    assert caught.value.got == "mode 'sum'; holistic_weight -1.0"
