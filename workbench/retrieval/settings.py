"""Settings of the active loop, with the paper's defaults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.core.errors import SettingsError
from workbench.retrieval.assembly import Budgets
from workbench.retrieval.item import SOURCES
from workbench.retrieval.retriever import QUERY_KINDS

__all__ = ["EXPLAINERS", "ActiveRetrievalSettings"]

EXPLAINERS = ("documentation", "model")
"""Who explains code: the documentation of what it calls, or the generator itself."""


@dataclass(frozen=True)
class ActiveRetrievalSettings:
    """How the loop asks, what it shows, and how long it goes on.

    Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation". Some cases:
    `query="question"` is the control (feedback without a new query), `rounds=1` is one-shot, `sources=()` is
    generation without documents, `given_documents=True` the upper bound.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    query: str = "code"
    """How the soup is asked after round 0: question, code, explanation or execution_feedback."""
    sources: tuple[str, ...] = ("documentation", "execution_feedback", "code_snippets")
    """What a prompt may show: some of web_search, documentation, execution_feedback, code_snippets."""
    rounds: int = 4
    """Generations a problem at most. Round 0 asks with the question."""
    retrieve_first: bool = True
    """Whether round 0 retrieves at all; the paper's starts 'with no or plain retrieval'."""
    given_documents: bool = False
    """Show each problem's gold documents in place of retrieved ones: the upper bound."""
    documents: int = 5
    """Documents that are retrieved; how many are shown, budgets decide."""
    snippets: int = 5
    """Programs that are retrieved."""
    pages: int = 2
    """Web pages that are retrieved. (The paper: 'two pages each' for two queries.)"""
    explanations: str = "documentation"
    """Who explains code for `query="explanation"`; one of `EXPLAINERS`."""
    doc_max_length: int = Budgets.doc_max_length
    """Most tokens of documentation in a prompt."""
    exp_max_length: int = Budgets.exp_max_length
    """Most tokens of example programs in a prompt."""
    web_max_length: int = Budgets.web_max_length
    """Most tokens of web pages in a prompt."""
    prompt_max_length: int = Budgets.prompt_max_length
    """Most tokens of a prompt; the paper: 3,696."""

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise SettingsError.listing(faults)

    @property
    def budgets(self) -> Budgets:
        """The budgets of tokens, together."""
        return Budgets(self.doc_max_length, self.exp_max_length, self.web_max_length, self.prompt_max_length)

    def _faults(self) -> Iterator[tuple[str, str]]:
        """Yield (what was got, what is needed) for each value that cannot be used."""
        if self.query not in QUERY_KINDS:
            yield f"query {self.query!r}", f"query: one of {', '.join(QUERY_KINDS)}"
        if self.explanations not in EXPLAINERS:
            yield f"explanations {self.explanations!r}", f"explanations: one of {', '.join(EXPLAINERS)}"
        known = not isinstance(self.sources, str) and all(name in SOURCES for name in self.sources)
        if not known or len(set(self.sources)) < len(self.sources):
            yield f"sources {self.sources!r}", f"sources: a tuple of some of {', '.join(SOURCES)}, each once"
        least = {"rounds": 1, "documents": 0, "snippets": 0, "pages": 0, "prompt_max_length": 1}
        least |= {"doc_max_length": 0, "exp_max_length": 0, "web_max_length": 0}
        for name, low in least.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < low:
                yield f"{name} {value!r}", f"{name}: a whole number, at least {low}"
        for name in ("retrieve_first", "given_documents"):
            if not isinstance(getattr(self, name), bool):
                yield f"{name} {getattr(self, name)!r}", f"{name}: True or False"
