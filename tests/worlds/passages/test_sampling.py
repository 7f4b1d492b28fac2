"""Samples of a policy, and the preference pairs that they make."""

import pytest
import torch

from workbench.core.errors import SettingsError
from workbench.worlds.passages import SPLITS, draw_task, make_tokenizer, utility
from workbench.worlds.passages.pretrain import PassagePretrainingSettings, make_model
from workbench.worlds.passages.sampling import Candidates, all_pairs, draw_pairs, sample_answers

FEW = [
    Candidates("p1", ("good", "bad", "good", "poor"), (1.0, 0.2, 1.0, 0.5)),
    Candidates("p2", ("same", "alike"), (0.5, 0.5)),
    Candidates("p3", ("better", "worse"), (0.9, 0.1)),
]


def words(pairs):
    return [(pair.prompt, pair.chosen, pair.rejected) for pair in pairs]


def test_all_pairs_are_those_of_different_utility_as_often_as_they_were_sampled():
    assert words(all_pairs(FEW, "test")) == [
        ("p1", "good", "bad"),
        ("p1", "good", "poor"),
        ("p1", "good", "bad"),
        ("p1", "poor", "bad"),
        ("p1", "good", "poor"),
        ("p3", "better", "worse"),
    ]


def test_drawn_pairs_are_one_a_prompt_and_right_without_flips():
    drawn = words(draw_pairs(FEW, 2, source="test", seed=3))
    assert sorted(prompt for prompt, _, _ in drawn) == ["p1", "p3"]
    assert set(drawn) <= set(words(all_pairs(FEW, "test")))
    assert drawn == words(draw_pairs(FEW, 2, source="test", seed=3))


def test_flips_turn_the_labels_of_the_same_pairs():
    many = [Candidates(f"p{i}", ("good", "fair", "bad"), (1.0, 0.5, 0.0)) for i in range(400)]
    clean = words(draw_pairs(many, 400, source="test", seed=5))
    noisy = words(draw_pairs(many, 400, source="test", seed=5, flipped=0.2))
    turned = [(prompt, rejected, chosen) for prompt, chosen, rejected in clean]
    assert all(pair in (right, wrong) for pair, right, wrong in zip(noisy, clean, turned, strict=True))
    flipped = sum(pair == wrong for pair, wrong in zip(noisy, turned, strict=True))
    assert 50 <= flipped <= 110  # 80 expected, 8 the standard deviation


@pytest.mark.parametrize(("count", "flipped", "said"), [(3, 0.0, "2 prompts"), (1, 0.7, "0.7")])
def test_what_cannot_be_drawn_is_refused(count, flipped, said):
    with pytest.raises(SettingsError, match=said):
        draw_pairs(FEW, count, source="test", flipped=flipped)


def test_samples_belong_to_their_prompts_and_only_the_seed_decides():
    import random

    model = make_model(PassagePretrainingSettings(width=16, layers=1, heads=2, mlp=16)).eval()
    source = random.Random(0)
    prompts = [draw_task(SPLITS[name], source).prompt for name in ("longer", "familiar", "longer")]
    state = torch.get_rng_state()

    def answered(seed, batch_size=512):
        asked = {"samples": 2, "seed": seed, "batch_size": batch_size, "progress": False}
        return sample_answers(model, make_tokenizer(), prompts, **asked)

    found = answered(0)
    assert [one.prompt for one in found] == prompts
    assert all(one.utilities == tuple(utility(one.prompt, text) for text in one.responses) for one in found)
    assert {len(one.responses) for one in found} == {2}
    assert found == answered(0)
    assert found != answered(1)
    assert [one.prompt for one in answered(0, batch_size=2)] == prompts
    assert torch.equal(torch.get_rng_state(), state)
