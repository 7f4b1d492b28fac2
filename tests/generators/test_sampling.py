"""Sampling with a seed an answer: the right probabilities, whatever else is in the batch."""

from __future__ import annotations

import pytest

from workbench.generators import sampling
from workbench.generators.sampling import sample_seed, uniform_numbers

torch = pytest.importorskip("torch")


def draw(logits: list[float], seeds: list[int], *, temperature: float = 1.0, top_p: float = 1.0) -> list[int]:
    uniforms = torch.tensor([uniform_numbers(seed, 2)[0] for seed in seeds])
    scores = torch.tensor([logits] * len(seeds))
    return sampling.draw(scores, uniforms, temperature=temperature, top_p=top_p).tolist()


def shares(tokens: list[int], count: int) -> list[float]:
    return [tokens.count(token) / len(tokens) for token in range(count)]


def test_tokens_are_drawn_by_their_probability() -> None:
    logits = torch.tensor([0.2, 0.5, 0.3]).log().tolist()
    assert shares(draw(logits, list(range(20_000))), 3) == pytest.approx([0.2, 0.5, 0.3], abs=0.015)


def test_temperature_sharpens() -> None:
    # Probabilities 0.2, 0.8 squared and normalised: 0.04 / 0.68, 0.64 / 0.68.
    logits = torch.tensor([0.2, 0.8]).log().tolist()
    got = shares(draw(logits, list(range(20_000)), temperature=0.5), 2)
    assert got == pytest.approx([0.0588, 0.9412], abs=0.01)


def test_top_p_keeps_the_fewest_tokens_that_reach_it() -> None:
    # 0.5 alone does not reach 0.7, and with 0.3 does: the last token is out, the rest 5 : 3.
    logits = torch.tensor([0.2, 0.5, 0.3]).log().tolist()
    got = shares(draw(logits, list(range(20_000)), top_p=0.7), 3)
    assert got == pytest.approx([0.0, 0.625, 0.375], abs=0.015)
    assert set(draw(logits, list(range(50)), top_p=0.01)) == {1}


def test_a_row_draws_the_same_alone_as_in_company() -> None:
    logits = [0.0] * 50
    assert [draw(logits, [seed])[0] for seed in (5, 9, 2)] == draw(logits, [5, 9, 2])


def test_a_nucleus_beyond_the_likeliest_is_looked_for_in_the_whole_vocabulary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logits = torch.linspace(0, 3, 40)[torch.randperm(40, generator=torch.Generator().manual_seed(1))].tolist()
    seeds = list(range(200))
    whole = {top_p: draw(logits, seeds, top_p=top_p) for top_p in (0.05, 0.5, 1.0)}
    monkeypatch.setattr(sampling, "_LIKELIEST", 3)
    assert {top_p: draw(logits, seeds, top_p=top_p) for top_p in whole} == whole


def test_seeds_differ_by_run_problem_and_sample() -> None:
    seeds = {
        sample_seed(run, problem, sample) for run in range(3) for problem in range(30) for sample in range(3)
    }
    assert len(seeds) == 270
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert sample_seed(0, 0, 0) == sample_seed(0, 0, 0)
