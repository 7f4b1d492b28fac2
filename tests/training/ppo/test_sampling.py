"""Sampling: what is drawn, what ends a row, and that nothing is forced."""

from __future__ import annotations

import pytest
import torch
from tiny_policies import KINDS, batch_of, policy_of
from torch import Tensor

from workbench.training.ppo.layouts import Decoding, PromptBatch
from workbench.training.ppo.sampling import draw, sample

A, B, END, NEVER = 0, 1, 2, 3


def test_draw_inverts_the_distribution_by_hand() -> None:
    chances = torch.tensor([0.5, 0.25, 0.25, 0.0]).repeat(6, 1)
    uniform = torch.tensor([0.0, 0.49, 0.5, 0.74, 0.75, 1 - 2**-53], dtype=torch.float64)
    assert draw(chances, uniform).tolist() == [0, 0, 1, 1, 2, 2], "the last token has no mass"


class Scripted:
    """A policy that writes, in each row, what a script says."""

    device = torch.device("cpu")

    def __init__(self, script: list[list[int]]) -> None:
        self.script = torch.tensor(script)
        self.sizes: list[int] = []
        """Rows in the batch, at each token."""

    @staticmethod
    def head(states: Tensor) -> Tensor:
        return states

    @staticmethod
    def values(states: Tensor) -> Tensor:
        return states.argmax(1).float()

    def start(self, prompts: PromptBatch) -> Decoding:
        return ScriptedDecoding(self)


class ScriptedDecoding:
    drops = True

    def __init__(self, policy: Scripted) -> None:
        self.policy, self.rows, self.column = policy, torch.arange(len(policy.script)), -1
        self.advance(self.rows)

    def advance(self, tokens: Tensor) -> None:
        self.column += 1
        self.policy.sizes.append(len(tokens))
        wanted = self.policy.script[self.rows, self.column]
        self.states = torch.full((len(self.rows), 4), -50.0).scatter(1, wanted[:, None], 50.0)

    def keep(self, rows: Tensor) -> None:
        self.rows = self.rows[rows]


def write(
    script: list[list[int]], end: int | None = END
) -> tuple[Scripted, list[list[int]], list[list[bool]]]:
    policy = Scripted(script)
    prompts = PromptBatch(torch.zeros(len(script), 1, dtype=torch.long), torch.ones(len(script), 1).bool())
    found = sample(
        policy,
        prompts,
        torch.full((len(script), len(script[0])), 0.5).double(),
        stop_tokens=() if end is None else (end,),
    )  # type: ignore[arg-type]
    assert torch.equal(found.values != 0, (found.ids != 0) & found.mask)
    return policy, found.ids.tolist(), found.mask.tolist()


def test_rows_end_where_they_choose_and_nothing_is_forced_at_the_limit() -> None:
    policy, ids, mask = write([[A, END, B, B], [B, B, B, B], [END, A, A, A], [B, A, B, END]])
    assert ids == [[A, END, 0, 0], [B, B, B, B], [END, 0, 0, 0], [B, A, B, END]]
    assert [sum(row) for row in mask] == [2, 4, 1, 4]
    assert policy.sizes == [4, 3, 2, 2], "rows that ended leave the batch"


def test_without_an_end_token_all_are_as_long_as_they_may() -> None:
    _, ids, mask = write([[A, END, B], [END, END, A]], end=None)
    assert ids == [[A, END, B], [END, END, A]] and all(map(all, mask))


def test_answers_of_nothing_but_an_end_token() -> None:
    policy, ids, mask = write([[END, A, A], [END, B, B]])
    assert ids == [[END], [END]] and mask == [[True], [True]] and policy.sizes == [2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_does_not_depend_on_those_beside_it(kind: str) -> None:
    policy = policy_of(kind)
    prompts = batch_of(policy)
    uniform = torch.rand(len(prompts.ids), 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = sample(policy, prompts, uniform, stop_tokens=(1,))
    for row in range(len(prompts.ids)):
        one = torch.tensor([row])
        alone = sample(policy, prompts.select(one), uniform[one], stop_tokens=(1,))
        assert together.ids[row][together.mask[row]].tolist() == alone.ids[0].tolist()


def test_greedy_takes_the_likeliest_that_is_allowed() -> None:
    policy = policy_of(spread=2.0)
    prompts = batch_of(policy, ["a b"])
    best = int(policy.lm(prompts.ids).logits[0, -1].argmax())
    uniform = torch.zeros(1, 1, dtype=torch.float64)
    assert sample(policy, prompts, uniform, stop_tokens=(), greedy=True).ids.tolist() == [[best]]
    allowed = torch.ones(9, dtype=torch.bool)
    allowed[best] = False
    assert sample(policy, prompts, uniform, stop_tokens=(), allowed=allowed, greedy=True).ids.tolist() != [
        [best]
    ]
