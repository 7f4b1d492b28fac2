"""Rewards that cost nothing, by hand."""

from __future__ import annotations

import pytest

from workbench.core.errors import SettingsError
from workbench.rewards.baselines import LengthReward, OracleReward, free_baselines
from workbench.rewards.pair_scores import BASELINES
from workbench.rewards.scoring import reward_values

TEXTS = [("p", "four"), ("p", ""), ("p", "größer")]


def test_length_counts_characters() -> None:
    assert reward_values(LengthReward(), TEXTS).tolist() == [4.0, 0.0, 6.0]
    assert reward_values(LengthReward("shorter"), TEXTS).tolist() == [-4.0, 0.0, -6.0]


def test_an_oracle_sees_prompt_and_response() -> None:
    oracle = OracleReward(lambda prompt, response: float(response.count(prompt)))
    assert reward_values(oracle, [("a", "banana"), ("b", "banana")]).tolist() == [3.0, 1.0]


def test_the_names_are_those_of_the_tables() -> None:
    assert tuple(free_baselines()) == BASELINES[2:]
    assert all(reward.name == name for name, reward in free_baselines().items())


def test_an_unknown_preference_is_refused() -> None:
    with pytest.raises(SettingsError, match="prefer 'middle'"):
        LengthReward("middle")
