"""`workbench reward train`: what it says and writes, killed and continued, and the faults it names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from tiny_training import make_pairs, save_tiny, weights

from workbench.cli.main import cli
from workbench.models import RewardModel, load_encoding
from workbench.training.folder import read_log

HH = Path(__file__).resolve().parents[4] / "shared" / "data" / "hh-rlhf" / "harmless-base.jsonl.gz"
SMALL = [
    "--max-tokens",
    "48",
    "--max-prompt-tokens",
    "16",
    "--template",
    "{prompt}",
    "--batch",
    "4",
    "--lr",
    "1e-3",
]


def train(*words: Any) -> Result:
    return CliRunner().invoke(cli, ["reward", "train", *map(str, words)])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "pairs.jsonl"
    rows = [
        {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected} for pair in make_pairs(26)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_it_says_what_it_does_and_leaves_a_reward_model(tiny: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "rm"
    words = [
        "--data",
        data,
        "--model",
        tiny,
        "--out",
        out,
        "--limit",
        12,
        "--micro-batch",
        4,
        "--epochs",
        1,
        *SMALL,
    ]
    ran = train(*words, "--log-steps", 1, "--lora-rank", 2)
    assert ran.exit_code == 0, ran.output
    for said in (
        "training pairs: 12 pairs: 24 texts",
        "nothing was cut",
        "evaluation pairs: 2 pairs",
        "float32 weights, on cpu; 1,184 parameters train; steps of 4 pairs, 4 at a time",
        "trained: 3 steps",
        "on 2 held-out pairs: accuracy",
        f"written: {out}",
        f"next: workbench reward score --model {out} --data {data} --out {out}-scored",
    ):
        assert said in ran.output
    assert RewardModel.from_pretrained(out, device="cpu").has_adapters
    encoding = load_encoding(out)
    assert encoding is not None and (encoding.template, encoding.max_tokens) == ("{prompt}", 48)
    assert [row["step"] for row in read_log(out / "training_log.jsonl") if "loss" in row] == [1, 2, 3]
    asked = json.loads((out / "training.json").read_text())
    assert asked["asked"]["settings"]["learning_rate"] == 1e-3 and asked["asked"]["lora"]["rank"] == 2
    assert asked["asked"]["data"] == ["pairs.jsonl"] and "torch" in asked["packages"]
    assert json.loads((out / "training_summary.json").read_text())["steps"] == 3

    again = train(*words, "--log-steps", 1, "--lora-rank", 2)
    assert again.exit_code == 0 and "done already" in again.output
    other = train(*words, "--lora-rank", 4)
    assert other.exit_code == 2 and "lora.rank was 2, is 4" in other.output and "--fresh" in other.output


def test_the_arms_of_the_paper(tiny: Path, data: Path, tmp_path: Path) -> None:
    for arm, words in {
        "standard": ["--alpha", 0, "--share-prompts"],
        "dpo": ["--reward-weight", 0, "--alpha", 1],
    }.items():
        ran = train(
            "--data", data, "--model", tiny, "--out", tmp_path / arm, "--full", "--evaluate", 0,
            "--max-steps", 1, "--log-steps", 1, *SMALL, *words,
        )  # fmt: skip
        assert ran.exit_code == 0, ran.output
        (row, *_) = read_log(tmp_path / arm / "training_log.jsonl")
        assert ("policy_loss" in row, row["loss"] == pytest.approx(row["reward_loss"])) == {
            "standard": (False, True),
            "dpo": (True, True),  # both begin at log 2: a head of zeros, a policy like its reference
        }[arm]
        head = RewardModel.from_pretrained(tmp_path / arm, device="cpu").reward_head.weight
        assert bool(head.any()) == (arm == "standard")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--quantize", "nf4", "--full"], "quantised weights cannot be trained, adapters on them can"),
        (["--alpha", "-1"], "alpha: at least 0"),
        (["--padding-free", "--share-prompts"], "padding_free and share_prompts"),
        (["--batch", "3", "--micro-batch", "2"], "batch: a multiple of micro_batch"),
        (["--max-tokens", "8"], "max_tokens: above 128"),
        (["--lora-rank", "0"], "rank: a whole number, at least 1"),
        (["--lora-layers", "0"], "layers: a whole number, at least 1, or None"),
        (["--chat"], "no chat template"),
    ],
)
def test_options_that_cannot_be_used(
    tiny: Path, data: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    ran = train("--data", data, "--model", tiny, "--out", tmp_path / "rm", *words)
    assert ran.exit_code == 2 and said in ran.output, ran.output
    assert not (tmp_path / "rm").exists()


def test_no_such_model(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = train("--data", data, "--model", tmp_path / "empty", "--out", tmp_path / "rm")
    assert ran.exit_code == 2 and "got:" in ran.output


@pytest.mark.realdata
def test_real_pairs_nf4_killed_continued_and_scored(tiny: Path, tmp_path: Path) -> None:
    if not HH.exists():
        pytest.skip(f"{HH} is not here")
    words = [
        "--data", HH, "--model", tiny, "--quantize", "nf4", "--limit", 40, "--evaluate", 8, "--max-steps", 16,
        "--batch", 4, "--micro-batch", 2, "--max-tokens", 64, "--max-prompt-tokens", 24, "--lr", 1e-3,
        "--lora-dropout", 0.1, "--checkpoint-steps", 1, "--log-steps", 1,
    ]  # fmt: skip
    out, whole = tmp_path / "killed", tmp_path / "whole"
    running = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli.main", "reward", "train", *map(str, words), "--out", str(out)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 250
    while not (out / "checkpoints" / "checkpoint-2" / "complete.json").exists():
        assert running.poll() is None and time.monotonic() < end, running.communicate()[1]
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not (out / "training_summary.json").exists()

    resumed = train(*words, "--out", out)
    assert resumed.exit_code == 0 and "going on at checkpoint" in resumed.output, resumed.output
    assert "prompts" in resumed.output and "lost their beginning" in resumed.output
    assert train(*words, "--out", whole).exit_code == 0
    one, two = (weights(RewardModel.from_pretrained(folder, device="cpu")) for folder in (out, whole))
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    logs = [
        [row["loss"] for row in read_log(folder / "training_log.jsonl") if "loss" in row]
        for folder in (out, whole)
    ]
    assert len(logs[0]) == 16 and logs[0] == logs[1]

    scored = CliRunner().invoke(
        cli,
        [
            "reward",
            "score",
            "--model",
            str(out),
            "--data",
            str(HH),
            "--limit",
            "8",
            "--out",
            str(tmp_path / "scored"),
        ],
    )
    assert scored.exit_code == 0, scored.output
    assert "harmless-base.jsonl.gz" in scored.output and "explicit" in scored.output
