"""BM25 over texts that keep coming: exactly the scores of an index of the whole, without building it again.

Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond"; the variant is
that of Lucene, exact document lengths (Kamphuis et al. 2020, "Which BM25 Do You Mean?").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import SettingsError
from workbench.retrieval.retriever import Scores
from workbench.retrieval.tokenizer import CodeTokenizer

__all__ = ["BM25Index", "BM25Retriever", "bm25_weights"]

Ints = NDArray[np.int32]


def bm25_weights(
    counts: NDArray[np.int32],
    lengths: NDArray[np.int64],
    frequencies: NDArray[np.int64],
    *,
    documents: int,
    mean_length: float,
    k1: float,
    b: float,
) -> Scores:
    """Return what each occurrence of a word in a document adds to that document's score.

    `ln(1 + (N - df + 0.5) / (df + 0.5)) * tf / (tf + k1 * (1 - b + b * length / mean length))`: Kamphuis et al.
    2020, Table 1, Lucene (accurate).

    Args:
        counts: (n,) how often the word is in the document: tf.
        lengths: (n,) words of the document.
        frequencies: (n,) documents that have the word: df.
        documents: Documents in all: N.
        mean_length: Words of a document on average.
        k1: Above 0; the larger, the more a word's repetition counts.
        b: From 0 to 1; how much long documents are held back.

    Returns:
        (n,) float32.
    """
    rarity = np.log1p((documents - frequencies + 0.5) / (frequencies + 0.5))
    weights = rarity * counts / (counts + k1 * (1 - b + b * lengths / mean_length))
    return weights.astype(np.float32)


class BM25Retriever:
    """Lexical search with a tokenizer that cuts identifiers into their words.

    Each source is a collection of its own: document frequencies and the mean length are those of the source's
    sections at the time of the search, so that snippets that come do not change how documents are ranked.
    A word that stands several times in a query counts as often.

    Args:
        k1: Above 0; the larger, the more a word's repetition counts.
        b: From 0 to 1; how much long sections are held back.

    Raises:
        SettingsError: A value is out of its range.
    """

    name = "bm25"

    def __init__(self, k1: float = 1.5, b: float = 0.75) -> None:
        if not (k1 > 0 and 0 <= b <= 1):
            raise SettingsError(f"k1={k1}, b={b}", "k1 above 0 and b from 0 to 1", "use k1=1.5, b=0.75")
        self.k1, self.b = k1, b
        self.tokenizer = CodeTokenizer()

    @property
    def fingerprint(self) -> str:
        """The variant and its parameters."""
        return f"bm25 lucene k1={self.k1} b={self.b}"

    def index(self, source: str) -> BM25Index:
        """Return a new, empty index. See `Retriever.index`."""
        return BM25Index(self.tokenizer, self.k1, self.b)


class BM25Index:
    """The texts of one source, in segments.

    New texts become a new segment; a segment that is at least half as large as the one before it is merged
    with it, so there are few, and each text is merged a logarithmic number of times. A segment holds how often
    each word is in each of its texts. What an occurrence weighs depends on the whole collection, so it is
    computed, by one vectorised pass and only when the collection has changed, at the next search.

    Args:
        tokenizer: Reads both texts and queries.
        k1, b: See `BM25Retriever`.
    """

    def __init__(self, tokenizer: CodeTokenizer, k1: float, b: float) -> None:
        self._tokenizer, self._k1, self._b = tokenizer, k1, b
        self._segments: list[_Segment] = []
        self._frequencies = np.zeros(0, dtype=np.int64)  # by word: texts of all segments that have it
        self._words = self._texts = 0
        self._weighted = True

    def __len__(self) -> int:
        return self._texts

    def add(self, texts: Sequence[str]) -> None:
        """Append texts. See `Index.add`."""
        if not texts:
            return
        segment = _Segment.of(self._tokenizer.documents(texts))
        grown = np.zeros(len(self._tokenizer.vocabulary), dtype=np.int64)
        grown[: len(self._frequencies)] = self._frequencies
        grown[segment.words] += np.diff(segment.starts)
        self._frequencies = grown
        self._texts += len(texts)
        self._words += int(segment.lengths.sum())
        self._segments.append(segment)
        while len(self._segments) > 1 and 2 * len(self._segments[-1]) >= len(self._segments[-2]):
            last = self._segments.pop()
            self._segments[-1] = _Segment.merged(self._segments[-1], last)
        self._weighted = False

    def scores(self, queries: Sequence[str], kind: str) -> Scores:
        """Score every text against every query. See `Index.scores`."""
        self._weigh()
        found = np.empty((len(queries), self._texts), dtype=np.float32)
        for row, query in zip(found, queries, strict=True):
            words, first = self._tokenizer.query(query), 0
            for segment in self._segments:
                row[first : first + len(segment)] = segment.scores(words)
                first += len(segment)
        found[found == 0] = -np.inf
        return found

    def _weigh(self) -> None:
        """Bring the segments' weights up to date."""
        if self._weighted:
            return
        mean_length = max(self._words / self._texts, 1e-9)  # texts without any word are texts too
        for segment in self._segments:
            each = np.diff(segment.starts)
            segment.weights = bm25_weights(
                segment.counts,
                segment.lengths[segment.documents],
                np.repeat(self._frequencies[segment.words], each),
                documents=self._texts,
                mean_length=mean_length,
                k1=self._k1,
                b=self._b,
            )
        self._weighted = True


@dataclass
class _Segment:
    """Word counts of some texts, word by word (compressed columns), and what each occurrence weighs."""

    words: Ints
    """(distinct words,) numbers of the words that occur, ascending."""
    starts: NDArray[np.int64]
    """(distinct words + 1,) where each word's occurrences begin in the next two."""
    documents: Ints
    """(occurrences,) the text, from 0; ascending within a word."""
    counts: Ints
    """(occurrences,) how often the word is in it."""
    lengths: NDArray[np.int64]
    """(texts,) words of each text."""
    weights: Scores = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    """(occurrences,) what each adds to its text's score; of the whole collection, so set before a search."""

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def of(cls, texts: Sequence[Ints]) -> _Segment:
        """Count the words of texts that are given as their words' numbers."""
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        document = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
        pairs = np.concatenate(texts).astype(np.int64) * len(texts) + document
        pairs, counts = np.unique(pairs, return_counts=True)
        return cls._sorted(pairs // len(texts), pairs % len(texts), counts, lengths)

    @classmethod
    def merged(cls, first: _Segment, second: _Segment) -> _Segment:
        """Put two segments behind one another."""
        columns = [np.repeat(one.words, np.diff(one.starts)) for one in (first, second)]
        word = np.concatenate(columns)
        document = np.concatenate([first.documents, second.documents + np.int32(len(first))])
        order = np.argsort(word, kind="stable")  # the first's texts come first in each word
        counts = np.concatenate([first.counts, second.counts])
        lengths = np.concatenate([first.lengths, second.lengths])
        return cls._sorted(word[order], document[order], counts[order], lengths)

    @classmethod
    def _sorted(
        cls,
        word: NDArray[np.integer],
        document: NDArray[np.integer],
        counts: NDArray[np.integer],
        lengths: NDArray[np.int64],
    ) -> _Segment:
        words, starts = np.unique(word, return_index=True)
        return cls(
            words.astype(np.int32),
            np.append(starts, len(word)).astype(np.int64),
            document.astype(np.int32),
            counts.astype(np.int32),
            lengths,
        )

    def scores(self, query: Ints) -> Scores:
        """Return (texts,) float32: the sum over the query's words; 0 where no word is shared."""
        place = np.searchsorted(self.words, query)
        there = place < len(self.words)
        there[there] = self.words[place[there]] == query[there]
        found = np.zeros(len(self), dtype=np.float32)
        for word in place[there]:
            texts = slice(self.starts[word], self.starts[word + 1])
            np.add.at(found, self.documents[texts], self.weights[texts])
        return found
