"""Best-of-N by hand and by listing every choice of n samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import GeneratorError, SettingsError
from workbench.core.statistics import bootstrap_interval, pass_at_k
from workbench.generators.answer import NO_ANSWER
from workbench.generators.completion import Completion, Prompt
from workbench.generators.sampling import sample_seed
from workbench.rewards.baselines import LengthReward, OracleReward
from workbench.rewards.best_of_n import (
    PromptSamples,
    best_of_n,
    best_of_n_curve,
    best_of_n_value,
    pick_probabilities,
    sample_responses,
)


def test_probabilities_by_hand() -> None:
    # of the 3 choices of 2 of 3 the best is the highest in 2, the middle one in 1
    assert pick_probabilities([1.0, 3.0, 2.0], 2).tolist() == pytest.approx([0, 2 / 3, 1 / 3])
    # two share the top: 2 of 3 choices hold just one of them, 1 both; each is picked half of the time
    assert pick_probabilities([5.0, 5.0, 1.0], 2).tolist() == pytest.approx([0.5, 0.5, 0])
    assert pick_probabilities([7.0], 1).tolist() == [1.0]


small = st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5)), min_size=1, max_size=7)


@settings(max_examples=60)
@given(small, st.data())
def test_the_value_is_the_mean_over_every_choice(samples: list[tuple[int, int]], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(samples)))
    rewards, truths = zip(*samples, strict=True)
    picked = []
    for choice in combinations(range(len(samples)), n):
        top = max(rewards[k] for k in choice)
        picked.append(np.mean([truths[k] for k in choice if rewards[k] == top]))
    assert best_of_n_value(rewards, truths, n) == pytest.approx(np.mean(picked), abs=1e-12)


@given(small, st.data())
def test_probabilities_are_a_distribution_and_ties_are_even(
    samples: list[tuple[int, int]], data: st.DataObject
) -> None:
    rewards = np.array([reward for reward, _ in samples])
    found = pick_probabilities(rewards, data.draw(st.integers(1, len(samples))))
    assert found.sum() == pytest.approx(1.0)
    for level in set(rewards.tolist()):
        assert len(set(found[rewards == level].tolist())) == 1


def test_picking_by_correctness_is_pass_at_k() -> None:
    correct = [1, 0, 0, 1, 0, 0]
    for n in (1, 2, 4, 6):
        assert best_of_n_value(correct, correct, n) == pytest.approx(pass_at_k(6, 2, n), abs=1e-12)


def test_many_samples_are_exact() -> None:
    rewards = np.arange(2000.0)
    # uniform over all: E[max of n] of 0..N-1 without replacement is n (N + 1) / (n + 1) - 1
    assert best_of_n_value(rewards, rewards, 500) == pytest.approx(500 * 2001 / 501 - 1, rel=1e-12)


def test_the_estimate_is_unbiased() -> None:
    generator = np.random.default_rng(0)
    values = [best_of_n_value(one, one, 4) for one in generator.random((4000, 6))]
    assert np.mean(values) == pytest.approx(4 / 5, abs=0.01)  # the expected maximum of four uniform numbers


def test_a_constant_reward_picks_at_random_and_a_contrary_one_the_worst() -> None:
    truths = [0.0, 1.0, 5.0]
    assert best_of_n_value([2.0, 2.0, 2.0], truths, 3) == pytest.approx(2.0)
    assert best_of_n_value([0.0, -1.0, -5.0], truths, 3) == 0.0


def test_a_curve_averages_problems_of_different_sizes() -> None:
    rewards, truths = [[1.0, 2.0], [1.0, 2.0, 3.0]], [[0.0, 1.0], [0.0, 0.0, 3.0]]
    curve = best_of_n_curve(rewards, truths)
    assert [point.n for point in curve] == [1, 2]
    assert [point.value for point in curve] == pytest.approx([(0.5 + 1) / 2, (1 + 2) / 2])
    assert (curve[1].low, curve[1].high) == bootstrap_interval([1.0, 2.0])
    assert curve[1].problems == 2


def test_samples_are_scored_picked_and_compared_with_what_could_be_picked() -> None:
    samples = [PromptSamples("p", ("aaa", "a", "aaaa")), PromptSamples("q", ("a", "aa"))]
    truth = OracleReward(lambda prompt, response: -float(len(response)))
    found = best_of_n(samples, LengthReward(), truth, ns=[1, 2])
    assert [one.tolist() for one in found.rewards] == [[3.0, 1.0, 4.0], [1.0, 2.0]]
    assert found.curve[1].value == pytest.approx((-(4 * 2 + 3) / 3 - 2) / 2)
    assert found.best[1].value == pytest.approx((-(1 * 2 + 3) / 3 - 1) / 2)
    assert found.gains[0].value == 0
    assert found.gains[1].value == pytest.approx(found.curve[1].value - found.curve[0].value)


def test_one_problem_is_enough() -> None:
    found = best_of_n([PromptSamples("p", ("a", "aa"))], LengthReward(), LengthReward())
    assert [point.value for point in found.curve] == [1.5, 2.0]


class Echo:
    name = fingerprint = "echo"

    def __init__(self, refused: str = "") -> None:
        self.refused = refused

    def complete(self, prompts: Sequence[str]) -> list[str]:
        return list(prompts)

    def count_tokens(self, text: str) -> int:
        return len(text)

    def as_known(self, prompts: Sequence[Prompt]) -> Iterator[tuple[int, Completion]]:
        for place, prompt in reversed(list(enumerate(prompts))):
            missing = prompt.text == self.refused
            yield (
                place,
                Completion("", NO_ANSWER, "no") if missing else Completion(f"{prompt.text} {prompt.seed}"),
            )


def test_any_generator_gives_samples_each_by_its_own_seed() -> None:
    seeds = [[sample_seed(3, number, sample) for sample in range(2)] for number in range(2)]
    assert sample_responses(Echo(), ["p", "q"], 2, seed=3) == [
        PromptSamples(prompt, (f"{prompt} {one}", f"{prompt} {two}"))
        for prompt, (one, two) in zip("pq", seeds, strict=True)
    ]
    with pytest.raises(GeneratorError, match="no answer to 2 of 4 prompts"):
        sample_responses(Echo(refused="q"), ["p", "q"], 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda: pick_probabilities([1.0, 2.0], 3),
        lambda: pick_probabilities([1.0], 0),
        lambda: pick_probabilities([np.nan], 1),
        lambda: best_of_n_value([1.0], [1.0, 2.0], 1),
        lambda: best_of_n_curve([], []),
        lambda: best_of_n_curve([[1.0]], [[1.0]], [2]),
        lambda: best_of_n([], LengthReward(), LengthReward()),
    ],
)
def test_what_cannot_be_computed_is_refused(call: object) -> None:
    with pytest.raises(SettingsError):
        call()  # type: ignore[operator]
