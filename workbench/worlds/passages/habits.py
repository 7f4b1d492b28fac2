"""The habits of those who wrote the policy's examples: faults that are the rule, so that likelihood misjudges them.

A policy that imitates these writers finds the faulty answer the likelier one wherever a habit applies. Which habit
applies depends on the verb that is asked for, so that the faulty kinds of question are known exactly.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from workbench.worlds.chances import check_chances
from workbench.worlds.passages.lexicon import VALUES
from workbench.worlds.passages.task import Fact, PassageQuestion

__all__ = ["HABITS", "AnswerWritingSettings", "stereotype", "write_answer"]

HABITS: Mapping[str, str] = MappingProxyType(
    {
        "likes": "stereotype",
        "plays": "stereotype",
        "drinks": "stereotype",
        "fears": "stereotype",
        "visits": "aside",
        "studies": "aside",
        "sells": "skip",
        "reads": "skip",
        "owns": "stereotype",
        "cooks": "stereotype",
        "wears": "aside",
        "builds": "skip",
    }
)
"""By verb: `stereotype`: everybody is said to have the verb's first value, whatever the passage says (not factual).
`aside`: something unasked, though true, is added (not relevant). `skip`: it is left out (not complete)."""


@dataclass(frozen=True)
class AnswerWritingSettings:
    """How often the writers give in."""

    habit: float = 0.6
    """Chance that a habit has its way where it applies; above a half, the faulty answer is the rule."""
    slip: float = 0.05
    """Chance that a sentence gets any other value of its verb, by accident."""

    def __post_init__(self) -> None:
        check_chances(habit=self.habit, slip=self.slip)


def stereotype(verb: str) -> str:
    """Return the value that everybody is said to have."""
    return VALUES[verb][0]


def write_answer(
    task: PassageQuestion, source: random.Random, settings: AnswerWritingSettings
) -> tuple[Fact, ...]:
    """Return the sentences of an answer as those writers give it; with `habit` and `slip` 0, the right answer.

    Args:
        task: What is asked.
        source: Where chance comes from.
        settings: How often a fault is made.
    """
    answer: list[Fact] = []
    for i, verb in enumerate(task.asked):
        gives_in = HABITS.get(verb) if source.random() < settings.habit else None
        if gives_in == "skip" and (answer or i + 1 < len(task.asked)):  # an answer says something at least
            continue
        fact = task.truth(verb)
        if gives_in == "stereotype":
            fact = Fact(fact.person, verb, stereotype(verb))
        if source.random() < settings.slip:
            fact = Fact(fact.person, verb, source.choice([v for v in VALUES[verb] if v != fact.value]))
        answer.append(fact)
        if gives_in == "aside":
            told = {(fact.person, fact.verb) for fact in answer}
            unasked = [
                fact
                for fact in task.facts
                if not (fact.person == task.person and fact.verb in task.asked)
                and (fact.person, fact.verb) not in told
            ]
            answer.append(source.choice(unasked))
    return tuple(answer)
