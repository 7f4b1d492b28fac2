"""The soup: documents by their best section, libraries apart, growth, copies, and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.core.errors import DataError, SettingsError
from workbench.retrieval import BM25Retriever, Item, KnowledgeSoup
from workbench.retrieval.item import item_id


def item(name: str, text: str, parent: str = "", section: int = 0, **more: str) -> Item:
    return replace(Item(name, "documentation", name, text, parent or name, section), **more)  # type: ignore[arg-type]


class Lookup:
    """An index whose scores are written in the texts themselves: `query=score` words."""

    name = fingerprint = "lookup"

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.asked: list[tuple[tuple[str, ...], str]] = []
        self.added: list[int] = []

    def index(self, source: str) -> Lookup:
        return self

    def __len__(self) -> int:
        return len(self.texts)

    def add(self, texts) -> None:
        self.added.append(len(texts))
        self.texts += texts

    def scores(self, queries, kind):
        self.asked.append((tuple(queries), kind))
        tables = [dict(word.split("=") for word in text.split() if "=" in word) for text in self.texts]
        rows = [[float(table.get(query, "-inf")) for table in tables] for query in queries]
        return np.array(rows, dtype=np.float32).reshape(len(queries), len(self.texts))


def names(hits) -> list[tuple[str, float]]:
    return [(hit.item.id, hit.score) for hit in hits]


def test_a_document_scores_as_its_best_section_against_its_best_query():
    soup = KnowledgeSoup(Lookup(), [
        item("a0", "p=1 q=5", "a", 0), item("a1", "p=4", "a", 1), item("b0", "p=3 q=4.5", "b"),
        item("c0", "r=9", "c"),
    ])  # fmt: skip
    assert names(soup.search("p", "documentation")) == [("a1", 4), ("b0", 3)]
    assert names(soup.search(["p", "q"], "documentation")) == [("a0", 5), ("b0", 4.5)]
    assert names(soup.search("p", "documentation", k=1)) == [("a1", 4)]
    assert soup.search("nothing", "documentation") == []
    assert soup.search("p", "code_snippets") == []
    assert soup.search([], "documentation") == []
    assert soup.search("p", "documentation", k=0) == []


def test_documents_of_equal_score_come_in_the_order_in_which_they_were_added():
    soup = KnowledgeSoup(Lookup(), [item(f"d{number}", "p=1") for number in range(9)])
    assert [hit.item.id for hit in soup.search("p", "documentation", k=4)] == ["d0", "d1", "d2", "d3"]


def test_many_problems_are_scored_together_and_each_text_once():
    retriever = Lookup()
    soup = KnowledgeSoup(retriever, [item("a", "p=1 q=2"), item("b", "p=2")])
    found = soup.search_many([["p"], ["q", "p"], []], "documentation", kind="code")
    assert [names(hits) for hits in found] == [[("b", 2), ("a", 1)], [("a", 2), ("b", 2)], []]
    assert retriever.asked == [(("p", "q"), "code")]


def test_growth_hands_only_what_is_new_to_the_index_and_merges_what_is_the_same():
    retriever = Lookup()
    soup = KnowledgeSoup(retriever, [item("a", "p=1")])
    again = replace(soup["a"], provenance="elsewhere")
    assert soup.add([again, item("b", "p=2"), item("b", "p=2")]) == [item("b", "p=2")]
    assert soup.add([again]) == []
    assert (retriever.added, len(soup)) == ([1, 1], 2)
    assert soup["a"].provenance == ""


def test_two_different_items_of_one_id_are_refused_and_nothing_is_added():
    soup = KnowledgeSoup(items=[item("a", "one")])
    with pytest.raises(DataError, match="two different items of id 'a'"):
        soup.add([item("b", "new"), item("a", "two")])
    assert len(soup) == 1
    assert "b" not in soup


@pytest.mark.parametrize(
    "search",
    [
        lambda soup: soup.add([item("a", "x", source="gossip")]),
        lambda soup: soup.search("x", "gossip"),
        lambda soup: soup.search("x", "documentation", kind="gossip"),
        lambda soup: soup.search("x", "documentation", k=-1),
    ],
)
def test_what_is_none_of_the_known_words_is_refused(search):
    with pytest.raises(SettingsError):
        search(KnowledgeSoup())


def test_a_library_is_searched_apart_from_others_and_with_what_is_everybodys():
    shared = item("all", "sort numbers")
    knot = [item(f"knot{n}", "sort a list", library="knot") for n in range(2)]
    other = [item(f"other{n}", "sort a table", library="other") for n in range(20)]
    soup = KnowledgeSoup(items=[*knot, *other, shared])
    found = soup.search("sort list", "documentation", library="knot", k=50)
    assert {hit.item.id for hit in found} == {"knot0", "knot1", "all"}
    alone = KnowledgeSoup(items=[*knot, shared]).search("sort list", "documentation", library="knot", k=50)
    assert found == alone  # how rare a word is does not depend on other libraries
    assert len(soup.search("sort", "documentation", k=50)) == 23
    assert [hit.item.id for hit in soup.search("sort", "documentation", library="new")] == ["all"]


def test_a_copy_grows_apart_and_shares_what_neither_changes():
    soup = KnowledgeSoup(BM25Retriever(), [item("a", "sort list"), item("s", "run", source="code_snippets")])
    twin = soup.copy()
    twin.add([item("t", "run twice", source="code_snippets")])
    soup.add([item("u", "run thrice", source="code_snippets")])
    assert [hit.item.id for hit in soup.search("run", "code_snippets")] == ["s", "u"]
    assert [hit.item.id for hit in twin.search("run", "code_snippets")] == ["s", "t"]
    assert soup._shelves["documentation", ""] is twin._shelves["documentation", ""]


def test_a_document_gives_its_sections_in_their_order():
    soup = KnowledgeSoup(items=[item("a1", "two", "a", 1), item("a0", "one", "a", 0), item("b", "x")])
    assert [one.id for one in soup.document("documentation", "a")] == ["a0", "a1"]
    assert soup.document("documentation", "none") == []
    assert soup.document("web_search", "a") == []


def test_a_title_is_searched_too_where_the_text_does_not_begin_with_it():
    soup = KnowledgeSoup(items=[item("zorp", "arrange numbers")])
    assert [hit.item.id for hit in soup.search("zorp", "documentation")] == ["zorp"]


def test_ids_depend_on_each_part_and_on_where_it_ends():
    assert item_id("documentation", "ab", "c") != item_id("documentation", "a", "bc")
    assert item_id("documentation", "ab") == item_id("documentation", "ab")
    assert item_id("documentation", "a\ud800").startswith("documentation:")
