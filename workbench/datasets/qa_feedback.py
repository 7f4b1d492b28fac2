"""Load QA-Feedback: long answers to questions, with span errors, missing information and preferences.

Source: Wu et al. 2023, "Fine-Grained Human Feedback Gives Better Rewards for Language Model Training"; the files
are `tasks/qa_feedback/data/*.json` of the authors' repository, allenai/FineGrainedRLHF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

from workbench.core.errors import DataError
from workbench.datasets.jsonl import Faults
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.rows import read_rows

__all__ = [
    "ASPECTS",
    "ASPECT_OF",
    "COMPARED",
    "ErrorSpan",
    "MissingInfo",
    "Passage",
    "QAExample",
    "QAFeedback",
    "load_qa_examples",
    "load_qa_feedback",
    "qa_prompt",
]

ASPECTS = ("relevance", "factuality", "completeness")
"""What the errors are grouped into, in the paper's order (its C1, C2, C3)."""
ASPECT_OF: Mapping[str, str] = {
    "Irrelevant": "relevance",
    "Redundant": "relevance",
    "Incoherent": "relevance",
    "Wrong-Grounding": "factuality",
    "Unverifiable": "factuality",
    "Missing-Answer": "completeness",
    "Missing-Major-Auxiliary": "completeness",
    "Missing-Minor-Auxiliary": "completeness",
}
"""The aspect of each kind of error: the first five mark spans of the answer, the others what it lacks."""
COMPARED = tuple(combinations(range(4), 2))
"""Which predictions the six preferences compare, from 0: 0v1 0v2 0v3 1v2 1v3 2v3."""

FEEDBACK_COLUMNS = "question, passages, gold, prediction 1 to 4, feedback, preference"
EXAMPLE_COLUMNS = "question, passages (wikipage, content), text, answer"


@dataclass(frozen=True)
class Passage:
    """A Wikipedia passage given with the question."""

    title: str
    """The page's title."""
    sentences: tuple[str, ...]
    """Its sentences; the page's and the section's title often stand before the first."""


@dataclass(frozen=True)
class ErrorSpan:
    """A part of the first prediction that an annotator marked."""

    start: int
    """First character, from 0, in Python's counting (code points)."""
    end: int
    """One past the last character."""
    kind: str
    """A name of `ASPECT_OF`, as annotated."""
    text: str
    """The marked characters: `prediction[start:end]`."""
    explanation: str = ""
    """The annotator's words; often empty."""

    @property
    def aspect(self) -> str:
        """`relevance` or `factuality`."""
        return ASPECT_OF[self.kind]


@dataclass(frozen=True)
class MissingInfo:
    """What the first prediction should have said and did not."""

    kind: str
    """A name of `ASPECT_OF`, as annotated; all are of completeness."""
    passage: int
    """The passage that says it, from 0 (the files count from 1)."""
    sentences: tuple[int, ...]
    """Its sentences, from 0."""
    title: bool = False
    """Whether the passage's title says it too (the files' sentence 0)."""


@dataclass(frozen=True)
class QAFeedback:
    """A question with four predictions and all that was annotated about them."""

    question: str
    """The question."""
    passages: tuple[Passage, ...]
    """What can be used to answer; one question has none."""
    gold: str
    """The answer that people wrote."""
    predictions: tuple[str, ...]
    """Four answers of the initial policy. Spans and missing information are about the first."""
    errors: tuple[ErrorSpan, ...]
    """In the order of the text; they may overlap."""
    missing: tuple[MissingInfo, ...]
    """As annotated."""
    corrected: str
    """The first prediction without its errors; empty where nothing of it remained."""
    preferences: tuple[int, ...]
    """Six comparisons in the order of `COMPARED`: 1 (the first is better), 2 (the second) or 0 (neither)."""

    @property
    def prompt(self) -> str:
        """The policy's input; see `qa_prompt`."""
        return qa_prompt(
            self.question, [(passage.title, " ".join(passage.sentences)) for passage in self.passages]
        )

    def spans(self, aspect: str) -> tuple[ErrorSpan, ...]:
        """Return the spans of one aspect."""
        return tuple(span for span in self.errors if span.aspect == aspect)

    def pairs(self, source: str = "qa-feedback") -> tuple[PreferencePair, ...]:
        """Return the strict ones of the six comparisons; up to six share their prompt."""
        pairs = []
        for (first, second), better in zip(COMPARED, self.preferences, strict=True):
            if better:
                chosen, rejected = (first, second) if better == 1 else (second, first)
                texts = self.predictions[chosen], self.predictions[rejected]
                pairs.append(PreferencePair(self.prompt, *texts, source))
        return tuple(pairs)


@dataclass(frozen=True)
class QAExample:
    """A question and its answer, as a policy is fine-tuned and evaluated on."""

    question: str
    """The question."""
    passages: tuple[Passage, ...]
    """What can be used to answer, each passage's text in one piece."""
    prompt: str
    """The policy's input, as the file has it."""
    answers: tuple[str, ...]
    """The answers that people wrote; one in the authors' files."""


def qa_prompt(question: str, passages: Sequence[tuple[str, str]]) -> str:
    """Return the policy's input in the authors' form.

    Args:
        question: The question.
        passages: Title and text of each.
    """
    context = " | ".join(f"wikipage: {title} text: {text}" for title, text in passages)
    return f"question: {question} context: {context}"


def load_qa_feedback(source: str | Path) -> list[QAFeedback]:
    """Load feedback rows (the files `*_feedback.json`).

    Args:
        source: A .json or .jsonl file, also with .gz.

    Returns:
        The rows in their order, each checked: spans lie within the first prediction, passages and sentences exist.

    Raises:
        DataError: The file is missing or unreadable, has no rows, or malformed ones (all of them are listed).
    """
    return _load(source, _feedback, FEEDBACK_COLUMNS)


def load_qa_examples(source: str | Path) -> list[QAExample]:
    """Load question-and-answer rows (the files without `_feedback`); as `load_qa_feedback`."""
    return _load(source, _example, EXAMPLE_COLUMNS)


class _Malformed(ValueError):
    """A row is not of the format; the text says how."""


_Loaded = TypeVar("_Loaded")


def _load(source: str | Path, convert: Callable[[Mapping[str, Any]], _Loaded], columns: str) -> list[_Loaded]:
    """Convert all rows of a file; raise one error for all that are malformed."""
    faults, loaded = Faults(str(source)), []
    for where, row in read_rows(Path(source).expanduser(), faults):
        try:
            loaded.append(convert(row))
        except _Malformed as error:
            faults.add(where, str(error))
    faults.raise_if_any(f"QA-Feedback rows: {columns}", "correct these rows, or name the other kind of file")
    if not loaded:
        raise DataError(f"{source}: no rows", f"QA-Feedback rows: {columns}", "name a file that holds some")
    return loaded


def _feedback(row: Mapping[str, Any]) -> QAFeedback:
    predictions = tuple(_get(row, f"prediction {number}", str) for number in range(1, 5))
    passages = tuple(_passages(row))
    feedback = _get(row, "feedback", dict)
    errors = [_span(one, predictions[0]) for one in _objects(feedback, "errors")]
    preferences = _get(row, "preference", list)
    if len(preferences) != len(COMPARED) or any(
        type(preference) is not int or preference not in (0, 1, 2) for preference in preferences
    ):
        raise _Malformed(f"preference is {preferences!r}, not six of 0, 1, 2")
    return QAFeedback(
        question=_get(row, "question", str),
        passages=passages,
        gold=_get(row, "gold", str),
        predictions=predictions,
        errors=tuple(sorted(errors, key=lambda span: (span.start, span.end))),
        missing=tuple(_missing(one, passages) for one in _objects(feedback, "missing-info")),
        corrected=_get(feedback, "corrected-prediction", str),
        preferences=tuple(preferences),
    )


def _example(row: Mapping[str, Any]) -> QAExample:
    passages = tuple(
        Passage(_get(one, "wikipage", str), (_get(one, "content", str),)) for one in _objects(row, "passages")
    )
    answers = _get(row, "answer", list)
    if not answers or not all(isinstance(answer, str) for answer in answers):
        raise _Malformed("answer is not a list of texts")
    return QAExample(_get(row, "question", str), passages, _get(row, "text", str), tuple(answers))


def _passages(row: Mapping[str, Any]) -> Iterator[Passage]:
    """Yield the passages, each a list of its title and its sentences."""
    for number, one in enumerate(_get(row, "passages", list), start=1):
        if not isinstance(one, list) or not one or not all(isinstance(text, str) for text in one):
            raise _Malformed(f"passage {number} is not a list of texts, the title first")
        yield Passage(one[0], tuple(one[1:]))


def _span(error: Mapping[str, Any], prediction: str) -> ErrorSpan:
    kind, start, end = _kind(error, spans=True), _get(error, "start", int), _get(error, "end", int)
    if not 0 <= start < end <= len(prediction):
        raise _Malformed(
            f"{kind} span {start}:{end} is not within prediction 1 of {len(prediction)} characters"
        )
    explanation = _get(error, "explanation", str) if error.get("explanation") is not None else ""
    return ErrorSpan(start, end, kind, prediction[start:end], explanation)


def _missing(one: Mapping[str, Any], passages: Sequence[Passage]) -> MissingInfo:
    kind, number, sentences = (
        _kind(one, spans=False),
        _get(one, "passage_id", int),
        _get(one, "sentence_id", list),
    )
    if not 1 <= number <= len(passages):
        raise _Malformed(f"{kind} names passage {number} of {len(passages)}")
    last = len(passages[number - 1].sentences)  # the file's 0 is the title
    if any(type(sentence) is not int or not 0 <= sentence <= last for sentence in sentences):
        raise _Malformed(f"{kind} names sentences {sentences!r} of a passage of {last}")
    return MissingInfo(
        kind, number - 1, tuple(sentence - 1 for sentence in sentences if sentence), 0 in sentences
    )


def _kind(error: Mapping[str, Any], *, spans: bool) -> str:
    """Return the kind of an error, which must be one that marks spans, or one that does not."""
    kind = str(_get(error, "error type", str))
    known = [name for name, aspect in ASPECT_OF.items() if (aspect != "completeness") == spans]
    if kind not in known:
        raise _Malformed(f"error type {kind!r}, not one of {', '.join(known)}")
    return kind


def _objects(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return a field that must be a list of objects."""
    listed = _get(row, name, list)
    if not all(isinstance(one, Mapping) for one in listed):
        raise _Malformed(f"{name} is not a list of objects")
    return list(listed)


def _get(row: Mapping[str, Any], name: str, kind: type) -> Any:
    """Return a field that must be of a type."""
    if name not in row:
        raise _Malformed(f"no {name}")
    if not isinstance(row[name], kind) or isinstance(row[name], bool):
        raise _Malformed(f"{name} is a {type(row[name]).__name__}, not a {kind.__name__}")
    return row[name]
