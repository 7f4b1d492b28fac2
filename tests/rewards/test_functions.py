"""Plain functions as rewards: asked by the names of their parameters, and refused where these say nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from workbench.core.errors import DataError, SettingsError
from workbench.rewards import FunctionReward, LengthReward, Sample, Span, whole
from workbench.rewards.functions import as_reward
from workbench.rewards.spans import read_spans

SAMPLES = [Sample("p", "a b", {"k": 3, "own": 0}), Sample("q", "", {"k": 4})]


def values(function: Any) -> list[float]:
    return [row[0].value for row in FunctionReward(function)(SAMPLES)]


def columns(prompts: Any, completions: Any, **given: Any) -> Any:
    """Take what TRL's trainers give a reward."""
    assert set(given) == {"k"}, "what all samples have"
    return [len(text) + k for text, k in zip(completions, given["k"], strict=True)]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda sample: len(sample.response), [3, 0]),
        (lambda response: -len(response), [-3, 0]),
        (lambda completion, prompt: len(completion) + len(prompt), [4, 1]),
        (lambda response, metadata: metadata["k"], [3, 4]),
        (lambda samples: [len(one.response) for one in samples], [3, 0]),
        (lambda prompts, responses: torch.tensor([1.5, 2.5]), [1.5, 2.5]),
        (lambda samples, weight=2.0: np.array([weight, 1.0], np.float32), [2, 1]),
        (columns, [6, 4]),
    ],
)
def test_a_function_is_asked_what_its_parameters_name(function: Any, expected: list[float]) -> None:
    assert values(function) == expected


def test_spans_of_a_function_stay_as_they_are_and_numbers_are_for_whole_responses() -> None:
    spans = FunctionReward(lambda sample: [Span(0, 1, 2.0)] if sample.response else 1)(SAMPLES)
    assert spans == [[Span(0, 1, 2.0)], [Span(0, 0, 1.0)]]


@pytest.mark.parametrize(
    "function",
    [lambda x: 1.0, lambda sample, other: 1.0, lambda: 1.0, lambda sample, prompts: 1.0, print, len],
)
def test_a_function_whose_parameters_say_nothing_is_refused(function: Any) -> None:
    with pytest.raises(SettingsError, match=r"as a reward[\s\S]*f\(sample\)"):
        as_reward(function)


def test_rewards_stay_as_they_are_and_what_is_none_is_refused() -> None:
    reward = LengthReward()
    assert as_reward(reward) is reward
    assert as_reward(lambda sample: 1.0).name == "<lambda>"
    for wrong, fix in ((LengthReward, "an instance"), ("length", "one of these"), (None, "one of these")):
        with pytest.raises(SettingsError, match=fix):
            as_reward(wrong)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "gave a NoneType"),
        (1.0, "gave a float"),
        ("ab", "gave a str"),
        ([1.0], "spans for 1 of 2"),
        ([1.0, None], "row 1: None for the response '' to 'q'"),
        ([float("nan"), 1.0], "row 0: nan for the response 'a b' to 'p'"),
        ([1.0, np.inf], "row 1: inf"),
        ([1.0, "high"], "row 1: 'high'"),
        ([1.0, [Span(0, 0, 1.0), 2.0]], r"row 1: \[Span"),
        ([torch.ones(2), 1.0], "row 0: tensor"),
    ],
)
def test_what_is_no_value_for_each_response_is_refused_with_its_row(given: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_spans(given, SAMPLES, "mine")


def test_a_span_beyond_its_response_and_a_value_that_is_no_number_are_named() -> None:
    with pytest.raises(DataError, match=r"'mine', row 1: a span 0:1 beyond the 0 characters"):
        read_spans([[], [Span(0, 1, 1.0)]], SAMPLES, "mine")
    for value in (None, float("nan"), "1"):
        with pytest.raises(SettingsError, match="for the response 'a b' to 'p'"):
            whole(SAMPLES[0], value)  # type: ignore[arg-type]
