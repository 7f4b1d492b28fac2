"""Hybrid search: several retrievers' rankings, put together by reciprocal rank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.errors import SettingsError
from workbench.retrieval.retriever import Index, Retriever, Scores

__all__ = ["HybridIndex", "HybridRetriever", "reciprocal_rank_fusion"]


def reciprocal_rank_fusion(scores: Sequence[Scores], k: float = 60.0) -> Scores:
    """Return the sum over rankings of `1 / (k + rank)`, rank 1 for the best.

    Source: Cormack, Clarke and Buettcher 2009, "Reciprocal Rank Fusion Outperforms Condorcet and Individual
    Rank Learning Methods", which has k = 60.

    Args:
        scores: For each ranking (texts,) scores; -inf where a text is not ranked. Equal scores rank equal.
        k: The larger, the less the first places stand out.

    Returns:
        (texts,) float32; -inf where a text is in no ranking.
    """
    fused = np.zeros(len(scores[0]), dtype=np.float64)
    ranked = np.zeros(len(scores[0]), dtype=bool)
    for score in scores:
        there = score > -np.inf
        ordered = np.sort(-score[there])
        ranks = np.searchsorted(ordered, -score[there], side="left") + 1
        fused[there] += 1.0 / (k + ranks)
        ranked |= there
    return np.where(ranked, fused, -np.inf).astype(np.float32)


class HybridRetriever:
    """Ranks sections by several retrievers and fuses the rankings.

    Args:
        retrievers: At least two; BM25 and the offline dense encoder where None.
        k: See `reciprocal_rank_fusion`.

    Raises:
        SettingsError: There are fewer than two retrievers, or k is not above 0.
    """

    def __init__(self, retrievers: Sequence[Retriever] | None = None, k: float = 60.0) -> None:
        if retrievers is None:
            from workbench.retrieval.bm25 import BM25Retriever
            from workbench.retrieval.dense import DenseRetriever

            retrievers = (BM25Retriever(), DenseRetriever())
        if len(retrievers) < 2 or k <= 0:
            raise SettingsError(
                got=f"{len(retrievers)} retriever(s), k={k}",
                needed="at least two retrievers to fuse, and k above 0",
                fix="give BM25Retriever() and DenseRetriever(), and k=60",
            )
        self.retrievers, self.k = tuple(retrievers), k

    @property
    def name(self) -> str:
        """The names of what is fused."""
        return f"hybrid({', '.join(retriever.name for retriever in self.retrievers)})"

    @property
    def fingerprint(self) -> str:
        """The fingerprints of what is fused, and k."""
        return f"hybrid k={self.k} [{'; '.join(retriever.fingerprint for retriever in self.retrievers)}]"

    def index(self, source: str) -> HybridIndex:
        """Return a new, empty index. See `Retriever.index`."""
        return HybridIndex([retriever.index(source) for retriever in self.retrievers], self.k)


class HybridIndex:
    """The indexes of one source.

    Args:
        indexes: One a retriever.
        k: See `reciprocal_rank_fusion`.
    """

    def __init__(self, indexes: Sequence[Index], k: float) -> None:
        self._indexes, self._k = list(indexes), k

    def __len__(self) -> int:
        return len(self._indexes[0])

    def add(self, texts: Sequence[str]) -> None:
        """Append texts. See `Index.add`."""
        for index in self._indexes:
            index.add(texts)

    def scores(self, queries: Sequence[str], kind: str) -> Scores:
        """Return (queries, texts) float32 fused scores. See `Index.scores`."""
        each = [index.scores(queries, kind) for index in self._indexes]
        fused = np.empty((len(queries), len(self)), dtype=np.float32)
        for number in range(len(queries)):
            fused[number] = reciprocal_rank_fusion([scores[number] for scores in each], self._k)
        return fused
