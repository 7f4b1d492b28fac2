"""The chunked LM head: values and gradients of the whole one, and never all logits at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from workbench.models import label_logps
from workbench.models import token_logps as module

STATES, WIDTH, VOCABULARY = 7, 5, 11


def case(
    dtype: torch.dtype = torch.float64, bias: bool = True
) -> tuple[torch.Tensor, torch.Tensor, nn.Linear]:
    torch.manual_seed(0)
    head = nn.Linear(WIDTH, VOCABULARY, bias=bias, dtype=dtype)
    hidden = torch.randn(STATES, WIDTH, dtype=dtype, requires_grad=True)
    return hidden, torch.randint(VOCABULARY, (STATES,)), head


def whole(hidden: torch.Tensor, labels: torch.Tensor, head: nn.Module) -> torch.Tensor:
    return head(hidden).log_softmax(-1).gather(1, labels[:, None])[:, 0]


def test_by_hand() -> None:
    head = nn.Linear(1, 2, bias=False)
    head.weight.data = torch.tensor([[0.0], [1.0]])
    hidden = torch.tensor([[0.0], [2.0]])
    # logits (0, 0) and (0, 2): log 1/2, and -log(1 + e^2) for the first
    expected = torch.tensor([-0.6931472, -2.1269280])
    torch.testing.assert_close(label_logps(hidden, torch.tensor([1, 0]), head), expected)


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("trained", [True, False])
def test_values_and_gradients_are_those_of_the_whole_head(rows: int, bias: bool, trained: bool) -> None:
    hidden, labels, head = case(bias=bias)
    head.requires_grad_(trained)
    leaves = [hidden, *(parameter for parameter in head.parameters() if parameter.requires_grad)]
    pull = torch.randn(STATES, dtype=torch.float64)
    expected = whole(hidden, labels, head)
    got = label_logps(hidden, labels, head, rows=rows)
    torch.testing.assert_close(got, expected)
    wanted = torch.autograd.grad(expected, leaves, pull)
    for mine, theirs in zip(torch.autograd.grad(got, leaves, pull), wanted, strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("trained", [True, False])
def test_gradients_are_those_of_finite_differences(trained: bool) -> None:
    hidden, labels, head = case()
    head.requires_grad_(trained)
    varied = (hidden, *(parameter for parameter in head.parameters() if trained))
    assert torch.autograd.gradcheck(lambda states, *_: label_logps(states, labels, head, rows=3), varied)


def test_a_head_of_any_kind_gives_the_same() -> None:
    hidden, labels, head = case()
    got = label_logps(hidden, labels, nn.Sequential(head), rows=2)
    torch.testing.assert_close(got, whole(hidden, labels, head))
    wanted = torch.autograd.grad(whole(hidden, labels, head).sum(), [hidden, head.weight])
    for mine, theirs in zip(torch.autograd.grad(got.sum(), [hidden, head.weight]), wanted, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_half_gives_float32_and_gradients_in_its_own_type() -> None:
    hidden, labels, head = case(torch.bfloat16)
    got = label_logps(hidden, labels, head, rows=3)
    got.sum().backward()
    assert got.dtype == torch.float32
    assert hidden.grad is not None and hidden.grad.dtype == head.weight.grad.dtype == torch.bfloat16
    torch.testing.assert_close(got, whole(hidden.float(), labels, head.float()), rtol=0.02, atol=0.02)


def test_under_autocast_float32_weights_get_float32_gradients() -> None:
    hidden, labels, head = case(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = label_logps(hidden, labels, head, rows=3)
    got.sum().backward()
    assert got.dtype == torch.float32 and head.weight.grad is not None
    assert hidden.grad is not None and hidden.grad.dtype == head.weight.grad.dtype == torch.float32
    expected = torch.autograd.grad(whole(hidden, labels, head).sum(), head.weight)[0]
    torch.testing.assert_close(head.weight.grad, expected, rtol=0.1, atol=0.05)


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("gradients", [True, False])
def test_never_more_logits_than_a_chunk(
    monkeypatch: pytest.MonkeyPatch, trained: bool, gradients: bool
) -> None:
    hidden, labels, head = case()
    head.requires_grad_(trained)
    sizes: list[int] = []
    plain = module._put_logps

    def counted(values: torch.Tensor, *rest: Any) -> None:
        sizes.append(len(values))
        plain(values, *rest)

    monkeypatch.setattr(module, "_put_logps", counted)
    with torch.set_grad_enabled(gradients):
        got = label_logps(hidden, labels, head, rows=3)
    if gradients:
        got.sum().backward()
    # a frozen head's logits are computed once; a trained one's again in the backward pass, but for the last
    assert sizes == [3, 3, 1] + [3, 3] * (trained and gradients)


def test_a_second_backward_pass_gives_the_same_gradients() -> None:
    hidden, labels, head = case()
    got = label_logps(hidden, labels, head, rows=3).sum()
    first = torch.autograd.grad(got, [hidden, head.weight], retain_graph=True)
    for one, again in zip(first, torch.autograd.grad(got, [hidden, head.weight]), strict=True):
        torch.testing.assert_close(one, again)


@pytest.mark.parametrize("wrapped", [False, True])
def test_no_states_are_no_values(wrapped: bool) -> None:
    hidden, labels, head = case()
    got = label_logps(hidden[:0], labels[:0], nn.Sequential(head) if wrapped else head)
    got.sum().backward()
    assert got.shape == (0,) and head.weight.grad is not None and not head.weight.grad.any()


def test_large_logits_do_not_overflow() -> None:
    head = nn.Linear(1, 3, bias=False)
    head.weight.data = torch.tensor([[1e4], [-1e4], [1e4]])
    hidden = torch.ones(1, 1, requires_grad=True)
    got = label_logps(hidden, torch.tensor([0]), head)
    got.sum().backward()
    assert got.item() == pytest.approx(-0.6931472)
    assert hidden.grad is not None and torch.isfinite(hidden.grad).all()
