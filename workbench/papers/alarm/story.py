"""One prompt answered before and after training, each sentence with its value by every reward."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.papers.alarm.arms import BEFORE, HIERARCHICAL
from workbench.papers.alarm.results import Findings
from workbench.papers.alarm.task import Prepared, TaskRewards
from workbench.plots.policies import AnswerView
from workbench.policies.outcomes import ORACLE, PolicyOutcome
from workbench.rewards import Reward, Sample, Span, reward_values

__all__ = ["AnsweredPrompt", "answer_views", "largest_gain", "sentence_values"]

_SENTENCE = re.compile(r"\S[^.!?]*[.!?]*")
LONGEST = 8
"""Sentences of an answer that are drawn."""


@dataclass(frozen=True)
class AnsweredPrompt:
    """A prompt and its answers, ready to draw."""

    prompt: str
    rewards: tuple[str, ...]
    views: tuple[AnswerView, ...]


def largest_gain(findings: Findings) -> tuple[int, int]:
    """Return seed and number of the prompt where the hierarchy gained most; of equal ones the first."""
    by_arm = {
        (outcome.arm, outcome.seed): outcome.sampled.scores[findings.judged_by]
        for outcome in findings.main_outcomes
    }
    seed = findings.declaration.seeds[0]
    gains = np.asarray(by_arm[HIERARCHICAL, seed]) - by_arm[BEFORE, seed]
    return seed, int(np.argmax(gains))


def answer_views(
    outcomes: Sequence[PolicyOutcome],
    prepared: Prepared,
    number: int,
    arms: Sequence[str] = (BEFORE, HIERARCHICAL),
) -> AnsweredPrompt:
    """Return the answers of some arms to one prompt with the value of each sentence by each reward.

    Args:
        outcomes: Of the seed that was prepared, and others.
        prepared: One seed.
        number: Of the prompt among the seed's test prompts.
        arms: Whose answers.
    """
    rewards = prepared.task.rewards.open()
    sample = prepared.task.test[number]
    views = []
    names: tuple[str, ...] = ()
    for arm in arms:
        outcome = next(known for known in outcomes if (known.arm, known.seed) == (arm, prepared.task.seed))
        text = outcome.sampled.texts[number]
        sentences, values = sentence_values(rewards, Sample(sample.prompt, text, sample.metadata))
        names = tuple(values)
        scores = {name: float(values[number]) for name, values in outcome.sampled.scores.items()}
        shown = [f"{name} {scores[name]:.2f}" for name in ("holistic", ORACLE) if name in scores]
        views.append(AnswerView(f"{arm}: {', '.join(shown)}", sentences, list(values.values())))
    return AnsweredPrompt(sample.prompt, names, tuple(views))


def sentence_values(rewards: TaskRewards, sample: Sample) -> tuple[list[str], dict[str, list[float | None]]]:
    """Return an answer's sentences, and the value of each by every reward.

    The holistic reward is given as its change as each sentence is added, the first one as it is. An aspect of the
    whole answer has its value at the last sentence.

    Args:
        rewards: Of the task.
        sample: The answer.
    """
    places = [match.span() for match in _SENTENCE.finditer(sample.response)][:LONGEST] or [
        (0, len(sample.response))
    ]
    beginnings = [(sample.prompt, sample.response[:end]) for _, end in places]
    scores = reward_values(rewards.holistic, beginnings)
    values: dict[str, list[float | None]] = {
        "holistic, change": [float(change) for change in np.diff(scores, prepend=0.0)]
    }
    for name, aspect in rewards.aspects.items():
        values[name] = _by_sentence(aspect, sample, places)
    return [sample.response[start:end].strip() for start, end in places], values


def _by_sentence(reward: Reward, sample: Sample, places: Sequence[tuple[int, int]]) -> list[float | None]:
    """Return the sum of a reward's values that land in each sentence; None where none does."""
    sums: list[float | None] = [None] * len(places)
    (spans,) = reward([sample])
    for span in spans:
        last = max((row for row, place in enumerate(places) if _meets(span, place)), default=None)
        if last is not None:
            sums[last] = (sums[last] or 0.0) + span.value
    return sums


def _meets(span: Span, place: tuple[int, int]) -> bool:
    return span.start < place[1] and span.end > place[0]
