"""Outcomes of training policies: their answers to the same held-out prompts, with the scores of every reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import SettingsError
from workbench.core.paired import long_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BEFORE",
    "DECODINGS",
    "HOLISTIC",
    "KL",
    "LENGTH",
    "ORACLE",
    "Answers",
    "PolicyOutcome",
    "measures",
    "own_prompts",
    "scored_answers",
]

Floats = NDArray[np.float64]
BEFORE = "before"
"""The arm of the policy that all others started from."""
HOLISTIC, ORACLE = "holistic", "oracle"
"""Names of two scores: the reward that is optimised, and what answers are truly worth, where that is known."""
KL, LENGTH = "kl", "length"
"""Names of two measures beside the scores: KL to the reference policy in nats, and length in tokens, per response."""
DECODINGS = ("sampled", "greedy")


@dataclass(frozen=True)
class Answers:
    """A policy's answers, one to each prompt.

    Raises:
        SettingsError: Something has not one value for each answer.
    """

    prompts: tuple[str, ...]
    texts: tuple[str, ...]
    """An answer to each prompt."""
    tokens: NDArray[np.int64]
    """Tokens of each. Shape [prompts]."""
    scores: Mapping[str, Floats]
    """By name, what a reward, an aspect or the truth says of each: `HOLISTIC`, `ORACLE`, any others. Shape
    [prompts]; the higher the better, if it is to be won by."""

    def __post_init__(self) -> None:
        sizes = {"texts": len(self.texts), "tokens": len(self.tokens)}
        sizes |= {name: len(values) for name, values in self.scores.items()}
        wrong = [f"{size} {name}" for name, size in sizes.items() if size != len(self.prompts)]
        if wrong or not self.prompts:
            raise SettingsError(
                got=f"{len(self.prompts)} prompts, {', '.join(wrong) or 'nothing else'}",
                needed="one of everything for each prompt, and at least one prompt",
                fix="align them",
            )


@dataclass(frozen=True)
class PolicyOutcome:
    """One training of a policy. All outcomes of a seed answer the same prompts.

    Let every seed have prompts of its own: an interval over seeds then holds for other prompts too.
    """

    arm: str
    """How it was trained; `BEFORE` was not."""
    seed: int
    """Arms are compared seed by seed."""
    sampled: Answers
    """At the temperature of training."""
    kl: float
    """KL to the reference policy, in nats per sampled response."""
    greedy: Answers | None = None
    """Greedy answers."""
    weight: float | None = None
    """Weight of the aspects, where an experiment sweeps it."""
    log: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """The training's log, a row a rollout: `step`, `score_NAME`, `gate_rate`, `kl`, ..."""

    def answers(self, decoding: str) -> Answers | None:
        """Return the answers by their name in `DECODINGS`.

        Raises:
            SettingsError: There is no such decoding.
        """
        if decoding not in DECODINGS:
            raise SettingsError(f"decoding {decoding!r}", f"one of {', '.join(DECODINGS)}", "correct it")
        return self.sampled if decoding == "sampled" else self.greedy


def measures(outcomes: Sequence[PolicyOutcome]) -> pd.DataFrame:
    """Return every mean over prompts as a row: what tables of policies are made of, and what is kept of many seeds.

    Returns:
        Columns `arm`, `weight` (NaN where none is swept), `seed`, `decoding`, `measure` (a score's name, `LENGTH`;
        `KL` with the sampled answers) and `value`.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        weight = float("nan") if outcome.weight is None else outcome.weight
        for decoding in DECODINGS:
            answers = outcome.answers(decoding)
            if answers is None:
                continue
            found = {name: float(np.mean(values)) for name, values in answers.scores.items()}
            found[LENGTH] = float(np.mean(answers.tokens))
            if decoding == "sampled":
                found[KL] = outcome.kl
            place = {"arm": outcome.arm, "weight": weight, "seed": outcome.seed, "decoding": decoding}
            rows += [{**place, "measure": name, "value": value} for name, value in found.items()]
    return pd.DataFrame(rows, columns=["arm", "weight", "seed", "decoding", "measure", "value"])


def scored_answers(
    outcomes: Sequence[PolicyOutcome], measure: str, *, decoding: str = "sampled"
) -> pd.DataFrame:
    """Return a score of every answer as a long table: columns `workbench.core.paired.LONG`, a unit is a prompt.

    Args:
        outcomes: Those without such answers are left out.
        measure: A score's name.
        decoding: One of `DECODINGS`.
    """
    found = [(outcome, outcome.answers(decoding)) for outcome in outcomes]
    return long_table(
        [
            (outcome.arm, outcome.seed, prompt, measure, float(value))
            for outcome, answers in found
            if answers is not None
            for prompt, value in zip(answers.prompts, answers.scores[measure], strict=True)
        ]
    )


def own_prompts(outcomes: Sequence[PolicyOutcome]) -> bool:
    """Tell whether no prompt was answered in two seeds: an interval over seeds then holds for other prompts too."""
    by_seed: dict[int, set[str]] = {}
    for outcome in outcomes:
        by_seed.setdefault(outcome.seed, set()).update(outcome.sampled.prompts)
    return sum(map(len, by_seed.values())) == len(set[str]().union(*by_seed.values()))
