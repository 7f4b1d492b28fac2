"""The benchmark of adapters: its batches, and one short run of all ways on a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from tiny_training import save_tiny

from workbench.benchmarks.lora import WAYS, random_batches
from workbench.cli.main import cli


def test_batches_are_pairs_of_the_asked_lengths_with_one_prompt() -> None:
    batches = random_batches(50, 5, 2, prompt=7, response=(2, 4))
    assert [len(batch["input_ids"]) for batch in batches] == [4, 4, 2]
    for batch in batches:
        chosen, rejected = batch["input_ids"][:, :7].chunk(2)
        assert torch.equal(chosen, rejected)
        assert set(batch["response_mask"].sum(1).tolist()) <= {2, 3, 4}
        assert torch.equal(batch["attention_mask"].sum(1), 7 + batch["response_mask"].sum(1))


def test_each_way_has_what_stands_before_it() -> None:
    told = [(way.dtype == "native", way.upper, way.share_prompts, way.once) for way in WAYS]
    assert told == [tuple(place < count for place in range(4)) for count in range(5)]


def test_all_ways_are_measured_and_compared(tmp_path: Path) -> None:
    options = ["--layers", "1", "--pairs", "2", "--micro-batch", "1", "--rounds", "1", "--threads", "1"]
    done = CliRunner().invoke(cli, ["bench", "lora", "--model", str(save_tiny(tmp_path)), *options])
    assert done.exit_code == 0, done.output
    assert all(done.output.count(way.name) == 2 for way in WAYS)
    refused = CliRunner().invoke(cli, ["bench", "lora", "--model", str(tmp_path), *options, "--layers", "99"])
    assert refused.exit_code == 2 and "99 layers with adapters" in refused.output


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_draws_the_same_pairs(seed: int) -> None:
    first, again, other = (
        random_batches(50, 2, 2, prompt=5, response=(2, 4), seed=one)[0]["input_ids"][:, :5]
        for one in (seed, seed, seed + 7)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)
