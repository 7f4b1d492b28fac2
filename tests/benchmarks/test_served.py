"""The benchmark of served models, with a program in the place of vLLM."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_engine import FakeEngine

from workbench.benchmarks.served import measure_served
from workbench.core.errors import ModelError


def test_both_arms_answer_everything_and_the_workbench_by_fewer_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    # the tokenizer is not looked for: texts are counted by the guess that endpoints are
    monkeypatch.setattr("workbench.generators.served.ServedText._words", None)
    engine = FakeEngine(tmp_path)
    engine.does(takes_s=0.02)
    said: list[str] = []
    speed = measure_served(
        "lab/model@vllm", ["one", "two"], samples=3, max_new_tokens=8, rounds=1, say=said.append
    )
    assert (speed.engine, speed.answers, speed.requests, speed.capacity) == ("vllm", 6, 2, 256)
    assert 0 < speed.under_way <= 6
    assert speed.ratio == speed.tokens_per_s / speed.plain_tokens_per_s
    # two answers that do not count, two requests for three samples each, six bare ones
    assert [body.get("n", 1) for body in engine.bodies] == [1, 1, 3, 3, *[1] * 6]
    assert "; 12, 256 at a time: 0 min or more" in said[0]
    assert [line.split(",")[1].split(":")[0].strip() for line in said[1:]] == ["workbench", "bare requests"]


def test_a_model_that_the_engine_cannot_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine(tmp_path)
    (tmp_path / "llama-server").symlink_to(engine.folder / "vllm")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ModelError, match=r"for llama\.cpp"):
        measure_served(
            "smollm2@llama.cpp", ["one"], samples=1, max_new_tokens=1, rounds=1, say=lambda line: None
        )
