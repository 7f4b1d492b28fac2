"""A cached reward asks once, and a killed run's file is still good."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from workbench.core.errors import DataError, SettingsError
from workbench.rewards import Cached, Sample, Span, whole


class Counting:
    """A reward for tests that remembers what it was asked."""

    name = "length"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        self.seen += [sample.response for sample in samples]
        return [
            [whole(sample, len(sample.response)), Span(0, 1, 0.5, on_each=True)] if sample.response else []
            for sample in samples
        ]


SAMPLES = [Sample("p", "a"), Sample("p", "bb"), Sample("p", "a"), Sample("q", "a"), Sample("p", "")]


def test_equal_samples_are_scored_once_and_others_are_told_apart() -> None:
    inner = Counting()
    reward = Cached(inner)
    assert reward(SAMPLES) == Counting()(SAMPLES)
    assert inner.seen == ["a", "bb", "a", ""]
    assert reward(SAMPLES[::-1]) == Counting()(SAMPLES[::-1])
    assert reward.asked == len(inner.seen) == 4
    reward([Sample("p", "a", {"question": "?"})])
    assert reward.asked == 5


def test_what_the_caller_does_to_a_list_is_not_remembered() -> None:
    reward = Cached(Counting())
    reward(SAMPLES[:1])[0].clear()
    assert reward(SAMPLES[:1]) == Counting()(SAMPLES[:1])


def test_the_longest_unused_is_dropped_also_within_a_batch_larger_than_the_cache() -> None:
    reward = Cached(Counting(), size=2)
    assert reward(SAMPLES) == Counting()(SAMPLES)
    reward([SAMPLES[4]])
    assert reward.asked == 4
    reward([SAMPLES[1]])
    assert reward.asked == 5


def test_a_file_is_continued_also_where_a_kill_cut_it_off(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "scores.jsonl"
    Cached(Counting(), path=path)(SAMPLES)
    again = Cached(Counting(), path=path)
    assert again(SAMPLES) == Counting()(SAMPLES) and again.asked == 0
    path.write_bytes(path.read_bytes()[:-5])
    cut = Cached(Counting(), path=path)
    assert cut(SAMPLES) == Counting()(SAMPLES) and cut.asked == 1
    after = Cached(Counting(), path=path)
    assert after(SAMPLES) == Counting()(SAMPLES) and after.asked == 0


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    Cached(Counting(), path=path, version="1")(SAMPLES)
    with pytest.raises(DataError) as caught:
        Cached(Counting(), path=path, version="2")
    assert json.dumps({"reward": "length", "version": "2"}) in caught.value.needed
    with pytest.raises(DataError, match="a file that can be read"):
        Cached(Counting(), path=tmp_path)
    with pytest.raises(SettingsError, match="size 0"):
        Cached(Counting(), size=0)
