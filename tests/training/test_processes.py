"""Two processes train the same reward model as one: same batch, same steps, weights that differ by rounding."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from tiny_training import make_pairs, save_tiny, weights

from workbench.cli.main import cli
from workbench.models import RewardModel
from workbench.training.folder import read_log

OPTIONS = (
    "--device cpu --epochs 2 --batch 8 --micro-batch 2 --evaluate 8 --log-steps 1 --checkpoint-steps 2 "
    "--lr 1e-3 --init-std 0.1 --template {prompt} --max-tokens 48 --max-prompt-tokens 16"
)


@pytest.mark.parametrize(
    "trained",
    [["--full"], ["--lora-rank", "2"], ["--lora-rank", "2", "--lora-layers", "1"]],
    ids=["all weights", "adapters", "adapters on the last layer"],
)
def test_hybrid_trainer_in_two_processes_matches_one(tmp_path: Path, trained: list[str]) -> None:
    data = tmp_path / "pairs.jsonl"
    rows = [
        {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected} for pair in make_pairs(26)
    ]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = [
        "--data",
        str(data),
        "--model",
        str(save_tiny(tmp_path / "tiny")),
        *OPTIONS.split(),
        *trained,
    ]
    alone, together = tmp_path / "alone", tmp_path / "together"

    ran = CliRunner().invoke(cli, ["reward", "train", *words, "--out", str(alone)], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    assert "training pairs: 24 pairs" in ran.output, "the last step would hold pairs twice"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={port}"]
    launched = subprocess.run(
        [*launcher, "-m", "workbench.training", *words, "--out", str(together)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert launched.returncode == 0, launched.stderr[-3000:]
    assert launched.stdout.count("trained: 6 steps") == 1, "only the first process speaks"
    assert "2 processes" in launched.stdout

    one, two = (weights(RewardModel.from_pretrained(folder, device="cpu")) for folder in (alone, together))
    for name, value in one.items():
        torch.testing.assert_close(
            value, two[name], rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )
    logs = [read_log(folder / "training_log.jsonl") for folder in (alone, together)]
    assert [row["step"] for row in logs[0]] == [row["step"] for row in logs[1]] == [1, 2, 3, 4, 5, 6, 6, 6]
    for name in ("loss", "reward_loss", "policy_loss", "accuracy", "margin", "implicit_margin", "grad_norm"):
        first, second = ([row[name] for row in log if "loss" in row] for log in logs)
        assert first == pytest.approx(second, rel=1e-3, abs=1e-5), name
    evaluations = [next(row["eval_loss"] for row in log if "eval_loss" in row) for log in logs]
    assert evaluations[0] == pytest.approx(evaluations[1], rel=1e-4)
