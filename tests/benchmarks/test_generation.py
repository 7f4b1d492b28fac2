"""The benchmark of generation runs, and every way writes the same tokens; no time is asserted."""

from __future__ import annotations

from pathlib import Path

from tiny_model import make_tiny_model

from workbench.benchmarks.generation import ARMS, measure_generation


def test_every_way_writes_the_same_tokens(tmp_path: Path) -> None:
    said: list[str] = []
    prompts = ["sum " * (1 + 5 * (i % 3)) + str(i) for i in range(5)]
    speed = measure_generation(
        str(make_tiny_model(tmp_path)),
        prompts,
        max_new_tokens=12,
        batch_size=2,
        rounds=1,
        threads=1,
        device="cpu",
        say=said.append,
    )
    assert tuple(speed.tokens) == ARMS
    assert len(set(speed.tokens.values())) == 1  # a random model writes no stop text
    assert speed.ratio(ARMS[-1]) == (1.0, 1.0)
    assert len(said) == len(ARMS)
