"""What an answer is worth: its sentences, the truth of each, and the utility, all exact."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.worlds.passages.task import Fact, read_prompt

__all__ = ["WEIGHTS", "AnswerAssessment", "AssessedSentence", "assess", "utility"]

WEIGHTS = {"factuality": 0.5, "relevance": 0.25, "completeness": 0.25}
"""What each aspect counts in the utility."""
_SENTENCE = re.compile(r"[^\s.][^.]*\.?|\.")


@dataclass(frozen=True)
class AssessedSentence:
    """A sentence of an answer, and what is true of it."""

    start: int
    """Its first character in the response."""
    end: int
    """The character after its last one."""
    factual: bool
    """The passage says so."""
    relevant: bool
    """The question asks for it, of this person, and no sentence before tells it."""

    @property
    def mark(self) -> str:
        """A reviewer's mark: one of `MARKS`."""
        return "wrong" if not self.factual else "right" if self.relevant else "aside"


@dataclass(frozen=True)
class AnswerAssessment:
    """An answer's worth. Every share is 0 for an answer without sentences."""

    sentences: tuple[AssessedSentence, ...]
    factuality: float
    """Share of its sentences that are factual."""
    relevance: float
    """Share of its sentences that are relevant."""
    completeness: float
    """Share of what was asked that it tells, truly."""

    @property
    def utility(self) -> float:
        """The weighted sum of the three, from 0 to 1; 1 for a true and full answer without anything else."""
        return sum(weight * getattr(self, aspect) for aspect, weight in WEIGHTS.items())

    @property
    def f1(self) -> float:
        """Harmonic mean of precision (sentences that are factual and relevant) and completeness."""
        good = sum(sentence.factual and sentence.relevant for sentence in self.sentences)
        precision = good / len(self.sentences) if self.sentences else 0.0
        both = precision + self.completeness
        return 2 * precision * self.completeness / both if both else 0.0


def assess(prompt: str, response: str) -> AnswerAssessment:
    """Return what an answer is worth, sentence by sentence.

    A sentence ends with a full stop, or with the text. What is no sentence of the world ('ana ana .') is neither
    factual nor relevant.

    Args:
        prompt: A prompt of the world.
        response: Any text.

    Raises:
        DataError: The prompt is none of this world.
    """
    task = read_prompt(prompt)
    sentences: list[AssessedSentence] = []
    told: set[str] = set()
    right: set[str] = set()
    for found in _SENTENCE.finditer(response):
        words = found.group().split()
        # person, verb, value and the full stop; a fragment cut off before its stop still says what it says
        fact = Fact(*words[:3]) if len(words) == 3 or (len(words) == 4 and words[3] == ".") else None
        factual = fact in task.facts
        relevant = fact is not None and fact.person == task.person and fact.verb in task.asked
        if fact is not None and relevant:
            relevant = fact.verb not in told
            told.add(fact.verb)
            if factual:
                right.add(fact.verb)
        start, text = found.start(), found.group().rstrip()
        sentences.append(AssessedSentence(start, start + len(text), factual, relevant))
    count = max(len(sentences), 1)
    return AnswerAssessment(
        sentences=tuple(sentences),
        factuality=sum(sentence.factual for sentence in sentences) / count,
        relevance=sum(sentence.relevant for sentence in sentences) / count,
        completeness=len(right) / len(task.asked),
    )


def utility(prompt: str, response: str) -> float:
    """Return an answer's utility, from 0 to 1. See `AnswerAssessment.utility`."""
    return assess(prompt, response).utility
