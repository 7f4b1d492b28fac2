"""The benchmark of retrieval runs, on the same texts for all ways; no time is asserted."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.benchmarks import retrieval
from workbench.benchmarks.retrieval import code_like_texts, measure_search
from workbench.core.errors import SettingsError
from workbench.retrieval.tokenizer import words_of


def test_texts_are_fixed_by_the_seed_and_share_their_words():
    texts = code_like_texts(50, 1)
    assert texts == code_like_texts(50, 1) != code_like_texts(50, 2)
    one, other = ({word for text in code_like_texts(50, seed) for word in words_of(text)} for seed in (1, 2))
    assert len(one & other) > len(one) / 4
    assert any("_" in text for text in texts)


@pytest.mark.bench
def test_every_way_is_measured():
    pytest.importorskip("rank_bm25", reason="`make bench-setup` was not run")
    report = measure_search(40, queries=2, slow_queries=1)
    assert report.sections == 40
    assert all(value >= 0 for value in vars(report).values())


def test_the_authors_way_finds_what_the_matrix_finds():
    vectors = retrieval._Random(0).encode(["x"] * 30)
    found = [number for number, _ in retrieval._authors_way(vectors, vectors[3:4])]
    assert found == np.argsort(-(vectors @ vectors[3]))[:5].tolist()


def test_numbers_below_one_are_refused():
    with pytest.raises(SettingsError, match="sections=0"):
        measure_search(0)
