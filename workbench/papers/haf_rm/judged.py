"""Best-of-N where no utility is known: a judge compares the picks of the experiment's reward models.

Source: HaF-RM, best-of-N by win rate; with position swap, as in ALaRM.
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
    standard = findings.declaration.standard
    picks = {
        (outcome.arm, outcome.trained_on, outcome.seed): dict(_picks(findings, findings.text_scores(outcome)))
        for outcome in findings.outcomes
        if outcome.regime == regime
    }
    pairs: list[PickedPair] = []
    for (arm, trained_on, seed), chosen in picks.items():
        rivals = {UNPICKED: {place: texts[0] for place, texts in _answers(findings)}}
        if arm != standard:
            rivals[standard] = picks[standard, trained_on, seed]
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
        device: Of a judge that is a reward model.
        folder: Where replies are kept.
    """
    asked = list(dict.fromkeys(pair.comparison for pair in pairs))
    verdicts = make_judge(judge, device=device, path=folder / "replies.jsonl").compare_all(asked)
    known = dict(zip(asked, verdicts, strict=True))
    return [known[pair.comparison] for pair in pairs]


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
    judged = [
        (pair, verdict)
        for pair, verdict in zip(pairs, verdicts, strict=True)
        if verdict is not Preference.REFUSED
    ]
    if not judged:
        raise DataError(
            got=f"no verdict in {len(pairs)} comparisons",
            needed="at least one",
            fix="see the judge's replies in the step's folder, and take another judge",
        )
    if len({pair.seed for pair in pairs}) > 1:
        effect = crossed_effect(_by_seed_and_prompt(judged), bounds=(0.0, 1.0))
        assert effect.estimate is not None  # there is a table
        value, low, high = effect.estimate
        return replace(effect, estimate=Estimate(value, max(low, 0.0), min(high, 1.0)))
    wins = np.array([_won(verdict) for _, verdict in judged])
    prompts = [f"{pair.test} {pair.comparison.prompt}" for pair, _ in judged]
    estimate = Estimate(float(wins.mean()), *clustered_wilson(wins, prompts))
    return Effect(estimate, 1, len(set(prompts)))


def _won(verdict: Preference) -> float:
    return (1 + verdict.outcome) / 2


def _by_seed_and_prompt(judged: Sequence[tuple[PickedPair, Preference]]) -> list[NDArray[np.float64]]:
    """Return for each test set the share won, means over the training data. Shape [seeds, prompts] each."""
    seeds = sorted({pair.seed for pair, _ in judged})
    won: dict[tuple[str, str], dict[int, list[float]]] = {}
    for pair, verdict in judged:
        place = won.setdefault((pair.test, pair.comparison.prompt), {})
        place.setdefault(pair.seed, []).append(_won(verdict))
    tables: dict[str, list[list[float]]] = {}
    for (test, _), by_seed in won.items():
        if len(by_seed) == len(seeds):
            tables.setdefault(test, []).append([float(np.mean(by_seed[seed])) for seed in seeds])
    if not tables:
        raise DataError(
            got=f"{len(judged)} verdicts of {len(seeds)} seeds, and no prompt with one of each",
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
    for number, pair in enumerate(pairs):
        places.setdefault((pair.arm, pair.against, pair.trained_on, pair.test), []).append(number)
    rows = []
    for place, numbers in places.items():
        few, given = [pairs[i] for i in numbers], [verdicts[i] for i in numbers]
        rate = judged_rate(few, given).estimate
        assert rate is not None  # there is a verdict
        rows.append(
            dict(zip(("arm", "against", "trained on", "test set"), place, strict=True))
            | {"win rate": rate.value, "low": rate.low, "high": rate.high}
            | {
                "same answer": float(
                    np.mean([pair.comparison.first == pair.comparison.second for pair in few])
                )
            }
            | {"refused": sum(verdict is Preference.REFUSED for verdict in given)}
            | {
                "prompts": len({pair.comparison.prompt for pair in few}),
                "seeds": len({pair.seed for pair in few}),
            }
        )
    return pd.DataFrame(rows)


def _answers(findings: Findings) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Yield test set and prompt with the backbone's answers."""
    for test, few in findings.data.answers.items():
        for samples in few:
            yield (test, samples.prompt), samples.responses


def _picks(findings: Findings, values: np.ndarray) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the answer of highest score to each prompt; of several, the first."""
    for place, texts in _answers(findings):
        scores = values[[findings.numbers[place[1], text] for text in texts]]
        yield place, texts[int(np.argmax(scores))]
