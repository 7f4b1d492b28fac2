"""What takes part in PPO, and GAE: by hand, and against a plain loop."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from workbench.core.errors import SettingsError
from workbench.rewards import hierarchical_reward
from workbench.training.ppo import (
    generalized_advantages,
    masked_mean,
    penalized_rewards,
    policy_loss,
    sampled_mask,
    value_loss,
    whiten,
)

END, PAD = 1, 0


def test_two_tokens_by_hand() -> None:
    # delta_1 = 2 - 0.5 = 1.5; delta_0 = 1 + 0.9 * 0.5 - 0.2 = 1.25; A_0 = 1.25 + 0.9 * 0.8 * 1.5
    rewards, values = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.2, 0.5]])
    found = generalized_advantages(rewards, values, torch.ones(1, 2).bool(), gamma=0.9, lam=0.8)
    torch.testing.assert_close(found.advantages, torch.tensor([[2.33, 1.5]]))
    torch.testing.assert_close(found.returns, torch.tensor([[2.53, 2.0]]))


def test_lambda_1_is_the_whole_return_and_lambda_0_one_step() -> None:
    rewards, values = torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[3.0, 5.0, 1.0]])
    mask = torch.ones(1, 3).bool()
    whole = generalized_advantages(rewards, values, mask, gamma=0.5, lam=1.0)
    torch.testing.assert_close(whole.returns, torch.tensor([[3.0, 4.0, 4.0]]))
    step = generalized_advantages(rewards, values, mask, gamma=1.0, lam=0.0)
    torch.testing.assert_close(step.advantages, torch.tensor([[3.0, -2.0, 3.0]]))


def plain_gae(rewards: list[float], values: list[float], gamma: float, lam: float) -> list[float]:
    """Return the definition: a sum over all later tokens."""
    after = [*values, 0.0][1:]
    deltas = [r + gamma * n - v for r, v, n in zip(rewards, values, after, strict=True)]
    return [sum((gamma * lam) ** k * delta for k, delta in enumerate(deltas[t:])) for t in range(len(deltas))]


numbers = st.floats(-3, 3, width=32)
shares = st.floats(0, 1, width=32)


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.booleans(), numbers, numbers), max_size=8), max_size=4), shares, shares)
def test_any_mask_is_the_definition_on_what_takes_part(
    rows: list[list[tuple[bool, float, float]]], gamma: float, lam: float
) -> None:
    """Padding left and right, holes, empty rows: as if only the tokens on the mask were there."""
    width = max(map(len, rows), default=0) + 1
    mask = torch.zeros(len(rows), width).bool()
    rewards, values = torch.full((2, len(rows), width), torch.nan).unbind()
    for row, tokens in enumerate(rows):
        for column, (real, reward, value) in enumerate(tokens):
            mask[row, column], rewards[row, column], values[row, column] = real, reward, value
    found = generalized_advantages(rewards, values, mask, gamma=gamma, lam=lam).advantages
    for row in range(len(rows)):
        held = mask[row]
        expected = plain_gae(rewards[row, held].tolist(), values[row, held].tolist(), gamma, lam)
        torch.testing.assert_close(found[row, held], torch.tensor(expected), atol=1e-4, rtol=1e-4)
    assert not found[~mask].any()


def test_a_forced_end_gets_neither_reward_nor_gradient() -> None:
    """An end token put there at the length limit was no choice: the first row's is forced, the second's is its own.

    Its advantage would teach the policy to stop, or not to, for what the limit did.
    """
    ids = torch.tensor([[5, 6, 7, END], [5, 6, 7, END]])
    forced = torch.tensor([[0, 0, 0, 1], [0, 0, 0, 0]]).bool()
    mask = sampled_mask(ids, END, forced)
    assert mask.tolist() == [[True, True, True, False], [True] * 4]

    rewards = hierarchical_reward(torch.zeros(2, 4), torch.ones(2), mask, threshold=0.0, holistic_weight=5.0)
    assert rewards.tolist() == [[0, 0, 5, 0], [0, 0, 0, 5]]

    logps, values = torch.zeros(2, 2, 4, requires_grad=True).unbind()
    advantages, returns = generalized_advantages(rewards, values.detach(), mask)
    assert advantages[0, 3] == 0 and returns[0, 3] == 0
    loss = policy_loss(logps, logps.detach(), advantages, mask).loss
    loss = loss + value_loss(values, values.detach(), returns, mask).loss
    by_logps, by_values = torch.autograd.grad(loss, [logps, values])
    for gradient in (by_logps, by_values):
        assert gradient[0, 3] == 0 and gradient[0, 2] != 0 and gradient[1, 3] != 0


def test_padding_after_the_end_does_not_take_part_whatever_token_it_is() -> None:
    """Many models pad with the end token: only the first one was chosen."""
    ids = torch.tensor([[5, END, END, END], [END, PAD, PAD, PAD], [5, 6, 7, 8]])
    assert sampled_mask(ids, END).int().tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]]
    assert sampled_mask(ids, None).all()
    assert sampled_mask(ids[:, :0], END).shape == (3, 0)


@pytest.mark.parametrize("shape", [(1, 3), (2, 0), (0, 3)])
def test_an_answer_of_padding_only_is_no_crash(shape: tuple[int, int]) -> None:
    """The policy ended at once: nothing takes part, nothing is a NaN, and nothing is learned."""
    mask = torch.zeros(shape).bool()
    junk = torch.full(shape, torch.nan)
    rewards = hierarchical_reward(junk, torch.zeros(shape[0]), mask, threshold=0.0, holistic_weight=1.0)
    rewards = penalized_rewards(rewards, junk, mask, coefficient=0.1)
    found = generalized_advantages(rewards, junk, mask)
    assert not found.advantages.any() and not found.returns.any()
    assert not whiten(junk, mask).any()
    new = torch.zeros(shape, requires_grad=True)
    loss = policy_loss(new, junk, junk, mask).loss + value_loss(new, junk, junk, mask).loss
    loss.backward()
    assert loss == 0 and new.grad is not None and not new.grad.any()


def test_a_row_of_padding_changes_nothing_for_the_others() -> None:
    rewards, values = torch.rand(2, 3), torch.rand(2, 3)
    mask = torch.tensor([[1, 1, 1], [0, 0, 0]]).bool()
    both = generalized_advantages(rewards, values, mask).advantages
    alone = generalized_advantages(rewards[:1], values[:1], mask[:1]).advantages
    assert torch.equal(both[:1], alone)
    torch.testing.assert_close(whiten(both, mask)[:1], whiten(alone, mask[:1]))


def test_whitened_values_have_mean_0_and_variance_1_on_the_mask() -> None:
    values = torch.tensor([[1.0, 3.0, 100.0], [torch.nan, 5.0, 7.0]])
    mask = torch.tensor([[1, 1, 0], [0, 1, 1]]).bool()
    # mean 4, variance 5
    expected = torch.tensor([[-3.0, -1.0, 0.0], [0.0, 1.0, 3.0]]) / 5**0.5
    torch.testing.assert_close(whiten(values, mask), expected)
    kept = whiten(values, mask, shift_mean=False)
    torch.testing.assert_close(kept, torch.where(mask, expected + 4, 0.0))
    assert whiten(values, torch.tensor([[1, 0, 0], [0, 0, 0]]).bool()).tolist() == [[0] * 3] * 2


def test_the_penalty_by_hand_and_without_gradient() -> None:
    rewards = torch.tensor([[0.0, 1.0, 9.0]])
    kl = torch.tensor([[2.0, -1.0, 9.0]], requires_grad=True)
    mask = torch.tensor([[1, 1, 0]]).bool()
    paid = penalized_rewards(rewards, kl, mask, coefficient=0.5)
    assert paid.tolist() == [[-1.0, 1.5, 0.0]] and not paid.requires_grad


def test_minibatches_add_up_to_their_batch() -> None:
    values = torch.arange(6.0).reshape(3, 2)
    mask = torch.tensor([[1, 1], [1, 0], [0, 0]]).bool()
    parts = [masked_mean(values[row : row + 1], mask[row : row + 1], tokens=3) for row in range(3)]
    torch.testing.assert_close(torch.stack(parts).sum(), masked_mean(values, mask))
    torch.testing.assert_close(masked_mean(values, mask), torch.tensor(1.0))


def wrong(rewards: Tensor | None = None, values: Tensor | None = None, mask: Tensor | None = None) -> str:
    good = torch.zeros(2, 3)
    with pytest.raises(SettingsError) as caught:
        generalized_advantages(
            good if rewards is None else rewards,
            good if values is None else values,
            torch.ones(2, 3).bool() if mask is None else mask,
        )
    return caught.value.got


def test_what_does_not_fit_is_said() -> None:
    assert "mask torch.int64 [2, 3]" in wrong(mask=torch.ones(2, 3).long())
    assert "rewards torch.int64 [2, 3]" in wrong(rewards=torch.ones(2, 3).long())
    assert "values torch.float32 [2, 4]" in wrong(values=torch.zeros(2, 4))
    with pytest.raises(SettingsError, match="forced: bool"):
        sampled_mask(torch.zeros(1, 2).long(), END, torch.zeros(1, 2))
    for options in ({"gamma": 1.1}, {"lam": -0.1}):
        with pytest.raises(SettingsError, match="between 0 and 1"):
            generalized_advantages(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1).bool(), **options)
