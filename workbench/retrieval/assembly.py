"""Fill a prompt within budgets of tokens a source, and note what was left out.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation": documentation up to
`doc_max_length` tokens, examples up to `exp_max_length`, and a whole prompt of at most 3,696.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workbench.datasets.coding_problem import CodingProblem
from workbench.retrieval.item import Hit, Item
from workbench.retrieval.prompts import PromptTemplate
from workbench.retrieval.queries import Attempted

__all__ = ["AssembledPrompt", "Budgets", "Dropped", "assemble"]


@dataclass(frozen=True)
class Budgets:
    """Most tokens of a prompt's parts."""

    doc_max_length: int = 2_000
    """Of documentation."""
    exp_max_length: int = 1_000
    """Of example programs."""
    web_max_length: int = 1_000
    """Of web pages."""
    prompt_max_length: int = 3_696
    """Of the whole prompt; the paper's."""


@dataclass(frozen=True)
class Dropped:
    """A piece that was found but is not in the prompt, or only in part."""

    piece: str
    """The best section's id, or `attempt` or `task`."""
    reason: str
    """Such as `only the best section fits`, `over the source's budget`, `over the prompt's budget`."""


@dataclass(frozen=True)
class AssembledPrompt:
    """A prompt and what is in it."""

    text: str
    tokens: int
    """Of the text, as its generator counts them."""
    shown: tuple[str, ...] = ()
    """Ids of the best sections of the documents, pages and programs in it, in their order."""
    dropped: tuple[Dropped, ...] = ()


@dataclass
class _Part:
    """The pieces of one kind that are in the prompt so far."""

    room: int
    """Tokens that are left for it."""
    budget: str = ""
    """Whose budget its room comes from: the source's, or the prompt's where less of that is left."""
    texts: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @classmethod
    def within(cls, limit: int, left: int) -> _Part:
        """Open a part of at most `limit` tokens of the `left` ones of the prompt."""
        return cls(min(limit, left), "source" if limit <= left else "prompt")

    def place(self, piece: str, choices: Sequence[tuple[str, str]], count: Callable[[str], int]) -> str:
        """Take the first way to show a piece that still fits.

        Args:
            piece: Its id.
            choices: Texts, the fullest first, each with what has to be noted where it is taken.
            count: Counts tokens.

        Returns:
            What has to be noted; empty where the piece is in the prompt as a whole.
        """
        for text, note in choices:
            tokens = count(text)
            if tokens <= self.room:
                self.texts.append(text)
                self.ids.append(piece)
                self.room -= tokens
                return note
        return f"over the {self.budget}'s budget"


def assemble(
    problem: CodingProblem,
    *,
    documents: Sequence[tuple[Hit, Sequence[Item]]] = (),
    pages: Sequence[tuple[Hit, Sequence[Item]]] = (),
    snippets: Sequence[Hit] = (),
    attempt: Attempted | None = None,
    budgets: Budgets | None = None,
    template: PromptTemplate | None = None,
    count_tokens: Callable[[str], int],
) -> AssembledPrompt:
    """Put the pieces of a prompt together, best first, each within its source's budget and the whole's.

    A document that does not fit is shown by its best section; where that does not fit it is passed over. The
    task comes first, then the attempt, documents, pages, and snippets share what is left. A task that is too
    long by itself is kept whole, and noted.

    Args:
        problem: What is asked.
        documents: Hits of the documentation, best first, each with all sections of its document.
        pages: The same of the web.
        snippets: Programs that ran, best first.
        attempt: The last program and its error.
        budgets: The defaults where None.
        template: The wording.
        count_tokens: Counts as the generator does.
    """
    budgets, template = budgets or Budgets(), template or PromptTemplate()
    task, closing = template.task(problem), template.closing(problem)
    tried = template.attempt(attempt) if attempt else ""
    dropped: list[Dropped] = []
    whole = budgets.prompt_max_length
    if tried and count_tokens(template.prompt([], [], task, tried, closing)) > whole:
        tried = ""
        dropped.append(Dropped("attempt", "over the prompt's budget"))
    left = whole - count_tokens(template.prompt([], [], task, tried, closing))
    if left < 0:
        dropped.append(Dropped("task", "over the prompt's budget by itself"))
    kinds = (
        (budgets.doc_max_length, [(hit, _ways(hit, items, problem, template)) for hit, items in documents]),
        (budgets.web_max_length, [(hit, _ways(hit, items, problem, template)) for hit, items in pages]),
        (budgets.exp_max_length, [(hit, [(template.snippet(hit.item, problem), "")]) for hit in snippets]),
    )
    parts = []
    for limit, found in kinds:
        part = _Part.within(limit, left)
        left -= part.room
        for hit, choices in found:
            note = part.place(hit.item.id, choices, count_tokens)
            dropped += [Dropped(hit.item.id, note)] if note else []
        left += part.room
        parts.append(part)
    shown, examples = _Part(0, "", parts[0].texts + parts[1].texts, parts[0].ids + parts[1].ids), parts[2]
    while True:  # headings and the seams between pieces take tokens too
        text = template.prompt(shown.texts, examples.texts, task, tried, closing)
        tokens = count_tokens(text)
        last = examples if examples.texts else shown
        if tokens <= whole or not last.texts:
            return AssembledPrompt(text, tokens, (*shown.ids, *examples.ids), tuple(dropped))
        last.texts.pop()
        dropped.append(Dropped(last.ids.pop(), "over the prompt's budget"))


def _ways(
    hit: Hit, sections: Sequence[Item], problem: CodingProblem, template: PromptTemplate
) -> list[tuple[str, str]]:
    """Return the ways to show a document, the fullest first, each with what has to be noted of it."""
    best = (template.document(hit.item.title, hit.item.content, problem), "only the best section fits")
    if len(sections) < 2:
        return [(best[0], "")]
    full = "\n\n".join(section.content for section in sections)
    return [(template.document(sections[0].title, full, problem), ""), best]
