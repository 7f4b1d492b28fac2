"""Policies compared: means by everything that judges them, paired differences, and every one against every other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import SettingsError
from workbench.core.paired import Effect, mean_over_seeds, seed_effect
from workbench.core.statistics import win_rate
from workbench.policies.outcomes import Answers, PolicyOutcome

if TYPE_CHECKING:
    import pandas as pd

    from workbench.rewards.judge import Judge

__all__ = ["WinCell", "by_arm", "difference", "mean_table", "seed_values", "win_matrix"]

Floats = NDArray[np.float64]


class WinCell(NamedTuple):
    """How often one arm's answers beat another's."""

    arm: str
    other: str
    rate: float
    """Share of comparisons won, a tie counted half; the mean over seeds."""
    low: float
    """95 %: Wilson's over all comparisons, or Student's t over seeds where that is wider."""
    high: float
    ties: float
    """Share of comparisons."""
    comparisons: int
    """Verdicts, over all seeds."""
    refused: int
    """Comparisons without a verdict: not in the rate."""
    seeds: int
    decided: float = 0.5
    """Wins among comparisons that are no tie: how ALaRM's release counts; the mean over seeds, 0.5 where all tie."""


def by_arm(outcomes: Sequence[PolicyOutcome]) -> dict[str, dict[int, PolicyOutcome]]:
    """Return outcomes by arm and seed.

    Raises:
        SettingsError: An arm has two outcomes of a seed: choose a weight first.
    """
    found: dict[str, dict[int, PolicyOutcome]] = {}
    for outcome in outcomes:
        if outcome.seed in found.setdefault(outcome.arm, {}):
            raise SettingsError(
                got=f"two outcomes of {outcome.arm!r}, seed {outcome.seed}",
                needed="one of each arm and seed",
                fix="pass the outcomes of one weight of the aspects",
            )
        found[outcome.arm][outcome.seed] = outcome
    return found


def win_matrix(
    outcomes: Sequence[PolicyOutcome],
    judge: str | Judge,
    *,
    decoding: str = "sampled",
    tolerance: float = 1e-9,
) -> list[WinCell]:
    """Let every arm meet every other on the same prompts, seed by seed.

    Args:
        outcomes: One of each arm and seed.
        judge: The name of a score that all answers have, or a judge that compares texts.
        decoding: One of `DECODINGS`.
        tolerance: Scores that differ by no more are a tie; a judge has a rule of its own.

    Returns:
        Both ways round, in the order of the arms; pairs without a common seed, or a verdict, are left out.

    Raises:
        SettingsError: See `by_arm`; answers of a seed are to different prompts, or lack the score.
    """
    arms = by_arm(outcomes)
    cells: dict[tuple[str, str], WinCell] = {}
    for arm, other in combinations(arms, 2):
        per_seed: list[Floats] = []
        for seed in sorted(set(arms[arm]) & set(arms[other])):
            one, two = (_answers(arms[name][seed], decoding) for name in (arm, other))
            if one.prompts != two.prompts:
                raise SettingsError(
                    got=f"{arm!r} and {other!r} of seed {seed} answer different prompts",
                    needed="the same prompts in the same order",
                    fix="evaluate all arms of a seed on its prompts",
                )
            per_seed.append(_verdicts(one, two, judge, tolerance))
        asked = sum(len(one) for one in per_seed)
        told = [one[~np.isnan(one)] for one in per_seed]
        told = [one for one in told if len(one)]
        if told:
            refused = asked - sum(map(len, told))
            cells[arm, other] = _cell(arm, other, told, refused)
            cells[other, arm] = _cell(other, arm, [-one for one in told], refused)
    order = list(arms)
    return [
        cells[place] for place in sorted(cells, key=lambda two: (order.index(two[0]), order.index(two[1])))
    ]


def seed_values(
    frame: pd.DataFrame, arm: str, measure: str, *, decoding: str = "sampled", weight: float | None = None
) -> dict[int, float]:
    """Return an arm's measure by seed.

    Args:
        frame: From `measures`.
        arm: Its name.
        measure: What is measured.
        decoding: One of `DECODINGS`.
        weight: Of the aspects, where it is swept; None: whatever there is.
    """
    rows = frame[(frame["arm"] == arm) & (frame["measure"] == measure) & (frame["decoding"] == decoding)]
    if weight is not None:
        rows = rows[np.isclose(rows["weight"], weight)]
    return {int(seed): float(value) for seed, value in zip(rows["seed"], rows["value"], strict=True)}


def difference(
    frame: pd.DataFrame, arm: str, other: str, measure: str, *, decoding: str = "sampled"
) -> Effect:
    """Return one arm's mean less another's, paired by seed; `paired_effect` of answers has the prompts in it too.

    Args:
        frame: From `measures`, one row for each arm, seed and measure.
        arm: An arm.
        other: Another.
        measure: What is compared.
        decoding: One of `DECODINGS`.
    """
    one, two = (seed_values(frame, name, measure, decoding=decoding) for name in (arm, other))
    gaps = [one[seed] - two[seed] for seed in sorted(set(one) & set(two))]
    return seed_effect(gaps, covers_units=False)


def mean_table(
    frame: pd.DataFrame, measures: Sequence[str] | None = None, *, decoding: str = "sampled"
) -> pd.DataFrame:
    """Return the mean of each measure over seeds, with its interval: what every arm reaches.

    Args:
        frame: From `measures`.
        measures: Which, in the order to show; None: all.
        decoding: One of `DECODINGS`.

    Returns:
        Columns `arm`, `weight`, `measure`, `value`, `low`, `high` (95 % t over seeds; NaN of a single seed), `seeds`.
    """
    import pandas as pd

    chosen = frame[frame["decoding"] == decoding]
    wanted = list(dict.fromkeys(chosen["measure"])) if measures is None else list(measures)
    rows: list[dict[str, Any]] = []
    groups = chosen.groupby(["arm", "weight"], sort=False, dropna=False)
    for (arm, weight), part in groups:
        for measure in wanted:
            values = part.loc[part["measure"] == measure, "value"].tolist()
            if values:
                place = {"arm": arm, "weight": weight, "measure": measure, "seeds": len(values)}
                rows.append(place | mean_over_seeds(values)._asdict())
    return pd.DataFrame(rows, columns=["arm", "weight", "measure", "value", "low", "high", "seeds"])


def _answers(outcome: PolicyOutcome, decoding: str) -> Answers:
    answers = outcome.answers(decoding)
    if answers is None:
        raise SettingsError(
            got=f"{outcome.arm!r}, seed {outcome.seed}, without {decoding} answers",
            needed="answers of that decoding from every arm",
            fix="compare sampled answers",
        )
    return answers


def _verdicts(one: Answers, two: Answers, judge: str | Judge, tolerance: float) -> Floats:
    """Return 1, 0 or -1 for each prompt, NaN where the judge would not say. Shape [prompts]."""
    if not isinstance(judge, str):
        from workbench.rewards.judge import Comparison, Preference

        asked = [Comparison(*three) for three in zip(one.prompts, one.texts, two.texts, strict=True)]
        told = judge.compare_all(asked)
        return np.array([np.nan if said is Preference.REFUSED else said.outcome for said in told])
    missing = [answers for answers in (one, two) if judge not in answers.scores]
    if missing:
        raise SettingsError(
            got=f"answers without the score {judge!r}",
            needed=f"one of {', '.join(missing[0].scores)}",
            fix="name a score that all answers have",
        )
    gaps = np.asarray(one.scores[judge], dtype=np.float64) - two.scores[judge]
    return np.where(np.abs(gaps) <= tolerance, 0.0, np.sign(gaps))


def _cell(arm: str, other: str, told: Sequence[Floats], refused: int) -> WinCell:
    """Return a cell from each seed's verdicts.

    Its interval is Wilson's over all comparisons, and reaches to the ends of the seeds' t interval where that is
    wider: seeds may agree by sampling noise, which then hides their spread.
    """
    rates = [win_rate(one).value for one in told]
    _, low, high = win_rate(np.concatenate(told))
    if (over_seeds := seed_effect(rates, covers_units=False).estimate) is not None:
        low, high = min(low, over_seeds.low), max(high, over_seeds.high)
    return WinCell(
        arm=arm,
        other=other,
        rate=float(np.mean(rates)),
        low=max(0.0, float(low)),
        high=min(1.0, float(high)),
        ties=float(np.mean([(one == 0).mean() for one in told])),
        comparisons=sum(map(len, told)),
        refused=refused,
        seeds=len(told),
        decided=float(np.mean([(one > 0).sum() / (one != 0).sum() if one.any() else 0.5 for one in told])),
    )
