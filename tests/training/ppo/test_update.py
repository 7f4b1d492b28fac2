"""One update by hand: advantages of a rollout, the clipped losses, their gradients and the step that they make."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_policies import quick
from torch import Tensor, nn

from workbench.core.errors import ModelError
from workbench.rewards import Sample
from workbench.training.ppo import FixedKL, PPOSettings
from workbench.training.ppo.advantages import Advantages
from workbench.training.ppo.layouts import PromptBatch
from workbench.training.ppo.policy import ResponseOutput
from workbench.training.ppo.processes import Processes
from workbench.training.ppo.rollout import Rollout
from workbench.training.ppo.update import Updater, estimate_advantages

MASK = torch.tensor([[True, True], [True, False]])
OLD_LOGPS = torch.tensor([[-1.0, -2.0], [-0.5, 0.0]])
OLD_VALUES = torch.tensor([[0.5, 0.2], [1.0, 0.0]])
RETURNS = torch.tensor([[0.6, 1.2], [2.0, 0.0]])
WHITE = torch.tensor([[-(2**0.5), 2**-0.5], [2**-0.5, 0.0]])
RATIOS = torch.tensor([[1.5, 0.9], [1.3, 1.0]])
NEW_VALUES = torch.tensor([[1.0, 0.3], [1.5, 0.0]])


class Table(nn.Module):
    """A policy whose log-probabilities and values are its parameters; a prompt's token is its row."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        self.logps = nn.Parameter(OLD_LOGPS + RATIOS.log())
        self.values = nn.Parameter(NEW_VALUES.clone())

    def forward(self, prompts: PromptBatch, ids: Tensor, mask: Tensor, **_: Any) -> ResponseOutput:
        rows, width = prompts.ids[:, 0], ids.shape[1]
        return ResponseOutput(self.logps[rows, :width] * mask, self.values[rows, :width] * mask)

    def train_adapters(self) -> None:
        self.train()

    def columns(self, mask: Tensor) -> int:
        return int(mask.any(0).sum())


def rollout() -> Rollout:
    zeros = torch.zeros(2, 2)
    return Rollout(
        prompts=PromptBatch(torch.tensor([[0], [1]]), torch.ones(2, 1, dtype=torch.bool)),
        samples=[Sample("a", "b c"), Sample("a", "b")],
        ids=torch.tensor([[3, 4], [3, 0]]),
        mask=MASK,
        logps=OLD_LOGPS,
        reference_logps=torch.tensor([[-1.5, -1.0], [-0.5, 0.0]]),
        values=OLD_VALUES,
        entropies=zeros,
        rewards=torch.tensor([[0.0, 1.0], [2.0, 0.0]]),
        scores={},
        truncated=torch.tensor([False, False]),
    )


def settings(**changes: Any) -> PPOSettings:
    given = {"batch": 2, "minibatch": 2, "micro_batch": 2, "ppo_epochs": 1, "clip": 0.2, "value_clip": 0.2}
    return quick(**given | {"value_weight": 0.5, "max_grad_norm": 100.0, "target_kl": None} | changes)


def updated(**changes: Any) -> tuple[Table, dict[str, float]]:
    """Take one update by plain gradient descent at rate 1."""
    policy = Table()
    update = Updater(
        policy,  # type: ignore[arg-type]
        torch.optim.SGD(policy.parameters(), lr=1.0),
        settings(**changes),
        allowed=None,
        processes=Processes(),
    )
    measured = update(rollout(), Advantages(WHITE, RETURNS), step=0)
    assert not policy.training
    return policy, measured


def test_advantages_pay_for_the_kl_to_the_reference_policy_and_are_whitened() -> None:
    """`r_t - 0.2 (log pi - log ref)` is [-0.1, 1.2] and [2]; GAE at lambda 0.5 gives [0.1, 1] and [1]: mean 0.7,
    variance 0.18.
    """
    found = estimate_advantages(rollout(), settings(lam=0.5, kl=FixedKL(9.0)), kl_coefficient=0.2)
    torch.testing.assert_close(found.returns, RETURNS)
    torch.testing.assert_close(found.advantages, WHITE)
    torch.testing.assert_close(WHITE[0, 0], torch.tensor(-0.6 / 0.18**0.5))


@pytest.mark.parametrize("micro_batch", [1, 2])
def test_losses_and_what_is_measured_of_them(micro_batch: int) -> None:
    """Ratios 1.5, 0.9 and 1.3 at advantages -1.414, 0.707 and 0.707, clipped at 0.8 and 1.2."""
    _, measured = updated(micro_batch=micro_batch)
    root = 2**0.5
    # the first is worse than its bound, so it counts; the second is within; the third is held at its bound
    surrogate = (1.5 * root - 0.9 / root - 1.2 / root) / 3
    kl = (0.5 + -0.1 + 0.3 - float(RATIOS[MASK].log().sum())) / 3
    # values 1, 0.3 and 1.5: the bound 0.7 of the first is nearer to 0.6; 1.2 of the third is farther from 2
    critic = ((1 - 0.6) ** 2 + (0.3 - 1.2) ** 2 + (1.2 - 2) ** 2) / 3 / 2
    expected = {
        "policy_loss": surrogate, "value_loss": critic, "clip_share": 1 / 3, "value_clip_share": 1 / 3,
        "update_kl": kl, "minibatches": 1.0,
        "explained_variance": 1 - 0.18 / float(RETURNS[MASK].var(correction=0)),
    }  # fmt: skip
    assert {name: measured[name] for name in expected} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("micro_batch", [1, 2])
def test_the_step_follows_the_gradient_where_nothing_is_clipped(micro_batch: int) -> None:
    policy, measured = updated(micro_batch=micro_batch)
    root = 2**0.5
    of_logps = torch.tensor([[1.5 * root, -0.9 / root], [0.0, 0.0]]) / 3  # -A rho, and nothing at the bound
    of_values = (
        0.5 * torch.tensor([[0.4, -0.9], [0.0, 0.0]]) / 3
    )  # value_weight (V - R), and nothing at the bound
    torch.testing.assert_close(policy.logps.data, OLD_LOGPS + RATIOS.log() - of_logps)
    torch.testing.assert_close(policy.values.data, NEW_VALUES - of_values)
    norm = float((of_logps.square().sum() + of_values.square().sum()).sqrt())
    assert measured["grad_norm"] == pytest.approx(norm)


def test_gradients_are_clipped_to_their_norm() -> None:
    free, measured = updated()
    held, _ = updated(max_grad_norm=0.1)
    share = 0.1 / measured["grad_norm"]
    torch.testing.assert_close(held.values.data - NEW_VALUES, share * (free.values.data - NEW_VALUES))


def test_without_a_bound_on_values_the_plain_error_counts() -> None:
    _, measured = updated(value_clip=None)
    assert measured["value_loss"] == pytest.approx((0.4**2 + 0.9**2 + 0.5**2) / 3 / 2)
    assert measured["value_clip_share"] == 0


def test_nothing_is_learnt_once_the_policy_is_too_far() -> None:
    """The KL of 0.0458 nats a token lies between 1.5 x 0.03 and 1.5 x 0.031."""
    kept, measured = updated(target_kl=0.03, ppo_epochs=3)
    torch.testing.assert_close(kept.values.data, NEW_VALUES)
    assert measured["minibatches"] == 0 and measured["update_kl"] == pytest.approx(0.0458, abs=1e-4)
    assert measured["grad_norm"] == measured["policy_loss"] == 0
    assert updated(target_kl=0.031)[1]["minibatches"] == 1


def test_passes_split_into_minibatches_and_each_counts_by_its_tokens() -> None:
    policy, measured = updated(minibatch=1, micro_batch=1, ppo_epochs=1)
    assert measured["minibatches"] == 2
    # alone in its minibatch, the first row's mean is over its own two tokens
    of_values = 0.5 * torch.tensor([[0.4, -0.9], [0.0, 0.0]]) / 2
    torch.testing.assert_close(policy.values.data, NEW_VALUES - of_values)


def test_a_loss_that_is_no_number_is_named() -> None:
    policy = Table()
    policy.values.data[0, 0] = float("inf")
    update = Updater(
        policy,  # type: ignore[arg-type]
        torch.optim.SGD(policy.parameters(), lr=1.0),
        settings(),
        allowed=None,
        processes=Processes(),
    )
    with pytest.raises(ModelError, match=r"no number in step 4[\s\S]*learning_rate"):
        update(rollout(), Advantages(WHITE, RETURNS), step=3)
