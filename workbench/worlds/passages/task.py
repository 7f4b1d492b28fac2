"""Tasks of the world: a passage about some people, and a question about one of them, drawn by a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from workbench.core.errors import DataError
from workbench.worlds.passages.lexicon import FAMILIAR_VERBS, NAMES, UNSEEN_VERBS, VALUES

__all__ = ["SPLITS", "Fact", "PassageQuestion", "Split", "draw_task", "read_prompt"]

FACTS_EACH = 3
FORMS = MappingProxyType({"what": "what {person} {asked} ?", "tell": "tell of {person} : {asked} ?"})


@dataclass(frozen=True)
class Fact:
    """Something that may be said of a person, true or not."""

    person: str
    verb: str
    value: str

    @property
    def sentence(self) -> str:
        """The fact as an answer tells it."""
        return f"{self.person} {self.verb} {self.value} ."


@dataclass(frozen=True)
class PassageQuestion:
    """A passage and a question on it. The passage is the whole truth: what it does not say is false."""

    facts: tuple[Fact, ...]
    """In the order of the passage; no two share a verb."""
    person: str
    """Whom the question is about."""
    asked: tuple[str, ...]
    """The verbs that it asks for, in its order."""
    form: str = "what"
    """How it asks: a key of `FORMS`."""

    @property
    def passage(self) -> str:
        """The passage as the prompt tells it: a sentence for each person."""
        told: dict[str, list[str]] = {}
        for fact in self.facts:
            told.setdefault(fact.person, []).append(f"{fact.verb} {fact.value}")
        return " ".join(f"{person} {' , '.join(clauses)} ." for person, clauses in told.items())

    @property
    def question(self) -> str:
        """The question as the prompt tells it."""
        return FORMS[self.form].format(person=self.person, asked=" , ".join(self.asked))

    @property
    def prompt(self) -> str:
        """Passage and question."""
        return f"{self.passage} {self.question}"

    def truth(self, verb: str) -> Fact:
        """Return the fact that the passage states with a verb."""
        return next(fact for fact in self.facts if fact.verb == verb)


@dataclass(frozen=True)
class Split:
    """A distribution of tasks."""

    verbs: tuple[str, ...]
    """What the passage and the question may speak of."""
    people: int
    """How many the passage tells of, with three facts each."""
    form: str
    """How the question is put."""


SPLITS: Mapping[str, Split] = MappingProxyType(
    {
        "familiar": Split(FAMILIAR_VERBS, people=2, form="what"),
        "unseen verbs": Split(UNSEEN_VERBS, people=2, form="what"),
        "longer": Split(FAMILIAR_VERBS, people=3, form="tell"),
    }
)
"""`familiar`: what preferences are collected on. `unseen verbs`: the same, but every verb and every value is one that
no preference was about. `longer`: three people instead of two, and the question in another form."""


def draw_task(split: Split, source: random.Random) -> PassageQuestion:
    """Draw a task: people, three facts for each with all verbs different, and a question for two or three of them.

    Args:
        split: The distribution.
        source: Where chance comes from; the same state gives the same task.
    """
    people = source.sample(NAMES, split.people)
    verbs = source.sample(split.verbs, split.people * FACTS_EACH)
    facts = tuple(
        Fact(person, verb, source.choice(VALUES[verb]))
        for i, person in enumerate(people)
        for verb in verbs[i * FACTS_EACH : (i + 1) * FACTS_EACH]
    )
    chosen = source.randrange(split.people)
    own = verbs[chosen * FACTS_EACH : (chosen + 1) * FACTS_EACH]
    asked = source.sample(own, 3 if source.random() < 0.3 else 2)
    return PassageQuestion(facts, people[chosen], tuple(asked), split.form)


def read_prompt(prompt: str) -> PassageQuestion:
    """Return the task that a prompt states: the inverse of `PassageQuestion.prompt`.

    Raises:
        DataError: The text is not a prompt of this world.
    """
    *sentences, question = prompt.split(" . ")
    facts = []
    for sentence in sentences:
        person, _, clauses = sentence.partition(" ")
        for clause in clauses.split(" , "):
            verb, _, value = clause.partition(" ")
            facts.append(Fact(person, verb, value))
    for form, pattern in FORMS.items():
        escaped = re.escape(pattern).replace(r"\{person\}", "(.+?)").replace(r"\{asked\}", "(.+)")
        found = re.fullmatch(escaped, question)
        if found:
            task = PassageQuestion(tuple(facts), found[1], tuple(found[2].split(" , ")), form)
            told = {fact.verb for fact in facts if fact.person == task.person}
            if task.prompt == prompt and told.issuperset(task.asked) and _sound(task):
                return task
    raise DataError(
        got=f"the prompt {prompt!r}",
        needed="a passage and a question of the world of passages, words and signs between single spaces",
        fix="make prompts with workbench.worlds.passages.draw_task(...).prompt",
    )


def _sound(task: PassageQuestion) -> bool:
    """Tell whether all facts are of the world's words, and no two share a verb."""
    verbs = [fact.verb for fact in task.facts]
    return len(set(verbs)) == len(verbs) and all(
        fact.person in NAMES and fact.value in VALUES.get(fact.verb, ()) for fact in task.facts
    )
