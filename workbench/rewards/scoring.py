"""Score preference pairs, or any texts, with a model or any other reward."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.rewards.pair_scores import SCORES, PreferenceScores, pair_ids
from workbench.rewards.scorer import Scorer, ScoringSettings
from workbench.rewards.spans import Reward, Sample, Span, sequence_score, whole
from workbench.store.journal import Journal
from workbench.store.plain import to_plain

__all__ = ["ModelReward", "reward_values", "score_pairs", "score_pairs_with"]

Floats = NDArray[np.float64]


def score_pairs(
    scorer: Scorer, pairs: Sequence[PreferencePair], *, path: str | Path | None = None, progress: bool = True
) -> PreferenceScores:
    """Score both responses of each pair.

    Batches are made of pairs of like length, and always of the same ones: so a call that goes on where another
    was killed gives the same numbers, bit by bit.

    Args:
        scorer: The model.
        pairs: At least one.
        path: A JSON-lines file that scores are written to as they come. Those that an earlier call left there are
            not made again; in the end it holds a line a pair, in order, for `PreferenceScores.load`.
        progress: Show a bar on a terminal's stderr.

    Raises:
        DataError: There are no pairs, a text has no token, or the file cannot be used.
        ModelError: A score is not a number.
    """
    from workbench.core.bars import Bar

    if not pairs:
        raise DataError("no pairs", "at least one", "name another source, or another split")
    encoded = scorer.encode([(pair.prompt, text) for pair in pairs for text in (pair.chosen, pair.rejected)])
    ids, fingerprint = pair_ids(pairs), scorer.fingerprint
    keys = [hashlib.sha256(f"{fingerprint} {one}".encode()).hexdigest()[:24] for one in ids]
    lengths = np.array([len(text.tokens) for text in encoded.texts]).reshape(-1, 2).max(1)
    hidden = None if progress else True  # None: hidden where stderr is no terminal
    bar = Bar(total=len(pairs), desc="scoring", unit="pair", disable=hidden)
    wanted = set(keys)
    with Journal(path, counts=lambda row: row["key"] in wanted) as journal, bar:
        for batch in _batches(lengths, max(1, scorer.settings.batch_size // 2)):
            if not all(keys[k] in journal.known for k in batch):
                found = scorer.measure(encoded.pick([2 * k + side for k in batch for side in (0, 1)]))
                rows = _rows([pairs[k] for k in batch], [ids[k] for k in batch], found, scorer.settings.beta)
                journal.add(*({"key": keys[k], **row} for k, row in zip(batch, rows, strict=True)))
            bar.update(len(batch))
        rows = [journal.known[key] for key in keys]
        journal.finish(rows)
    return PreferenceScores.of_rows(rows)


def score_pairs_with(reward: Reward, pairs: Sequence[PreferencePair]) -> PreferenceScores:
    """Score pairs with any reward, as the explicit one: a baseline, an oracle, a composition of aspects.

    Args:
        reward: What scores responses.
        pairs: At least one.

    Raises:
        DataError: There are no pairs.
    """
    if not pairs:
        raise DataError("no pairs", "at least one", "name another source, or another split")
    texts = [(pair.prompt, text) for pair in pairs for text in (pair.chosen, pair.rejected)]
    missing, none = np.full(len(texts), np.nan), np.zeros(len(texts), dtype=np.int64)
    found = {"rewards": reward_values(reward, texts), "policy_logps": missing, "reference_logps": missing}
    found |= {"tokens": none, "reference_tokens": none, "truncated": none.astype(bool)}
    return PreferenceScores.of_rows(_rows(pairs, pair_ids(pairs), found, ScoringSettings().beta))


def reward_values(reward: Reward, texts: Sequence[tuple[str, str]]) -> Floats:
    """Return one number for each text, whatever spans the reward gives: see `sequence_score`. Shape [texts].

    Raises:
        SettingsError: The reward does not give spans for each text.
    """
    samples = [Sample(prompt, response) for prompt, response in texts]
    spans = reward(samples)
    if len(spans) != len(samples):
        raise SettingsError(
            got=f"reward {reward.name!r} gave spans for {len(spans)} of {len(samples)} texts",
            needed="a list of spans for each",
            fix="correct the reward",
        )
    values = [sequence_score(found, len(one.response)) for found, one in zip(spans, samples, strict=True)]
    return np.array(values, dtype=np.float64)


class ModelReward:
    """A model's score as a reward, for best-of-N, judging and whatever takes a `Reward`.

    Args:
        scorer: The model.
        score: One of `workbench.rewards.pair_scores.SCORES`, such as `explicit` or `implicit`.
        name: What tables call it; the score's name if None.

    Raises:
        SettingsError: There is no such score. Later: the model has none.
    """

    def __init__(self, scorer: Scorer, score: str = "explicit", *, name: str | None = None) -> None:
        if score not in SCORES:
            raise SettingsError(f"score {score!r}", f"one of {', '.join(SCORES)}", "correct the name")
        self.scorer, self.score, self.name = scorer, score, name or score

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return each sample's score as a span of the whole response."""
        if not samples:
            return []
        encoded = self.scorer.encode([(sample.prompt, sample.response) for sample in samples])
        parts: dict[str, NDArray[Any]] = {}
        for batch in _batches([len(text.tokens) for text in encoded.texts], self.scorer.settings.batch_size):
            for name, values in self.scorer.measure(encoded.pick(batch)).items():
                parts.setdefault(name, np.zeros(len(samples), dtype=values.dtype))[batch] = values
        # a table's rows are pairs: each response stands here on both sides of one
        pairs = [PreferencePair(sample.prompt, sample.response, sample.response, "") for sample in samples]
        found = {name: np.repeat(values, 2) for name, values in parts.items()}
        ids = [str(number) for number in range(len(pairs))]
        table = PreferenceScores.of_rows(_rows(pairs, ids, found, self.scorer.settings.beta))
        values = table.score(self.score)[:, 0]
        if np.isnan(values).any():
            raise SettingsError(
                got=f"score {self.score!r} of a model that has none",
                needed=f"one of {', '.join(table.available)}",
                fix="name another score, or give the scorer a reference",
            )
        return [[whole(sample, float(value))] for sample, value in zip(samples, values, strict=True)]


def _rows(
    pairs: Sequence[PreferencePair], ids: Sequence[str], found: Mapping[str, NDArray[Any]], beta: float
) -> list[dict[str, Any]]:
    """Return a row for each pair. Takes measurements of shape [2 * pairs], chosen and rejected in turn."""
    sides = {name: values.reshape(len(pairs), 2) for name, values in found.items()}
    sides["characters"] = np.array([[len(pair.chosen), len(pair.rejected)] for pair in pairs])
    return [
        {"id": one, "source": pair.source, "subset": pair.subset}
        | {name: to_plain(sides[name][k]) for name in sides}  # None for NaN
        | {"beta": beta}
        | ({"row": asdict(pair.row)} if pair.row else {})
        for k, (one, pair) in enumerate(zip(ids, pairs, strict=True))
    ]


def _batches(lengths: Sequence[int] | NDArray[np.int64], size: int) -> Iterator[list[int]]:
    """Yield places in batches of like length, the longest first: what does not fit into memory fails at once."""
    order = np.argsort(-np.asarray(lengths), kind="stable").tolist()
    for start in range(0, len(order), size):
        yield order[start : start + size]
