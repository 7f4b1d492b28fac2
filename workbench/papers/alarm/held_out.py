"""What rewards know before a policy is trained on them: their verdicts on what they were not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from workbench.core.errors import DataError
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
from workbench.store.atomic import write_json
from workbench.store.reading import read_json

__all__ = ["held_out_facts", "ordered_share"]


def held_out_facts(rewards: Mapping[str, Reward], rows: Sequence[QAFeedback], file: Path) -> dict[str, float]:
    """Return how often each reward agrees with people on rows that it was not trained on.

    Of a reward for spans: the share of segments that it judges as people did, beside that of always saying the more
    frequent label, and F1 of finding errors. Of one for whole answers: the share of pairs that it orders as people
    did. Each with how many there were; without any, that alone.

    Args:
        rewards: From `raw_rewards`.
        rows: Held-out rows.
        file: Where the result is kept: seeds that share rewards measure it once.
    """
    if file.is_file():
        return dict(read_json(file))
    facts: dict[str, float] = {}
    for name, reward in rewards.items():
        if isinstance(reward, SpanClassifierReward):
            facts |= _of_segments(name, reward, rows)
            continue
        pairs = completeness_pairs(rows) if name == COMPLETENESS else [p for row in rows for p in row.pairs()]
        facts[f"{name}: held-out pairs"] = len(pairs)
        if pairs:
            facts[f"{name}: held-out accuracy"] = ordered_share(reward, pairs)
    write_json(file, facts)
    return facts


def ordered_share(reward: Reward, pairs: Sequence[PreferencePair]) -> float:
    """Return the share of pairs whose chosen response has the higher reward. Every text is scored once."""
    texts = list(
        dict.fromkeys((pair.prompt, text) for pair in pairs for text in (pair.chosen, pair.rejected))
    )
    values = dict(zip(texts, reward_values(reward, texts), strict=True))
    return float(
        np.mean([values[pair.prompt, pair.chosen] > values[pair.prompt, pair.rejected] for pair in pairs])
    )


def _of_segments(name: str, reward: SpanClassifierReward, rows: Sequence[QAFeedback]) -> dict[str, float]:
    try:
        found = span_agreement(reward, span_examples(rows, name))
    except DataError:  # no segment has a label, or none with one could be read
        return {f"{name}: held-out segments": 0}
    return {
        f"{name}: held-out segments": found.segments,
        f"{name}: held-out accuracy": found.accuracy,
        f"{name}: accuracy of the more frequent label": found.baseline,
        f"{name}: held-out F1 of errors": found.f1,
    }
