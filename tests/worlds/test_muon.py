"""Muon in float32: its direction, and a step that PyTorch's own takes too."""

import pytest
import torch

from workbench.worlds.muon import Muon, orthogonalized


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 4, 10), (2, 10, 4)])
def test_singular_values_come_near_1_and_vectors_stay(shape):
    given = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = orthogonalized(given)
    assert ((torch.linalg.svdvals(found) - 1).abs() < 0.5).all()
    left, _, right = torch.linalg.svd(given, full_matrices=False)
    core = left.mT @ found @ right.mT  # diagonal where the singular vectors are the same
    assert torch.allclose(
        core - torch.diag_embed(core.diagonal(dim1=1, dim2=2)), torch.zeros_like(core), atol=1e-9
    )


def test_steps_are_those_of_pytorchs_muon_but_for_its_bfloat16():
    start = torch.randn(12, 6, generator=torch.Generator().manual_seed(1))
    target = torch.randn(12, 6, generator=torch.Generator().manual_seed(2))
    ends = []
    for kind in (Muon, torch.optim.Muon):
        matrix = torch.nn.Parameter(start.clone())
        optimizer = kind([matrix], lr=0.05, momentum=0.9, weight_decay=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            ((matrix - target) ** 2).sum().backward()
            optimizer.step()
        ends.append(matrix.detach())
    assert (ends[0] - start).abs().max() > 0.1
    assert torch.allclose(ends[0], ends[1], atol=0.01)


def test_a_matrix_without_a_gradient_stays():
    still, moved = torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2, 2))
    optimizer = Muon([still, moved])
    (moved**2).sum().backward()
    optimizer.step()
    assert torch.equal(still.detach(), torch.ones(2, 2))
    assert not torch.equal(moved.detach(), torch.ones(2, 2))
