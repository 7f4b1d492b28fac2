"""The training benchmark: its arithmetic by hand, its batches, and one short run of all four arms."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import LlamaConfig

from workbench.benchmarks.training import (
    ARMS,
    CONFIGS,
    TrainingCase,
    TrainingSpeed,
    make_case,
    measure_training,
)
from workbench.benchmarks.training import head_over_body as ratio
from workbench.core.errors import SettingsError


def test_head_over_body_by_hand():
    config = LlamaConfig(
        vocab_size=10, hidden_size=4, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2
    )
    a_token = 4 * 4 * 4 + 3 * 4 * 8  # four square matrices, three of the MLP
    body = 5 * a_token + 4 * 5 * 5
    assert ratio(config, [(3, 2)]) == (body + 2 * 4 * 10) / body


def test_the_ratios_by_hand():
    seconds = {"hybrid": 1.2, "standard": 0.5, "trl-reward": 0.5, "trl-dpo": 4.5}
    peaks = {"hybrid": 12, "standard": 9, "trl-reward": 10, "trl-dpo": 30}
    report = TrainingSpeed(seconds, peaks, limit_ratio=2.0, pairs=8)
    assert report.of_both == pytest.approx(0.24)
    assert report.of_limit == pytest.approx(1.2)
    assert report.of_reward_memory == pytest.approx(1.2)


def test_every_arm_gets_the_same_pairs_of_the_asked_lengths():
    case = TrainingCase("any", 3, 5, (2, 4), quantize=False, checkpointing=False)
    rows = make_case(case, vocabulary=50, steps=2)
    assert rows == make_case(case, vocabulary=50, steps=2) and len(rows) == 6
    assert rows != make_case(case, vocabulary=50, steps=2, seed=1)
    for row in rows:
        assert len(row["prompt"].split()) == 5
        assert all(2 <= len(row[side].split()) <= 4 for side in ("chosen", "rejected"))


def test_an_unknown_config_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match="small, mistral-7b"):
        measure_training("large", tmp_path, device="cpu", steps=3, rounds=1, threads=1, say=print)


@pytest.mark.bench
def test_all_four_arms_train(tmp_path: Path):
    pytest.importorskip("trl", reason="`make bench-setup` was not run")
    report = measure_training("small", tmp_path, device="cpu", steps=3, rounds=1, threads=2, say=print)
    assert set(report.seconds) == set(ARMS) == set(report.peak_bytes)
    assert all(value > 0 for value in [*report.seconds.values(), *report.peak_bytes.values()])
    assert report.pairs == CONFIGS["small"].pairs
