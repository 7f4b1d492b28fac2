"""PPO's losses by hand, and the distribution they are about."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from workbench.core.errors import SettingsError
from workbench.training.ppo import (
    allowed_log_softmax,
    chosen_logps,
    entropy,
    policy_loss,
    token_kl,
    value_loss,
)

MASK = torch.tensor([[1, 1, 1, 0]]).bool()


def test_the_policy_loss_by_hand() -> None:
    """Ratios 1.5, 0.5 and 1.1 with advantages 1, 1 and -2: only the first is clipped, at 1.2."""
    old = torch.tensor([[-1.0, -1.0, -1.0, torch.nan]])
    new = (old + torch.tensor([[1.5, 0.5, 1.1, 1.0]]).log()).requires_grad_()
    found = policy_loss(new, old, torch.tensor([[1.0, 1.0, -2.0, torch.nan]]), MASK, clip=0.2)
    assert found.loss.item() == pytest.approx((-1.2 - 0.5 + 2.2) / 3)
    assert found.clipped.item() == pytest.approx(1 / 3)
    ratios = (1.5, 0.5, 1.1)
    assert found.kl.item() == pytest.approx(sum(r - 1 - math.log(r) for r in ratios) / 3)
    (gradient,) = torch.autograd.grad(found.loss, new)
    torch.testing.assert_close(gradient, torch.tensor([[0.0, -0.5 / 3, 2.2 / 3, 0.0]]))


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected"),
    [(0.5, -1.0, 0.8), (1.5, -1.0, 1.5), (0.5, 1.0, -0.5), (1.5, 1.0, -1.2), (1.0, 3.0, -3.0)],
)
def test_the_clip_is_pessimistic_on_both_sides(ratio: float, advantage: float, expected: float) -> None:
    one = torch.ones(1, 1)
    found = policy_loss(one * math.log(ratio), 0 * one, one * advantage, one.bool(), clip=0.2)
    assert found.loss.item() == pytest.approx(expected)


def test_at_the_old_policy_the_gradient_is_the_policy_gradient() -> None:
    logps = torch.randn(2, 3, requires_grad=True)
    advantages, mask = torch.randn(2, 3), torch.ones(2, 3).bool()
    found = policy_loss(logps, logps.detach(), advantages, mask)
    (gradient,) = torch.autograd.grad(found.loss, logps)
    torch.testing.assert_close(gradient, -advantages / 6)
    assert found.clipped == 0 and found.kl == 0


def test_minibatches_add_up_to_their_batch() -> None:
    new, old, advantages = torch.randn(3, 3, 4).unbind()
    mask = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]]).bool()
    for loss in (policy_loss, value_loss):
        parts = [
            loss(new[k : k + 1], old[k : k + 1], advantages[k : k + 1], mask[k : k + 1], tokens=5)
            for k in range(3)
        ]
        whole = loss(new, old, advantages, mask)
        torch.testing.assert_close(torch.stack([part.loss for part in parts]).sum(), whole.loss)
        torch.testing.assert_close(torch.stack([part.clipped for part in parts]).sum(), whole.clipped)


def test_the_value_loss_by_hand() -> None:
    """V 2, old 1, R 3: clipped to 1.2, error 1.8 > 1. V 2, old 1, R 1: error 1 > 0.2. V 1.1: no clip."""
    values = torch.tensor([[2.0, 2.0, 1.1, 0.0]], requires_grad=True)
    old, returns = torch.tensor([[1.0, 1.0, 1.0, torch.nan]]), torch.tensor([[3.0, 1.0, 2.1, torch.nan]])
    found = value_loss(values, old, returns, MASK, clip=0.2)
    assert found.loss.item() == pytest.approx((1.8**2 + 1 + 1) / 3 / 2)
    assert found.clipped.item() == pytest.approx(1 / 3)
    (gradient,) = torch.autograd.grad(found.loss, values)
    torch.testing.assert_close(gradient, torch.tensor([[0.0, 1 / 3, -1 / 3, 0.0]]))
    plain = value_loss(values, old, returns, MASK, clip=math.inf)
    assert plain.loss.item() == pytest.approx((1 + 1 + 1) / 3 / 2) and plain.clipped == 0


def test_a_banned_token_is_banned_in_the_log_softmax_too() -> None:
    """Two policies that agree on what may be sampled, and differ by the mass on a banned token: no KL to farm."""
    reference = torch.tensor([[[1.0, 2.0, 0.5, 0.0]]])
    policy = reference + torch.tensor([0.0, 0.0, 0.0, 5.0])  # moved onto the banned token
    allowed = torch.tensor([True, True, True, False])
    probabilities = allowed_log_softmax(policy, allowed).exp()
    torch.testing.assert_close(
        probabilities, torch.softmax(torch.tensor([[[1.0, 2.0, 0.5, -torch.inf]]]), -1)
    )
    assert probabilities[..., 3] == 0

    mask = torch.ones(1, 1).bool()
    for token in range(3):
        tokens = torch.tensor([[token]])
        logps, before = (
            chosen_logps(allowed_log_softmax(x, allowed), tokens, mask) for x in (policy, reference)
        )
        assert token_kl(logps, before, mask).item() == pytest.approx(0, abs=1e-6)
        farmed = policy.log_softmax(-1)[0, 0, token] - reference.log_softmax(-1)[0, 0, token]
        assert farmed < -2  # what the bug would have paid


def test_a_banned_token_gets_no_gradient_and_makes_no_nan() -> None:
    logits = torch.randn(1, 2, 4, requires_grad=True)
    allowed = torch.tensor([[[True, True, True, False], [False, True, True, True]]])
    log_probs = allowed_log_softmax(logits, allowed, temperature=0.7)
    mask = torch.ones(1, 2).bool()
    loss = chosen_logps(log_probs, torch.tensor([[0, 1]]), mask).sum() + entropy(log_probs, mask).sum()
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(gradient).all() and gradient[0, 0, 3] == 0 and gradient[0, 1, 0] == 0
    assert gradient[0, 0, 0] != 0


def test_a_token_that_could_not_have_been_sampled_is_said() -> None:
    allowed = torch.tensor([True, False])
    log_probs = allowed_log_softmax(torch.zeros(1, 2, 2), allowed)
    tokens = torch.tensor([[0, 1]])
    with pytest.raises(SettingsError, match="token 1 in row 0, column 1, which is banned"):
        chosen_logps(log_probs, tokens, torch.ones(1, 2).bool())
    kept = chosen_logps(log_probs, torch.tensor([[0, -100]]), torch.tensor([[True, False]]))
    assert kept.tolist() == [[0, 0]]


def test_the_temperature_is_that_of_sampling() -> None:
    logits = torch.tensor([[[0.0, math.log(2)]]])
    warm = allowed_log_softmax(logits, temperature=0.5).exp()  # weights 1 and 2^2
    torch.testing.assert_close(warm, torch.tensor([[[0.2, 0.8]]]))
    assert allowed_log_softmax(logits.half()).dtype == torch.float32
    assert allowed_log_softmax(logits.double()).dtype == torch.float64


def test_entropy_by_hand() -> None:
    logits = torch.tensor([[[0.0, 0.0, 9.0], [0.0, 0.0, 0.0], [0.0, 1.0, 2.0]]])
    allowed = torch.tensor([[[True, True, False], [True] * 3, [True] * 3]])
    mask = torch.tensor([[1, 1, 0]]).bool()
    found = entropy(allowed_log_softmax(logits, allowed), mask)
    torch.testing.assert_close(found, torch.tensor([[math.log(2), math.log(3), 0.0]]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": 0.0}, "temperature 0.0"),
        ({"allowed": torch.zeros(2).bool()}, "nothing allowed"),
        ({"allowed": torch.ones(3).bool()}, r"allowed torch.bool \[3\]"),
        ({"allowed": torch.ones(2)}, r"allowed torch.float32 \[2\]"),
    ],
)
def test_a_distribution_that_cannot_be_is_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        allowed_log_softmax(torch.zeros(1, 1, 2), **options)


@pytest.mark.parametrize("loss", [policy_loss, value_loss])
def test_losses_say_what_does_not_fit(loss: Any) -> None:
    good, mask = torch.zeros(1, 2), torch.ones(1, 2).bool()
    with pytest.raises(SettingsError, match="clip 0"):
        loss(good, good, good, mask, clip=0)
    with pytest.raises(SettingsError, match=r"mask: bool"):
        loss(good, good, good, mask.float())
    with pytest.raises(SettingsError, match=r"\[1, 3\]"):
        loss(good, good, torch.zeros(1, 3), mask)
