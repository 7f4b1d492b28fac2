"""BM25: values by hand, equality with `bm25s` on the whole, and the same scores however the texts came."""

from __future__ import annotations

import math

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import SettingsError
from workbench.retrieval.bm25 import BM25Index, BM25Retriever, bm25_weights
from workbench.retrieval.tokenizer import CodeTokenizer, words_of

WORDS = st.lists(st.sampled_from(["sort", "list", "fooBar", "foo", "x_1", "the"]), max_size=8).map(" ".join)


def index(*batches: list[str], retriever: BM25Retriever | None = None) -> BM25Index:
    found = (retriever or BM25Retriever()).index("documentation")
    for batch in batches:
        found.add(batch)
    return found


def test_scores_are_those_computed_by_hand():
    found = index(["sort list", "list list list"]).scores(["sort list"], "question")
    # N = 2, mean length 2.5; df(sort) = 1, df(list) = 2
    rare, common = math.log(1 + 1.5 / 1.5), math.log(1 + 0.5 / 2.5)
    short, long = 1.5 * (0.25 + 0.75 * 2 / 2.5), 1.5 * (0.25 + 0.75 * 3 / 2.5)
    expected = [rare / (1 + short) + common / (1 + short), common * 3 / (3 + long)]
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


def test_a_word_asked_twice_counts_twice_and_a_text_without_any_is_not_found():
    found = index(["sort", "other"]).scores(["sort", "sort sort", "nothing known"], "question")
    assert found[1, 0] == pytest.approx(2 * found[0, 0])
    assert (found[:, 1] == -np.inf).all()
    assert found[2, 0] == -np.inf


def test_weights_are_larger_for_rare_words_and_short_texts():
    counts, lengths = np.array([1, 1, 1], np.int32), np.array([10, 10, 40])
    weights = bm25_weights(
        counts, lengths, np.array([1, 50, 1]), documents=100, mean_length=20, k1=1.5, b=0.75
    )
    assert weights[0] > weights[1]
    assert weights[0] > weights[2]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=6), min_size=1, max_size=8), st.lists(WORDS, min_size=1))
def test_growth_gives_bit_for_bit_the_scores_of_an_index_of_the_whole(batches, queries):
    grown = index()
    for batch in batches:
        grown.add(batch)
        grown.scores(queries[:1], "question")  # weights of before must not stay
    whole = index([text for batch in batches for text in batch])
    np.testing.assert_array_equal(grown.scores(queries, "code"), whole.scores(queries, "code"))


@settings(max_examples=30, deadline=None)
@given(st.lists(WORDS, min_size=2, max_size=20).filter(any), WORDS.filter(bool))
def test_scores_are_those_of_bm25s(texts, query):
    reference = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend="numpy")
    reference.index([words_of(text) for text in texts], show_progress=False)
    known = [word for word in words_of(query) if word in reference.vocab_dict]
    expected = reference.get_scores(known) if known else np.zeros(len(texts))
    found = index(texts).scores([query], "question")[0]
    np.testing.assert_allclose(np.where(found == -np.inf, 0, found), expected, rtol=1e-5)


def test_what_is_there_is_neither_cut_nor_counted_again(monkeypatch):
    read: list[str] = []
    document = CodeTokenizer.document

    def noted(self: CodeTokenizer, text: str):
        read.append(text)
        return document(self, text)

    monkeypatch.setattr(CodeTokenizer, "document", noted)
    found = index([f"text {number}" for number in range(50)])
    first = found._segments[0]
    for number in range(5):
        found.add([f"more {number}"])
    found.scores(["more"], "question")
    assert len(read) == 55
    assert found._segments[0] is first
    assert len(found) == 55


def test_small_segments_are_merged_so_that_there_are_few():
    found = index(*[[f"text {number}"] for number in range(100)])
    assert len(found._segments) <= 8
    assert sum(map(len, found._segments)) == 100


def test_one_tokenizer_reads_both_so_that_a_query_finds_its_own_text():
    retriever = BM25Retriever()
    texts = ["scipy.optimize.linear_sum_assignment", "cKDTree", "HTTPServer2Go", "größer Ärger"]
    found = index(texts, retriever=retriever).scores(texts, "code")
    assert found.argmax(axis=1).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("linear_sum", ["linear_sum", "linear", "sum"]),
        ("cKDTree", ["ckdtree", "c", "kd", "tree"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("x2y", ["x2y", "x", "2", "y"]),
        ("a.b(c)", ["a", "b", "c"]),
        ("Sort", ["sort"]),
        ("größer", ["größer"]),
        ("__init__", ["__init__", "init"]),
        ("_", ["_"]),
        ("日本語", ["日本語"]),
        ("", []),
    ],
)
def test_identifiers_give_themselves_and_their_words(text, words):
    assert words_of(text) == words


@given(st.text())
def test_documents_and_queries_are_cut_alike_whatever_they_hold(text):
    tokenizer = CodeTokenizer()
    np.testing.assert_array_equal(tokenizer.document(text), tokenizer.query(text))


@pytest.mark.parametrize(("k1", "b"), [(0, 0.75), (1.5, -0.1), (1.5, 1.1)])
def test_parameters_out_of_range_are_refused(k1, b):
    with pytest.raises(SettingsError, match="k1 above 0"):
        BM25Retriever(k1, b)


def test_empty_texts_alone_have_no_scores():
    assert (index(["", ""]).scores(["sort"], "question") == -np.inf).all()
