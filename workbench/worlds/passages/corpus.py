"""What the policy learns from: documents to read, with reviews in them, then answers with their writers' habits."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from workbench.worlds.passages.habits import AnswerWritingSettings, write_answer
from workbench.worlds.passages.lexicon import END, NAMES, VALUES
from workbench.worlds.passages.task import FACTS_EACH, FORMS, Fact, PassageQuestion, Split, draw_task
from workbench.worlds.passages.utility import assess

__all__ = ["Document", "answer_document", "checking_document", "reading_document"]

QUESTIONS = 3
"""Questions in a document to read."""
STATEMENTS = 6
"""Sentences in a document to check."""
CAREFUL = AnswerWritingSettings(habit=0.0, slip=0.0)


@dataclass(frozen=True)
class Document:
    """A text as tokens, and which of them the model learns to write."""

    words: tuple[str, ...]
    learned: tuple[bool, ...]
    """True = participates in the loss."""


def answer_document(source: random.Random, settings: AnswerWritingSettings) -> Document:
    """Return a prompt and an answer such as the writers give it; the answer is learned.

    Args:
        source: Where chance comes from.
        settings: How often the writers give in to their habits.
    """
    task = _task(source)
    answer = " ".join(fact.sentence for fact in write_answer(task, source, settings))
    return _joined((task.prompt, False), (f"{answer} {END}", True))


def checking_document(source: random.Random) -> Document:
    """Return one or two facts about one person and statements on them, each with a reviewer's mark.

    To compare a value with what was said of it is learned here within some hundred steps; from whole passages it is
    not. Of false statements only the mark is learned.

    Args:
        source: Where chance comes from.
    """
    person = source.choice(NAMES)
    verbs = source.sample(tuple(VALUES), source.choice((1, 2)))
    facts = tuple(Fact(person, verb, source.choice(VALUES[verb])) for verb in verbs)
    pieces = [(PassageQuestion(facts, person, ()).passage, False)]
    for _ in range(STATEMENTS):
        fact = source.choice(facts)
        if source.random() < 0.5:
            fact = Fact(person, fact.verb, source.choice([v for v in VALUES[fact.verb] if v != fact.value]))
        pieces += _checked(fact, fact in facts)
    return _joined(*pieces)


def reading_document(source: random.Random) -> Document:
    """Return a passage, a retelling of it in another order, and answers to questions; all with a reviewer's marks.

    After each sentence stands a mark (`MARKS`). Without them a body that can write a right value does not represent
    whether a given one is right, and a scalar head finds nothing to read. Some sentences are faulty: of these only
    the mark is learned, and not the fault.

    Args:
        source: Where chance comes from.
    """
    task = _task(source)
    retold = [_statement(task, fact.verb, source) for fact in source.sample(task.facts, len(task.facts))]
    pieces = [(task.passage, False)]
    for fact in retold:
        pieces += _checked(fact, fact in task.facts)
    for _ in range(QUESTIONS):
        asked = _other_question(task, source)
        careful = source.random() < 0.5
        verbs = source.sample(asked.asked, len(asked.asked))
        facts = (
            write_answer(asked, source, CAREFUL)
            if careful
            else [_statement(asked, verb, source) for verb in verbs]
        )
        sentences = [fact.sentence for fact in facts]
        pieces.append((asked.question, False))
        for sentence, review in zip(
            sentences, assess(asked.prompt, " ".join(sentences)).sentences, strict=True
        ):
            pieces += [(sentence, careful), (review.mark, True)]
        pieces.append((END, True))
    return _joined(*pieces)


def _task(source: random.Random) -> PassageQuestion:
    """Draw a task over all verbs, with two or three people, in either form."""
    return draw_task(Split(tuple(VALUES), source.choice((2, 3)), source.choice(tuple(FORMS))), source)


def _other_question(task: PassageQuestion, source: random.Random) -> PassageQuestion:
    """Return a question on the same passage, about anybody in it."""
    person = source.choice(sorted({fact.person for fact in task.facts}))
    own = [fact.verb for fact in task.facts if fact.person == person]
    asked = source.sample(own, source.randint(1, FACTS_EACH))
    return replace(task, person=person, asked=tuple(asked), form=source.choice(tuple(FORMS)))


def _statement(task: PassageQuestion, verb: str, source: random.Random) -> Fact:
    """Return something that may be said where a verb is asked for, the truth or something else."""
    kind = source.random()
    fact = task.truth(verb)
    if kind < 0.4:
        return fact
    if kind < 0.75:
        return Fact(fact.person, verb, source.choice(VALUES[verb]))
    other = source.choice(task.facts)
    return other if kind < 0.9 else Fact(task.person, other.verb, other.value)


def _checked(fact: Fact, true: bool) -> list[tuple[str, bool]]:
    """Return a sentence and its mark; the value is learned if it is true."""
    return [
        (f"{fact.person} {fact.verb}", False),
        (f"{fact.value} .", true),
        ("right" if true else "wrong", True),
    ]


def _joined(*pieces: tuple[str, bool]) -> Document:
    words = [(word, learned) for text, learned in pieces for word in text.split()]
    return Document(tuple(word for word, _ in words), tuple(learned for _, learned in words))
