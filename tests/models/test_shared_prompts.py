"""Responses behind one copy of their prompt: the layout by hand."""

from __future__ import annotations

import torch

from workbench.models.shared_prompts import MOST, shared_rows


def test_the_layout_by_hand() -> None:
    # prompt 5 6 with responses 7 and 8 9, and prompt 4 with response 3; padded on the left, then on the right
    ids = torch.tensor([[0, 5, 6, 7], [4, 3, 0, 0], [5, 6, 8, 9]])
    real = torch.tensor([[0, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1]]).bool()
    response = torch.tensor([[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1]]).bool()
    rows = shared_rows(ids, real, response)
    assert rows is not None
    assert rows.input_ids.tolist() == [[5, 6, 7, 8, 9], [4, 3, 0, 0, 0]]
    assert rows.position_ids[0].tolist() == [0, 1, 2, 2, 3]
    assert rows.visible[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 1, 1],
    ]
    back = rows.back(rows.input_ids[..., None].float())[..., 0].long()
    assert torch.equal(back[real], ids[real])


def test_every_token_sees_something_and_padding_is_seen_by_no_token() -> None:
    ids = torch.tensor([[5, 7, 7, 7], [4, 3, 0, 0], [5, 8, 0, 0]])
    real = ids > 0
    response = real.clone()
    response[:, 0] = False
    rows = shared_rows(ids, real, response)
    assert rows is not None and rows.visible.any(-1).all()
    padding = rows.input_ids == 0
    assert not (rows.visible[:, 0] & ~padding[:, :, None] & padding[:, None, :]).any()


def test_where_all_prompts_differ_nothing_is_laid_out() -> None:
    ids = torch.tensor([[1, 2], [2, 2]])
    response = torch.tensor([[0, 1], [0, 1]]).bool()
    assert shared_rows(ids, torch.ones_like(response), response) is None


def test_a_row_is_no_longer_than_so_many_responses() -> None:
    ids = torch.tensor([[1, 2]] * (MOST + 1))
    response = torch.tensor([[0, 1]] * (MOST + 1)).bool()
    rows = shared_rows(ids, torch.ones_like(response), response)
    assert rows is not None and rows.input_ids.shape == (2, MOST + 1)
