"""Best-of-N where no utility is known: a judge compares what the reward models of the experiment pick.

Source: HaF-RM, best-of-N by win rate; asked in both orders, as ALaRM does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import DataError
from workbench.core.paired import Effect, crossed_effect
from workbench.core.statistics import Estimate, clustered_wilson
from workbench.papers.haf_rm.data import Regime
from workbench.papers.haf_rm.declaration import STANDARD
from workbench.papers.haf_rm.results import Findings
from workbench.rewards.judge import Comparison, Preference
from workbench.rewards.judge_by_name import make_judge

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNPICKED", "PickedPair", "judge_picks", "judged_rate", "judged_table", "picked_pairs"]

UNPICKED = "the first answer"
"""What there is without best-of-N."""


@dataclass(frozen=True)
class PickedPair:
    """What one reward model picks of the backbone's answers, beside what it is compared with."""

    arm: str
    against: str
    """Another arm of the same seed and training data, or `UNPICKED`."""
    trained_on: str
    test: str
    seed: int
    comparison: Comparison
    """The arm's answer first."""


def picked_pairs(findings: Findings, regime: Regime) -> tuple[PickedPair, ...]:
    """Return every arm's picks beside the standard arm's, and beside the first answer.

    Args:
        findings: Of an experiment whose backbone answered prompts.
        regime: What the arms were trained in.
    """
    picks = {
        (one.arm, one.trained_on, one.seed): dict(_picks(findings, findings.text_scores(one)))
        for one in findings.outcomes
        if one.regime == regime
    }
    pairs: list[PickedPair] = []
    for (arm, trained_on, seed), chosen in picks.items():
        rivals = {UNPICKED: {place: texts[0] for place, texts in _answers(findings)}}
        if arm != STANDARD:
            rivals[STANDARD] = picks[STANDARD, trained_on, seed]
        for against, others in rivals.items():
            pairs += [
                PickedPair(
                    arm, against, trained_on, test, seed, Comparison(prompt, text, others[test, prompt])
                )
                for (test, prompt), text in chosen.items()
            ]
    return tuple(pairs)


def judge_picks(pairs: Sequence[PickedPair], judge: str, device: str, folder: Path) -> list[Preference]:
    """Let a judge compare. Killed, the same call goes on: an endpoint's replies are on disk as they come.

    Args:
        pairs: What to compare; the same two answers are compared once.
        judge: See `make_judge`.
        device: Where a reward model computes that judges.
        folder: Where replies are kept.
    """
    asked = list(dict.fromkeys(one.comparison for one in pairs))
    verdicts = make_judge(judge, device=device, path=folder / "replies.jsonl").compare_all(asked)
    known = dict(zip(asked, verdicts, strict=True))
    return [known[one.comparison] for one in pairs]


def judged_rate(pairs: Sequence[PickedPair], verdicts: Sequence[Preference]) -> Effect:
    """Return how often the first of each pair wins, a tie counted half, with a 95 % interval.

    With several seeds it covers seeds and prompts, see `crossed_effect`: all test sets weigh the same, and a
    prompt counts where every seed has a verdict. With one seed it is Wilson's over prompts.

    Args:
        pairs: What was compared.
        verdicts: Of each; those that were refused do not count.

    Raises:
        DataError: There is not one verdict; or several seeds, and no prompt with a verdict in each.
    """
    told = [
        (one, verdict)
        for one, verdict in zip(pairs, verdicts, strict=True)
        if verdict is not Preference.REFUSED
    ]
    if not told:
        raise DataError(
            got=f"no verdict in {len(pairs)} comparisons",
            needed="at least one",
            fix="see the judge's replies in the step's folder, and take another judge",
        )
    if len({one.seed for one in pairs}) > 1:
        found = crossed_effect(_by_seed_and_prompt(told), bounds=(0.0, 1.0))
        assert found.estimate is not None  # there is a table
        value, low, high = found.estimate
        return replace(found, estimate=Estimate(value, max(low, 0.0), min(high, 1.0)))
    wins = np.array([_won(verdict) for _, verdict in told])
    prompts = [f"{one.test} {one.comparison.prompt}" for one, _ in told]
    estimate = Estimate(float(wins.mean()), *clustered_wilson(wins, prompts))
    return Effect(estimate, 1, len(set(prompts)))


def _won(verdict: Preference) -> float:
    return (1 + verdict.outcome) / 2


def _by_seed_and_prompt(told: Sequence[tuple[PickedPair, Preference]]) -> list[NDArray[np.float64]]:
    """Return for each test set the share won, means over the training data. Shape [seeds, prompts] each."""
    seeds = sorted({one.seed for one, _ in told})
    found: dict[tuple[str, str], dict[int, list[float]]] = {}
    for one, verdict in told:
        place = found.setdefault((one.test, one.comparison.prompt), {})
        place.setdefault(one.seed, []).append(_won(verdict))
    tables: dict[str, list[list[float]]] = {}
    for (test, _), by_seed in found.items():
        if len(by_seed) == len(seeds):
            tables.setdefault(test, []).append([float(np.mean(by_seed[seed])) for seed in seeds])
    if not tables:
        raise DataError(
            got=f"{len(told)} verdicts of {len(seeds)} seeds, and no prompt with one of each",
            needed="prompts that the judge compared in every seed",
            fix="see the judge's replies in the step's folder, and take another judge",
        )
    return [np.array(rows).T for rows in tables.values()]


def judged_table(pairs: Sequence[PickedPair], verdicts: Sequence[Preference]) -> pd.DataFrame:
    """Return win rates: a row for each arm, rival, training data and test set.

    Returns:
        Columns `arm`, `against`, `trained on`, `test set`, `win rate`, `low`, `high` (95 %), `same answer` (the share
        of pairs where both picked it: ties that nobody had to judge), `refused`, `prompts`, `seeds`.
    """
    import pandas as pd

    places: dict[tuple[str, str, str, str], list[int]] = {}
    for number, one in enumerate(pairs):
        places.setdefault((one.arm, one.against, one.trained_on, one.test), []).append(number)
    rows = []
    for place, numbers in places.items():
        few, told = [pairs[i] for i in numbers], [verdicts[i] for i in numbers]
        rate = judged_rate(few, told).estimate
        assert rate is not None  # there is a verdict
        rows.append(
            dict(zip(("arm", "against", "trained on", "test set"), place, strict=True))
            | {"win rate": rate.value, "low": rate.low, "high": rate.high}
            | {"same answer": float(np.mean([one.comparison.first == one.comparison.second for one in few]))}
            | {"refused": sum(verdict is Preference.REFUSED for verdict in told)}
            | {
                "prompts": len({one.comparison.prompt for one in few}),
                "seeds": len({one.seed for one in few}),
            }
        )
    return pd.DataFrame(rows)


def _answers(findings: Findings) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Yield test set and prompt with the backbone's answers."""
    for test, few in findings.data.answers.items():
        for one in few:
            yield (test, one.prompt), one.responses


def _picks(findings: Findings, values: np.ndarray) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the answer of highest score to each prompt; of several, the first."""
    for place, texts in _answers(findings):
        scores = values[[findings.numbers[place[1], text] for text in texts]]
        yield place, texts[int(np.argmax(scores))]
