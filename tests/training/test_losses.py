"""The hybrid loss: by hand, against autograd, and its errors."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from workbench.core.errors import SettingsError
from workbench.models.token_logps import sequence_logps
from workbench.training import POLICY_LOSSES, Objective, PairOutputs, grm_loss, hybrid_loss

# Two pairs. Reward margins 1 and -2. Log ratios d: (-10 + 12) - (-11 + 11) = 2 and (-20 + 16) - (-18 + 17) = -3.
REWARDS = ([2.0, -1.0], [1.0, 1.0])
LOGPS = ([-10.0, -20.0], [-12.0, -16.0], [-11.0, -18.0], [-11.0, -17.0])


def softplus(x: float) -> float:
    """`-log sigmoid(-x)`, the plain way."""
    return math.log1p(math.exp(x))


def tensors(dtype: torch.dtype = torch.float64, grad: bool = False) -> list[torch.Tensor]:
    return [torch.tensor(values, dtype=dtype, requires_grad=grad) for values in (*REWARDS, *LOGPS)]


REWARD_LOSS = (softplus(-1.0) + softplus(2.0)) / 2  # 0.313262 and 2.126928: 1.220095

BY_HAND = {
    # beta 0.1: beta * d is 0.2 and -0.3
    "sigmoid": (softplus(-0.2) + softplus(0.3)) / 2,
    "hinge": (0.8 + 1.3) / 2,
    # 1 / (2 beta) = 5: (2 - 5)^2 = 9 and (-3 - 5)^2 = 64
    "ipo": (9.0 + 64.0) / 2,
    "slic": (10.0 + 20.0) / 2,
    # the policy's margins alone, 2 and -4; the values given are averages already
    "simpo": (softplus(-0.2) + softplus(0.4)) / 2,
    # beta * log pi(y_w) is -1 and -2
    "grm-sft": (softplus(1.0) + softplus(2.0)) / 2,
    "grm-noref": (softplus(-0.2) + softplus(0.4)) / 2,
}
REGULARISED = {"sft": "grm-sft", "dpo-noref": "grm-noref", "dpo": "sigmoid"}


@pytest.mark.parametrize("policy_loss", POLICY_LOSSES)
def test_each_hybrid_loss_is_the_one_computed_by_hand(policy_loss: str) -> None:
    loss = hybrid_loss(*tensors(), alpha=0.2, beta=0.1, policy_loss=policy_loss)
    assert loss.policy is not None
    assert loss.reward.item() == pytest.approx(REWARD_LOSS, abs=1e-12)
    assert loss.policy.item() == pytest.approx(BY_HAND[policy_loss], abs=1e-12)
    assert loss.total.item() == pytest.approx(REWARD_LOSS + 0.2 * BY_HAND[policy_loss], abs=1e-12)
    assert loss.total.shape == loss.reward.shape == loss.policy.shape == ()


def test_known_numbers_of_the_hybrid_loss() -> None:
    loss = hybrid_loss(*tensors())
    assert loss.policy is not None
    assert loss.reward.item() == pytest.approx(1.2200948, abs=1e-7)
    assert loss.policy.item() == pytest.approx(0.7262470, abs=1e-7)
    assert loss.total.item() == pytest.approx(1.3653442, abs=1e-7)


def test_a_policy_equal_to_its_reference_and_equal_scores_cost_log_two() -> None:
    zero, logps = torch.zeros(3), torch.tensor([-5.0, -6.0, -7.0])
    loss = hybrid_loss(zero, zero, logps, logps + 1, logps, logps + 1, alpha=1.0)
    assert loss.policy is not None
    assert loss.reward.item() == loss.policy.item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(("regularization", "policy_loss"), REGULARISED.items())
def test_grm_weighs_the_reward_by_what_the_regularisation_leaves(
    regularization: str, policy_loss: str
) -> None:
    given = tensors()
    loss = grm_loss(*given, alpha=0.25, beta=0.1, regularization=regularization)
    assert loss.policy is not None
    assert loss.policy.item() == pytest.approx(BY_HAND[policy_loss], abs=1e-12)
    assert loss.total.item() == pytest.approx(0.75 * REWARD_LOSS + 0.25 * BY_HAND[policy_loss], abs=1e-12)
    trained = Objective(alpha=0.25, beta=0.1, policy_loss=policy_loss, reward_weight=0.75)
    assert torch.equal(trained.loss(PairOutputs(*given)).total, loss.total)


def test_known_numbers_of_grm() -> None:
    """The release's weights: 0.99 * 1.2200948 + 0.01 * (1.3132617 + 2.1269280) / 2."""
    given = tensors()
    assert grm_loss(*given[:3]).total.item() == pytest.approx(1.2250948, abs=1e-7)
    assert torch.equal(grm_loss(*given[:3], alpha=0.0).total, hybrid_loss(*given, alpha=0.0).total)
    for wrong in ({"alpha": 1.0}, {"regularization": "kl"}):
        with pytest.raises(SettingsError, match="alpha"):
            grm_loss(*given[:3], **wrong)  # type: ignore[arg-type]


def test_simpo_takes_a_target_margin() -> None:
    loss = hybrid_loss(*tensors()[:4], beta=2.0, policy_loss="simpo", simpo_margin=1.5)
    assert loss.policy is not None
    assert loss.policy.item() == pytest.approx((softplus(-2.5) + softplus(9.5)) / 2, abs=1e-12)


@pytest.mark.parametrize("policy_loss", POLICY_LOSSES)
def test_hybrid_gradients_are_those_of_finite_differences(policy_loss: str) -> None:
    generator = torch.Generator().manual_seed(0)
    # the reference is a constant of the loss, so only rewards and the policy's values are varied
    varied = [torch.randn(4, dtype=torch.float64, generator=generator, requires_grad=True) for _ in range(4)]
    reference = [torch.randn(4, dtype=torch.float64, generator=generator) for _ in range(2)]

    def total(*values: torch.Tensor) -> torch.Tensor:
        return hybrid_loss(*values, *reference, alpha=0.7, beta=0.3, policy_loss=policy_loss).total

    assert torch.autograd.gradcheck(total, varied)


def test_both_heads_get_the_gradient_computed_by_hand_and_the_reference_none() -> None:
    given = tensors(grad=True)
    hybrid_loss(*given, alpha=0.2, beta=0.1).total.backward()
    sigmoid = [1 / (1 + math.exp(margin)) for margin in (1.0, -2.0, 0.2, -0.3)]  # sigmoid(-margin)
    torch.testing.assert_close(given[0].grad, -torch.tensor(sigmoid[:2], dtype=torch.float64) / 2)
    torch.testing.assert_close(given[2].grad, -0.2 * 0.1 * torch.tensor(sigmoid[2:], dtype=torch.float64) / 2)
    torch.testing.assert_close(given[3].grad, -given[2].grad)
    assert given[4].grad is None and given[5].grad is None


def test_hybrid_alpha_zero_is_the_standard_reward_model_exactly() -> None:
    standard = [torch.tensor(values, requires_grad=True) for values in REWARDS]
    expected = -torch.nn.functional.logsigmoid(standard[0] - standard[1]).mean()
    expected.backward()
    poison = [torch.full((2,), math.nan, requires_grad=True) for _ in range(4)]
    for logps in (poison, [None] * 4):
        given = [torch.tensor(values, requires_grad=True) for values in REWARDS]
        loss = hybrid_loss(*given, *logps, alpha=0.0)
        loss.total.backward()
        assert torch.equal(loss.total, expected) and loss.policy is None
        assert all(torch.equal(a.grad, b.grad) for a, b in zip(given, standard, strict=True))
    assert all(tensor.grad is None for tensor in poison)


def test_losses_without_a_reference_need_none() -> None:
    given = tensors()
    assert hybrid_loss(*given[:4], policy_loss="simpo") == hybrid_loss(*given, policy_loss="simpo")
    assert hybrid_loss(*given[:3], policy_loss="slic") == hybrid_loss(*given, policy_loss="slic")


@pytest.mark.parametrize(
    ("given", "computed"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_halves_are_computed_in_full(given: torch.dtype, computed: torch.dtype) -> None:
    loss = hybrid_loss(*tensors(given))
    assert loss.total.dtype == computed
    assert loss.total.item() == pytest.approx(1.3653442, abs=1e-6)  # these values are exact in a half
    assert (
        sequence_logps(torch.zeros(1, 2, dtype=given), torch.ones(1, 2, dtype=torch.bool)).dtype == computed
    )


def test_extreme_margins_stay_finite() -> None:
    huge = torch.tensor([1e4, -1e4], requires_grad=True)
    loss = hybrid_loss(huge, -huge, huge, -huge, 0 * huge, 0 * huge)
    loss.total.backward()
    assert torch.isfinite(loss.total) and huge.grad is not None and torch.isfinite(huge.grad).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"alpha": -0.1}, "alpha: a number, at least 0"),
        ({"alpha": math.nan}, "alpha nan"),
        ({"beta": 0.0}, "beta: a number above 0"),
        ({"policy_loss": "dpo"}, "one of sigmoid, hinge, ipo, slic, simpo"),
        ({"simpo_margin": math.inf}, "simpo_margin inf"),
        ({"rejected_rewards": torch.zeros(3)}, r"rejected_rewards float32 \[3\]"),
        ({"chosen_rewards": torch.zeros(2, 1)}, r"chosen_rewards float32 \[2, 1\]"),
        ({"chosen_rewards": torch.zeros(2, dtype=torch.long)}, "chosen_rewards int64"),
        ({"policy_chosen_logps": torch.zeros(2, 5)}, r"policy_chosen_logps float32 \[2, 5\]"),
        ({"reference_chosen_logps": None}, "reference_chosen_logps NoneType"),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, Any], says: str) -> None:
    names = ["chosen_rewards", "rejected_rewards", "policy_chosen_logps", "policy_rejected_logps"]
    names += ["reference_chosen_logps", "reference_rejected_logps"]
    given: dict[str, Any] = dict(zip(names, tensors(torch.float32), strict=True)) | change
    with pytest.raises(SettingsError, match=says):
        hybrid_loss(**given)


def test_no_pairs_and_several_faults_at_once() -> None:
    none = torch.zeros(0)
    with pytest.raises(SettingsError, match=r"chosen_rewards float32 \[0\]") as caught:
        hybrid_loss(none, none, alpha=-1.0, beta=-1.0, policy_loss="slic")
    assert "alpha -1.0; beta -1.0" in caught.value.got


def test_a_response_is_the_sum_or_the_average_of_its_tokens() -> None:
    logps = torch.tensor(
        [[math.nan, -1.0, -2.0, -6.0], [-9.0, -4.0, math.inf, 0.0], [-1.0, -1.0, -1.0, -1.0]]
    )
    mask = torch.tensor([[0, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]).bool()
    assert sequence_logps(logps, mask).tolist() == [-9.0, -13.0, 0.0]
    assert sequence_logps(logps, mask, average=True).tolist() == [-3.0, -6.5, 0.0]


def test_values_off_the_mask_get_no_gradient() -> None:
    logps = torch.tensor([[math.nan, -1.0, -2.0]], requires_grad=True)
    sequence_logps(logps, torch.tensor([[False, True, True]]), average=True).sum().backward()
    assert logps.grad is not None and logps.grad.tolist() == [[0.0, 0.5, 0.5]]


@pytest.mark.parametrize("mask", [torch.ones(2, 3), torch.ones(2, 2, dtype=torch.bool)])
def test_a_mask_that_does_not_fit_is_said(mask: torch.Tensor) -> None:
    with pytest.raises(SettingsError, match=r"token_logps float32 \[2, 3\]"):
        sequence_logps(torch.zeros(2, 3), mask)
