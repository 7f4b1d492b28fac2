"""Estimators of KL by hand and against the exact value; controllers by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from workbench.core.errors import SettingsError
from workbench.training.ppo import AdaptiveKL, FixedKL, token_kl
from workbench.training.ppo.kl import ESTIMATORS

MASK = torch.tensor([[1, 1, 0]]).bool()


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [("k1", [2.0, -1.0]), ("k2", [2.0, 0.5]), ("k3", [math.exp(-2) + 1, math.e - 2])],
)
def test_each_estimator_by_hand(estimator: str, expected: list[float]) -> None:
    logps, reference = torch.tensor([[-1.0, -3.0, torch.nan]]), torch.tensor([[-3.0, -2.0, 0.0]])
    found = token_kl(logps, reference, MASK, estimator=estimator)
    torch.testing.assert_close(found, torch.tensor([[*expected, 0.0]]))


def test_k1_and_k3_are_unbiased_and_k2_nearly() -> None:
    """The mean over the policy's own distribution, exactly: no sampling."""
    policy, reference = torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[0.4, 0.35, 0.25]])
    exact = (policy * (policy / reference).log()).sum()
    everything = torch.ones(1, 3).bool()
    mean = {
        name: (policy * token_kl(policy.log(), reference.log(), everything, estimator=name)).sum()
        for name in ESTIMATORS
    }
    torch.testing.assert_close(mean["k1"], exact)
    torch.testing.assert_close(mean["k3"], exact)
    assert mean["k2"].item() == pytest.approx(exact.item(), rel=0.05)


def test_nothing_flows_back_from_off_the_mask() -> None:
    logps = torch.zeros(1, 3, requires_grad=True)
    token_kl(logps, torch.tensor([[1.0, 0.5, -torch.inf]]), MASK, estimator="k3").sum().backward()
    assert logps.grad is not None and torch.isfinite(logps.grad).all() and logps.grad[0, 2] == 0


def test_the_adaptive_price_by_hand() -> None:
    control = AdaptiveKL(coefficient=0.2, target=6.0, horizon=100.0)
    assert control.updated(6.0, 10) == control
    assert control.updated(6.6, 10).coefficient == pytest.approx(0.2 * 1.01)  # error 0.1
    assert control.updated(60.0, 10).coefficient == pytest.approx(0.2 * 1.02)  # error clipped to 0.2
    assert control.updated(-1.0, 10).coefficient == pytest.approx(0.2 * 0.98)
    assert control.updated(0.0, 10**6).coefficient == 0  # never negative: it would pay for KL


def test_the_fixed_price_stays() -> None:
    assert FixedKL(0.3).updated(100.0, 10) == FixedKL(0.3)


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        (FixedKL, {"coefficient": -1.0}, "coefficient -1.0"),
        (AdaptiveKL, {"coefficient": math.nan}, "coefficient nan"),
        (AdaptiveKL, {"target": 0.0, "horizon": -1.0}, r"target 0.0; horizon -1.0"),
    ],
)
def test_prices_that_cannot_be_are_said(kind: Any, options: dict[str, float], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        kind(**options)


def test_a_broken_policy_and_an_unknown_estimator_are_said() -> None:
    with pytest.raises(SettingsError, match="a KL of nan"):
        AdaptiveKL().updated(math.nan, 1)
    with pytest.raises(SettingsError, match="estimator 'k4'"):
        token_kl(torch.zeros(1, 3), torch.zeros(1, 3), MASK, estimator="k4")
