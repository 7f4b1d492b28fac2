"""Two processes train the same policy as one: same prompts, same chance, weights that differ by rounding."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_policies import PROMPTS, WholeReward, count_of, language_model, quick, tokenizer

from workbench.models import ModelSettings
from workbench.training.folder import read_log
from workbench.training.ppo import load_policy, train_policy


def train(base: Path, folder: Path) -> None:
    """Train a policy; what every process of the launcher runs."""
    settings = quick(max_steps=2, checkpoint_steps=1, evaluate_steps=1, evaluation_batch=2)
    train_policy(
        ModelSettings(str(base), device="cpu"),
        tokenizer(),
        PROMPTS,
        WholeReward(count_of("a")),
        settings,
        folder=folder,
        eval_prompts=PROMPTS[:5],  # four in two shares, and one that both sample
        say=print,
    )


def test_two_processes_match_one(tmp_path: Path) -> None:
    base, alone, together = (tmp_path / name for name in ("base", "alone", "together"))
    language_model(spread=0.5).save_pretrained(base)
    train(base, alone)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={port}"]
    launched = subprocess.run(
        [*launcher, __file__, str(base), str(together)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert launched.returncode == 0, launched.stderr[-3000:]
    assert launched.stdout.count("policy: ") == 1, "only the first process speaks"
    assert "2 processes" in launched.stdout
    assert launched.stdout.count("alone at the end") == 2, (
        "a group that outlives Python may abort the process"
    )

    logs = [read_log(folder / "training_log.jsonl") for folder in (alone, together)]
    assert [row["step"] for row in logs[0]] == [row["step"] for row in logs[1]] == [0, 1, 1, 2, 2]
    for one, two in zip(*logs, strict=True):
        assert one == pytest.approx(two, rel=1e-2, abs=1e-4)
    one, two = (dict(load_policy(folder, device="cpu").named_parameters()) for folder in (alone, together))
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], rtol=1e-3, atol=5e-5)


def say_alone() -> None:
    """Say that this process has left its group: the last thing done before Python ends."""
    if not torch.distributed.is_initialized():
        print("alone at the end", flush=True)


if __name__ == "__main__":
    atexit.register(say_alone)  # the first to be registered is the last to be called
    train(Path(sys.argv[1]), Path(sys.argv[2]))
