"""How fast the soup searches and grows, beside `rank_bm25` and the authors' way; what the loop's own work costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from workbench.core.errors import SettingsError
from workbench.datasets import load_problems
from workbench.datasets.coding_problem import CodingProblem
from workbench.generators.completion import estimated_tokens
from workbench.generators.recorded_texts import RecordedText
from workbench.retrieval import ActiveRetrievalSettings, Item, KnowledgeSoup, active_retrieval
from workbench.retrieval.dense import DenseRetriever
from workbench.retrieval.documentation import PackageDocumentation
from workbench.retrieval.ds1000 import coding_problem
from workbench.retrieval.report import Spent
from workbench.retrieval.retriever import Scores
from workbench.retrieval.tokenizer import words_of
from workbench.sandbox import Sandbox

__all__ = ["SearchReport", "code_like_texts", "measure_bookkeeping", "measure_search"]

DIMENSIONS = 384
TOP = 5
LOOPED = 1_000
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "xu", "za")
_DISTINCT_WORDS = 20_000


@dataclass(frozen=True)
class SearchReport:
    """Processor seconds of this process for one size of soup; queries are medians."""

    sections: int
    index_s: float
    """From items to the first answer: cut, count, weigh."""
    query_s: float
    """The five best documents of the soup, by BM25."""
    growth_s: float
    """100 further items, and the next query, which weighs anew."""
    rank_bm25_index_s: float
    rank_bm25_query_s: float
    """The same words by `rank_bm25.BM25Okapi.get_top_n`."""
    dense_query_s: float
    """The five best documents by the cosine of vectors that are there."""
    loop_query_s: float
    """The authors' way: `cosine_similarity` in a Python loop over the documents, then a sort. Being a loop, it is
    measured on some of the documents and scaled."""


def code_like_texts(count: int, seed: int) -> list[str]:
    """Make texts that look like sections of documentation: made-up words and identifiers, some far more often.

    Args:
        count: How many.
        seed: Fixes them.

    Returns:
        Texts of about 80 words.
    """
    random = np.random.default_rng(seed)
    # the words are the same for every seed, or queries of another one would have none in common with the texts
    letters = np.random.default_rng(0).integers(len(_SYLLABLES), size=(_DISTINCT_WORDS, 3))
    plain = ["".join(_SYLLABLES[one] for one in row) for row in letters]
    joined = ("{}_{}", "{}", "{}", "{}", "{}")  # each fifth is an identifier of two words
    words = np.array([joined[n % 5].format(word, plain[n - 1]) for n, word in enumerate(plain)])
    often = 1 / np.arange(1, _DISTINCT_WORDS + 1)
    lengths = np.maximum(5, random.lognormal(4.2, 0.6, size=count).astype(int))
    drawn = random.choice(words, size=int(lengths.sum()), p=often / often.sum())
    ends = np.cumsum(lengths)
    return [" ".join(drawn[end - length : end]) for end, length in zip(ends, lengths, strict=True)]


class _Random:
    """Gives each text a vector of its own, for nothing: encoding is no part of what is compared."""

    fingerprint = "random"

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def encode(self, texts: Sequence[str]) -> Scores:
        """Return vectors of length 1."""
        vectors = self._random.standard_normal((len(texts), DIMENSIONS)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def measure_search(sections: int, *, queries: int = 20, slow_queries: int = 3, seed: int = 0) -> SearchReport:
    """Measure one size, all ways on the same texts and queries.

    Args:
        sections: How many sections the soup holds.
        queries: Queries to the soup.
        slow_queries: Queries to the alternatives.
        seed: Fixes texts and queries.

    Raises:
        SettingsError: `rank_bm25` is not installed, or a number is below 1.
    """
    if min(sections, queries, slow_queries) < 1:
        raise SettingsError(
            f"sections={sections}, queries={queries}, slow_queries={slow_queries}", "at least 1", "raise them"
        )
    try:
        from rank_bm25 import BM25Okapi
    except ImportError as error:
        raise SettingsError(
            "no package rank_bm25", "what the soup is compared with", "make bench-setup"
        ) from error
    texts = code_like_texts(sections + 100, seed)
    asked = [" ".join(text.split()[:15]) for text in code_like_texts(queries, seed + 1)]
    items = [Item(f"d{n}", "documentation", f"d{n}", text, f"d{n}") for n, text in enumerate(texts)]
    KnowledgeSoup(items=items[:1]).search(
        asked[0], "documentation"
    )  # imports are no part of what is compared
    soup = KnowledgeSoup()
    index_s = _seconds(lambda: (soup.add(items[:sections]), soup.search(asked[0], "documentation", k=TOP)))
    query_s = _median(lambda text: soup.search(text, "documentation", k=TOP), asked)
    growth_s = _seconds(lambda: (soup.add(items[sections:]), soup.search(asked[0], "documentation", k=TOP)))
    tokens = [words_of(text) for text in texts[:sections]]
    built: list[BM25Okapi] = []
    rank_index_s = _seconds(lambda: built.append(BM25Okapi(tokens)))
    few = asked[:slow_queries]
    rank_query_s = _median(lambda text: built[0].get_top_n(words_of(text), texts[:sections], n=TOP), few)
    dense = KnowledgeSoup(DenseRetriever(_Random(seed)), items[:sections])
    dense.search_many([[text] for text in few], "documentation")  # their vectors are known from here on
    dense_query_s = _median(lambda text: dense.search(text, "documentation", k=TOP), few)
    vectors = _Random(seed).encode(texts[:sections])
    looped = vectors[:LOOPED]
    _authors_way(looped[:1], vectors[:1])  # imports, as above
    loop_query_s = _seconds(lambda: _authors_way(looped, vectors[:1])) * sections / len(looped)
    return SearchReport(
        sections, index_s, query_s, growth_s, rank_index_s, rank_query_s, dense_query_s, loop_query_s
    )


def measure_bookkeeping(problems: int, workers: int, folder: Path) -> tuple[Spent, int]:
    """Run the loop on our suite with NumPy's documentation, twice: to record the answers, and to measure.

    Programs really run, and the answers are read from a file, so a model's time counts as nothing: the share of
    bookkeeping is the largest it can be. In round 0 each program raises, in round 1 it is the reference.

    Args:
        problems: Problems at most.
        workers: Programs at a time.
        folder: For the recording; left as it is.

    Returns:
        What the measured run spent, in wall seconds, and how many programs' steps it took.
    """
    suite = [
        problem
        for problem in load_problems("suite", libraries=["Numpy", "Scipy", "Pandas"])
        if not problem.slot.function
    ]
    chosen = [coding_problem(one) for one in suite][:problems]
    soup = KnowledgeSoup(items=PackageDocumentation("numpy", submodules=False).items())
    settings = ActiveRetrievalSettings(rounds=2, query="code")
    with Sandbox(workers=workers, timeout_s=60, memory_bytes=4 << 30) as box:
        box.run("import numpy")
        active_retrieval(chosen, soup, _Scripted(chosen), box, settings, folder=folder, progress=False)
        recorded = RecordedText(folder / "trace.jsonl")
        measured = folder / "measured"
        result = active_retrieval(chosen, soup, recorded, box, settings, folder=measured, progress=False)
    return result.spent, len(result.steps)


class _Scripted:
    """Answers with a program that raises, then with the reference: what is recorded to be measured."""

    name = fingerprint = "scripted"

    def __init__(self, problems: Sequence[CodingProblem]) -> None:
        self._problems = problems

    def count_tokens(self, text: str) -> int:
        """Count as the recording will."""
        return estimated_tokens(text)

    def complete(self, prompts: Sequence[str]) -> list[str]:
        """Answer each prompt by the problem whose question it holds."""
        return [self._answer(prompt) for prompt in prompts]

    def _answer(self, prompt: str) -> str:
        own = next(problem for problem in self._problems if problem.question.rstrip() in prompt)
        wrong = f"{own.reference_code}\nresult = np.no_such_function(result)"
        return f"```python\n{own.reference_code if 'This code is wrong' in prompt else wrong}\n```"


def _authors_way(documents: Scores, query: Scores) -> list[tuple[int, float]]:
    from sklearn.metrics.pairwise import cosine_similarity

    scores = {}
    for number in range(len(documents)):
        scores[number] = float(cosine_similarity(documents[number : number + 1], query)[0, 0])
    return sorted(scores.items(), key=lambda pair: -pair[1])[:TOP]


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _median(work: Callable[[str], object], texts: Sequence[str]) -> float:
    return median(_seconds(partial(work, text)) for text in texts)
