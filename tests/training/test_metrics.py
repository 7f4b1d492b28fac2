"""Metrics of pairs, computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from workbench.core.errors import SettingsError
from workbench.training import Objective, PairOutputs, hybrid_loss, pair_metrics
from workbench.training.metrics import pair_accuracy


def outputs() -> PairOutputs:
    """Margins of the scores 2 and -1; implicit ones, before beta, 3 and -1."""
    columns = ([3.0, 0.0], [1.0, 1.0], [-5.0, -8.0], [-7.0, -6.0], [-6.0, -6.0], [-5.0, -5.0])
    return PairOutputs(*(torch.tensor(column) for column in columns))


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def test_hybrid_metrics_by_hand() -> None:
    found = pair_metrics(outputs(), Objective(alpha=0.5, beta=0.2))
    reward = (softplus(-2.0) + softplus(1.0)) / 2
    policy = (softplus(-0.6) + softplus(0.2)) / 2
    assert found == pytest.approx(
        {
            "loss": reward + 0.5 * policy,
            "reward_loss": reward,
            "accuracy": 0.5,
            "margin": 0.5,
            "policy_loss": policy,
            "policy_share": 0.5 * policy / (reward + 0.5 * policy),
            "implicit_accuracy": 0.5,
            "implicit_margin": 0.2,
        },
        rel=1e-6,
    )


def test_the_standard_reward_model_says_nothing_of_the_policy() -> None:
    assert set(pair_metrics(outputs(), Objective(alpha=0.0))) == {"loss", "reward_loss", "accuracy", "margin"}


def test_dpo_alone_minimises_its_own_loss() -> None:
    objective = Objective(alpha=1.0, reward_weight=0.0)
    loss = objective.loss(outputs())
    assert loss.policy is not None and loss.total.item() == pytest.approx(loss.policy.item())
    assert pair_metrics(outputs(), objective)["policy_share"] == pytest.approx(1.0)


def test_weights_of_both_losses() -> None:
    parts = hybrid_loss(*outputs(), alpha=0.2)
    assert parts.policy is not None
    weighted = Objective(alpha=0.2, reward_weight=3.0).loss(outputs()).total
    assert weighted.item() == pytest.approx(3 * parts.reward.item() + 0.2 * parts.policy.item())
    assert torch.equal(Objective(alpha=0.2).loss(outputs()).total, parts.total)


def test_losses_without_a_reference() -> None:
    bare = PairOutputs(*outputs()[:4])
    found = pair_metrics(bare, Objective(alpha=0.2, beta=0.5, policy_loss="simpo"))
    assert found["implicit_margin"] == pytest.approx(0.0)  # 0.5 * mean(2, -2)
    assert not Objective(policy_loss="simpo").needs_reference and Objective().needs_reference
    assert not Objective(alpha=0.0).needs_reference


def test_ties_count_half() -> None:
    assert pair_accuracy(torch.tensor([1.0, 0.0, -1.0, 0.0])).item() == 0.5
    assert pair_accuracy(torch.zeros(3)).item() == 0.5
    assert pair_accuracy(torch.tensor([1.0, 0.0])).item() == 0.75


def test_a_loss_of_zero_has_no_policy_share() -> None:
    far = PairOutputs(torch.tensor([500.0]), torch.tensor([-500.0]), *[torch.tensor([0.0])] * 4)
    hinge = Objective(policy_loss="hinge", beta=1.0)._replace(alpha=1.0)
    far = far._replace(policy_chosen_logps=torch.tensor([9.0]))
    assert pair_metrics(far, hinge)["policy_share"] == 0.0


def test_outputs_survive_stacking() -> None:
    for given in (outputs(), PairOutputs(*outputs()[:2]), PairOutputs(*outputs()[:4])):
        back = PairOutputs.unstack(given.stack())
        for one, other in zip(given, back, strict=True):
            assert (one is None and other is None) or torch.equal(one, other)


def test_nothing_to_minimise() -> None:
    with pytest.raises(SettingsError, match="reward_weight 0 and alpha 0"):
        Objective(alpha=0.0, reward_weight=0.0).loss(outputs())
