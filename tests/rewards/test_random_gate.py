"""A gate that opens by chance: on either side it is one of the named modes."""

import pytest
import torch

from workbench.core.errors import SettingsError
from workbench.rewards import HierarchicalReward, HierarchySettings, RandomGateReward, Sample, Span, whole


class Fixed:
    """The same value for every response, or for each of its two halves."""

    def __init__(self, name, value, *, halves=False):
        self.name, self.value, self.halves = name, value, halves

    def __call__(self, samples):
        def spans(sample):
            if not self.halves:
                return [whole(sample, self.value)]
            middle, end = len(sample.response) // 2, len(sample.response)
            return [Span(0, middle, self.value), Span(middle, end, self.value)]

        return [spans(sample) for sample in samples]


def rewards(kind, **options):
    made = kind(Fixed("holistic", 0.3), [Fixed("aspect", 2.0, halves=True), Fixed("watched", 5.0)], **options)
    samples = [Sample("p", "abcd")] * 200
    offsets = torch.tensor([[[0, 1], [1, 2], [2, 3], [3, 4]]] * 200)
    mask = torch.ones(200, 4, dtype=torch.bool)
    scored = made.score(samples)
    return made.on_tokens(scored, offsets, mask), scored


def settings(mode="weighted_sum"):
    return HierarchySettings(mode=mode, holistic_weight=1.0, aspect_weights={"aspect": 0.5, "watched": 0.0})


def test_each_row_is_paid_as_one_of_two_modes():
    paid, scored = rewards(RandomGateReward, settings=settings(), rate=0.25, seed=0)
    opened, _ = rewards(HierarchicalReward, settings=settings())
    shut, _ = rewards(HierarchicalReward, settings=settings("holistic_only"))
    is_open = (paid == opened).all(1)
    assert torch.equal(paid[~is_open], shut[~is_open])
    assert 25 <= int(is_open.sum()) <= 75  # four standard deviations about 50
    # what weighs nothing pays nothing, and is scored all the same
    assert torch.allclose(opened[0], torch.tensor([0.0, 0.4404, 0.0, 0.4404 + 0.3]), atol=1e-4)
    assert scored.aspect_scores()["watched"][0] == 5.0


def test_a_batch_draws_the_same_whatever_came_before_it_and_another_batch_anew():
    offsets, mask = torch.tensor([[[0, 1]] * 4] * 64), torch.ones(64, 4, dtype=torch.bool)

    def paid(*batches, seed=3):
        made = RandomGateReward(
            Fixed("h", 0.3), [Fixed("aspect", 2.0)], HierarchySettings(), rate=0.5, seed=seed
        )
        return [made.on_tokens(made.score([Sample("p", text)] * 64), offsets, mask) for text in batches]

    first, second = paid("abcd", "abce")
    assert not torch.equal(first, second)
    (resumed,) = paid("abce")
    assert torch.equal(resumed, second)
    assert not torch.equal(paid("abcd", seed=4)[0], first)


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_is_a_chance(rate):
    with pytest.raises(SettingsError, match="a chance from 0 to 1"):
        RandomGateReward(Fixed("h", 1.0), [], HierarchySettings(), rate=rate, seed=0)
