"""`workbench reward score` and `compare`, from files to tables, with tiny models."""

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
from tiny_model import make_tiny_model

from workbench.cli.main import cli
from workbench.models import (
    EncodingSettings,
    LoraSettings,
    ModelSettings,
    RewardModel,
    load_tokenizer,
    save_encoding,
)
from workbench.rewards.pair_scores import PreferenceScores
from workbench.store import atomic

HH = Path(__file__).resolve().parents[4] / "shared" / "data" / "hh-rlhf" / "harmless-base.jsonl.gz"


def command(*words: object) -> Result:
    return CliRunner().invoke(cli, ["reward", *map(str, words)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a tiny model, reward models of it, and two files of pairs."""
    folder = tmp_path_factory.mktemp("reward")
    base = make_tiny_model(folder / "base")
    tokenizer = load_tokenizer(ModelSettings(str(base)))
    for name, lora in (("lora", LoraSettings(rank=4)), ("full", None)):
        torch.manual_seed(5)
        model = RewardModel.load(ModelSettings(str(base), device="cpu"), lora=lora, init_std=0.5)
        with torch.no_grad():
            for part, weight in model.policy.named_parameters():
                if "lora_B" in part or lora is None:
                    weight.add_(0.1 * torch.randn_like(weight))
        model.save_pretrained(folder / name, tokenizer=tokenizer)
    save_encoding(EncodingSettings(max_tokens=64, max_prompt_tokens=32), folder / "lora")
    asked = {"model": str(base), "settings": {"beta": 0.25, "seed": 9}, "data": ["made"]}
    (folder / "full" / "training.json").write_text(json.dumps({"asked": asked}))
    for name in ("one", "two"):
        rows = [
            {
                "prompt": f"{name} {k}",
                "chosen": "x " * (k % 5 + 1),
                "rejected": f"y{k}",
                "subset": "ab"[k % 2],
            }
            for k in range(12)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def score(folder: Path, model: str, out: Path, *words: object) -> Result:
    options = ("--model", folder / model, "--data", folder / "one.jsonl", "--split", "all", "--device", "cpu")
    return command("score", *options, "--out", out, *words)


@pytest.fixture(scope="module")
def lora(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Hold a scoring of two files that nothing interrupted."""
    out = tmp_path_factory.mktemp("lora")
    done = score(folder, "lora", out, "--data", folder / "two.jsonl")
    assert done.exit_code == 0, done.output
    return out, done.output


def test_it_prints_the_table_and_writes_its_files(lora: tuple[Path, str]) -> None:
    out, printed = lora
    table, results = (
        PreferenceScores.load(out / "scores.jsonl"),
        json.loads((out / "results.json").read_text()),
    )
    assert len(table) == results["pairs"] == 24
    lines = printed.splitlines()
    header = next(k for k, line in enumerate(lines) if line.lstrip().startswith("pairs"))
    assert " ".join(lines[header].split()) == "pairs explicit implicit logp, sum logp, mean longer shorter"
    labels = [line.split()[0] for line in lines[header + 2 : header + 10] if not line.startswith("-")]
    assert labels == ["one.jsonl", "a", "b", "two.jsonl", "a", "b", "all"]
    everything = {row["score"]: row for row in results["accuracy"] if not row["source"]}
    assert f"{everything['explicit']['value']:.3f} [{everything['explicit']['low']:.3f}" in printed
    assert results["against_baselines"]
    assert "order" in printed  # explicit and implicit reward order ... alike
    assert str(out / "results.json").rpartition("/")[0] in printed


def test_the_encoding_of_the_training_is_used_unless_another_is_asked_for(
    lora: tuple[Path, str], folder: Path, tmp_path: Path
) -> None:
    assert json.loads((lora[0] / "results.json").read_text())["settings"]["encoding"]["max_tokens"] == 64
    done = score(folder, "lora", tmp_path, "--max-tokens", 40, "--limit", 1)
    assert done.exit_code == 0, done.output
    encoding = json.loads((tmp_path / "results.json").read_text())["settings"]["encoding"]
    assert (encoding["max_tokens"], encoding["max_prompt_tokens"]) == (40, 32)


def test_a_full_model_finds_the_model_and_the_beta_it_was_trained_with(folder: Path, tmp_path: Path) -> None:
    done = score(folder, "full", tmp_path / "known")
    assert done.exit_code == 0, done.output
    table = PreferenceScores.load(tmp_path / "known" / "scores.jsonl")
    results = json.loads((tmp_path / "known" / "results.json").read_text())
    assert (table.beta, results["seed"], results["trained_on"]) == (0.25, 9, ["made"])
    assert table.has("implicit")
    named = score(folder, "full", tmp_path / "named", "--baseline", folder / "base", "--beta", 0.25)
    assert named.exit_code == 0
    assert (tmp_path / "named" / "scores.jsonl").read_bytes() == (
        tmp_path / "known" / "scores.jsonl"
    ).read_bytes()


def test_without_a_baseline_it_says_what_is_missing(folder: Path, tmp_path: Path) -> None:
    model = RewardModel.from_pretrained(folder / "full", device="cpu")
    model.save_pretrained(tmp_path / "moved", tokenizer=load_tokenizer(ModelSettings(str(folder / "base"))))
    done = command(
        "score", "--model", tmp_path / "moved", "--data", folder / "one.jsonl", "--out", tmp_path / "out"
    )
    assert done.exit_code == 2  # every pair of so small a file is in the train split
    assert "at least one pair" in done.output
    done = score(tmp_path, "moved", tmp_path / "out", "--data", folder / "two.jsonl")
    assert "one.jsonl" in done.output
    (tmp_path / "one.jsonl").write_bytes((folder / "one.jsonl").read_bytes())
    done = score(tmp_path, "moved", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "by --baseline" in done.output
    assert PreferenceScores.load(tmp_path / "out" / "scores.jsonl").has("policy logp, sum")


def test_a_language_model_is_scored_as_the_baseline_that_it_is(folder: Path, tmp_path: Path) -> None:
    done = score(folder, "base", tmp_path, "--limit", 1)
    assert done.exit_code == 0, done.output
    assert "explicit" not in done.output
    table = PreferenceScores.load(tmp_path / "scores.jsonl")
    assert table.available == ("untrained logp, sum", "untrained logp, mean", "longer wins", "shorter wins")
    assert len(table) == 1


def test_files_of_the_same_name_are_told_apart(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_bytes((folder / "one.jsonl").read_bytes())
    done = score(folder, "base", tmp_path / "out", "--data", tmp_path / "one.jsonl")
    assert done.exit_code == 0, done.output
    table = PreferenceScores.load(tmp_path / "out" / "scores.jsonl")
    assert set(table.sources) == {str(folder / "one.jsonl"), str(tmp_path / "one.jsonl")}


def test_killed_and_started_again_it_ends_with_the_same_bytes(
    lora: tuple[Path, str], folder: Path, tmp_path: Path
) -> None:
    words = ["--model", folder / "lora", "--data", folder / "one.jsonl", "--data", folder / "two.jsonl"]
    words += ["--split", "all", "--device", "cpu", "--out", tmp_path]
    slow = (  # each batch waits, so that the kill falls between two
        "import sys, time\nfrom workbench.rewards.scorer import Scorer\nmeasure = Scorer.measure\n"
        "def slowly(self, encoded):\n    time.sleep(0.5)\n    return measure(self, encoded)\n"
        "Scorer.measure = slowly\nfrom workbench.cli.main import main\nmain(sys.argv[1:])\n"
    )
    arguments = [sys.executable, "-c", slow, "reward", "score", *map(str, words)]
    running = subprocess.Popen(
        arguments, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    scores, end = tmp_path / "scores.jsonl", time.monotonic() + 200
    while not (scores.exists() and scores.read_bytes().count(b"\n")):
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < end, "no scores came"
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not (tmp_path / "results.json").exists()
    assert scores.read_bytes() != (lora[0] / "scores.jsonl").read_bytes()
    done = command("score", *words)
    assert done.exit_code == 0, done.output
    assert scores.read_bytes() == (lora[0] / "scores.jsonl").read_bytes()
    assert json.loads((tmp_path / "results.json").read_text())["accuracy"] == _accuracy(lora[0])


def _accuracy(folder: Path) -> Any:
    return json.loads((folder / "results.json").read_text())["accuracy"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--model", "nowhere/at/all"], "nowhere/at/all"),
        (["--baseline", "nowhere/at/all"], "nowhere/at/all"),
        (["--beta", "-1"], "beta -1.0"),
        (["--template", "no slot"], "template 'no slot'"),
        (["--dtype", "int3"], "dtype 'int3'"),
    ],
)
def test_bad_input_is_named_and_ends_with_2(
    folder: Path, tmp_path: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = score(folder, "lora", tmp_path / "out", *words)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_two_processes_do_not_score_into_one_folder(folder: Path, tmp_path: Path) -> None:
    held = (
        "import sys, time\nfrom pathlib import Path\nfrom workbench.store import atomic\n"
        "with atomic.lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    arguments = [sys.executable, "-c", held, str(tmp_path / ".lock")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            assert atomic.is_locked(tmp_path / ".lock")
            done = score(folder, "base", tmp_path)
            assert done.exit_code == 2
            assert "another process is scoring into" in done.output
        finally:
            other.kill()


def test_runs_are_compared_and_written(folder: Path, lora: tuple[Path, str], tmp_path: Path) -> None:
    assert score(folder, "full", tmp_path / "full").exit_code == 0
    done = command("compare", f"lora={lora[0]}", tmp_path / "full", "--out", tmp_path / "compared.json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads((tmp_path / "compared.json").read_text())["differences"]
    # the first file only was scored by both
    assert (row["arm"], row["against"], row["source"], row["pairs"]) == ("full", "lora", "one.jsonl", 12)
    assert f"{row['difference']:+.3f}" in done.output
    implicit = command(
        "compare", f"lora={lora[0]}", tmp_path / "full", "--score", "implicit", "--against", "full"
    )
    assert implicit.exit_code == 0, implicit.output
    assert "full by its implicit score" in implicit.output


def test_the_matrix_has_a_row_for_what_each_model_was_trained_on(
    lora: tuple[Path, str], tmp_path: Path
) -> None:
    done = command("compare", "--matrix", f"hh={lora[0]}", "--out", tmp_path / "m.json")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "m.json").read_text())["matrix"]
    assert [(row["trained_on"], row["tested_on"]) for row in found] == [
        ("hh", "one.jsonl"),
        ("hh", "two.jsonl"),
    ]
    whole = [row for row in _accuracy(lora[0]) if row["score"] == "explicit" and not row["subset"]]
    by_source = {row["source"]: row["value"] for row in whole}
    assert [row["value"] for row in found] == [by_source["one.jsonl"], by_source["two.jsonl"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "'nowhere', where no scores.jsonl is"),
        (["a="], "'a=', where no scores.jsonl is"),
        (["RUN"], "two or more"),
        (["a=RUN", "b=RUN", "--against", "c"], "arm 'c'"),
        (["a=RUN", "b=RUN", "--score", "luck"], "score 'luck'"),
        (["a=RUN", "b=RUN", "--score", "a=implicit", "--matrix"], "a matrix of different scores"),
    ],
)
def test_what_cannot_be_compared_is_named(lora: tuple[Path, str], words: list[str], said: str) -> None:
    done = command("compare", *(word.replace("RUN", str(lora[0])) for word in words))
    assert done.exit_code == 2, done.output
    assert said in done.output


@pytest.mark.realdata
def test_the_real_pairs_are_scored_by_a_tiny_model(folder: Path, tmp_path: Path) -> None:
    if not HH.is_file():
        pytest.skip(f"no {HH}")
    done = command("score", "--model", folder / "lora", "--data", HH, "--limit", 24, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert PreferenceScores.load(tmp_path / "scores.jsonl").has("implicit")
    assert "pairs were cut to fit" in done.output
