"""What rewards know before a policy is trained on them: their verdicts on what they were not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from workbench.core.errors import DataError
from workbench.core.statistics import wilson_interval
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.qa_feedback import QAFeedback
from workbench.papers.alarm.question_rewards import COMPLETENESS
from workbench.rewards import (
    Reward,
    SpanClassifierReward,
    completeness_pairs,
    reward_values,
    span_agreement,
    span_examples,
)
from workbench.store.atomic import lock, write_json
from workbench.store.reading import read_json

__all__ = ["held_out_facts", "no_better_than_chance", "ordered_share"]

ACCURACY, CHANCE = "held-out accuracy", "accuracy of the more frequent label"
PAIRS, SEGMENTS = "held-out pairs", "held-out segments"


def held_out_facts(rewards: Mapping[str, Reward], rows: Sequence[QAFeedback], file: Path) -> dict[str, float]:
    """Return how often each reward agrees with people on rows that it was not trained on.

    Of a reward for spans: the share of segments that it judges as people did, beside that of always saying the more
    frequent label, and F1 of finding errors. Of one for whole answers: the share of pairs that it orders as people
    did. Each with how many there were; without any, that alone.

    Args:
        rewards: From `raw_rewards`.
        rows: Held-out rows.
        file: Where the result is kept: seeds that share rewards measure it once, those prepared beside wait for it.
    """
    with lock(file.with_suffix(".lock")):
        if not file.is_file():
            write_json(file, _measured(rewards, rows))
        return dict(read_json(file))


def no_better_than_chance(facts: Mapping[str, float]) -> list[str]:
    """Return the rewards whose held-out accuracy is not shown to be above chance: by Wilson's 95 % interval.

    Chance is the accuracy of the more frequent label for segments, and one half for pairs. Rewards that nothing was
    measured of are among them.

    Args:
        facts: From `held_out_facts`, maybe among others.
    """
    found = []
    for key, number in facts.items():
        name, _, what = key.partition(": ")
        if what in (PAIRS, SEGMENTS):
            accuracy, chance = facts.get(f"{name}: {ACCURACY}", 0.0), facts.get(f"{name}: {CHANCE}", 0.5)
            if not number or wilson_interval(accuracy * number, number).low <= chance:
                found.append(name)
    return found


def ordered_share(reward: Reward, pairs: Sequence[PreferencePair]) -> float:
    """Return the share of pairs whose chosen response has the higher reward. Every text is scored once."""
    texts = list(
        dict.fromkeys((pair.prompt, text) for pair in pairs for text in (pair.chosen, pair.rejected))
    )
    values = dict(zip(texts, reward_values(reward, texts), strict=True))
    return float(
        np.mean([values[pair.prompt, pair.chosen] > values[pair.prompt, pair.rejected] for pair in pairs])
    )


def _measured(rewards: Mapping[str, Reward], rows: Sequence[QAFeedback]) -> dict[str, float]:
    facts: dict[str, float] = {}
    for name, reward in rewards.items():
        if isinstance(reward, SpanClassifierReward):
            facts |= _of_segments(name, reward, rows)
            continue
        pairs = completeness_pairs(rows) if name == COMPLETENESS else [p for row in rows for p in row.pairs()]
        facts[f"{name}: {PAIRS}"] = len(pairs)
        if pairs:
            facts[f"{name}: {ACCURACY}"] = ordered_share(reward, pairs)
    return facts


def _of_segments(name: str, reward: SpanClassifierReward, rows: Sequence[QAFeedback]) -> dict[str, float]:
    try:
        found = span_agreement(reward, span_examples(rows, name))
    except DataError:  # no segment has a label, or none with one could be read
        return {f"{name}: {SEGMENTS}": 0}
    return {
        f"{name}: {SEGMENTS}": found.segments,
        f"{name}: {ACCURACY}": found.accuracy,
        f"{name}: {CHANCE}": found.baseline,
        f"{name}: held-out F1 of errors": found.f1,
    }
