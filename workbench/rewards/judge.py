"""Judges: which of two responses is better, by an oracle, a reward or a model; win rates and position bias."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from itertools import combinations
from typing import NamedTuple, Protocol

from workbench.core.errors import DataError, SettingsError
from workbench.core.statistics import Estimate, win_rate
from workbench.core.terminal import show_line
from workbench.rewards.baselines import OracleReward
from workbench.rewards.scoring import reward_values
from workbench.rewards.spans import Reward

__all__ = [
    "Comparison",
    "Judge",
    "OracleJudge",
    "OrderEffect",
    "Preference",
    "RewardJudge",
    "WinRate",
    "agreed",
    "order_effect",
    "round_robin",
    "win_rates",
]


class Preference(Enum):
    """A judge's preference between two responses."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    REFUSED = "refused"
    """No verdict: the judge refused, or its reply was not one."""

    @property
    def turned(self) -> Preference:
        """The same verdict with positions swapped."""
        other = {Preference.FIRST: Preference.SECOND, Preference.SECOND: Preference.FIRST}
        return other.get(self, self)

    @property
    def outcome(self) -> float:
        """1 for the first, -1 for the second, 0 for a tie, as `workbench.core.statistics.win_rate` takes it.

        Raises:
            SettingsError: There is no verdict.
        """
        if self is Preference.REFUSED:
            raise SettingsError(
                "a refused comparison", "a verdict", "leave out what was refused, and count it"
            )
        return {Preference.FIRST: 1.0, Preference.SECOND: -1.0}.get(self, 0.0)


class Comparison(NamedTuple):
    """Two responses to one prompt."""

    prompt: str
    first: str
    second: str


class Judge(Protocol):
    """Anything that compares responses."""

    @property
    def name(self) -> str:
        """Name in tables and plots."""

    def compare(self, prompt: str, first: str, second: str) -> Preference:
        """Return which of two responses is better."""

    def compare_all(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        """Return the preferences of many comparisons, in order."""


class RewardJudge:
    """Prefers the response that a reward scores higher.

    Args:
        reward: Any.
        tolerance: Scores that differ by no more are a tie.
    """

    def __init__(self, reward: Reward, *, tolerance: float = 0.0) -> None:
        if not tolerance >= 0:
            raise SettingsError(f"tolerance {tolerance!r}", "a number, at least 0", "correct it")
        self.reward, self.tolerance, self.name = reward, tolerance, reward.name

    def compare(self, prompt: str, first: str, second: str) -> Preference:
        """Return which of two responses scores higher."""
        return self.compare_all([Comparison(prompt, first, second)])[0]

    def compare_all(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        """Return the preferences of many comparisons; all are scored in one call of the reward."""
        texts = [(pair.prompt, text) for pair in comparisons for text in (pair.first, pair.second)]
        values = reward_values(self.reward, texts).reshape(-1, 2)
        if cut := getattr(self.reward, "cut", None):
            show_line(f"{self.name}: {cut}")
        return [self._preference(float(first), float(second)) for first, second in values]

    def _preference(self, first: float, second: float) -> Preference:
        if abs(first - second) <= self.tolerance:
            return Preference.TIE
        return Preference.FIRST if first > second else Preference.SECOND


class OracleJudge(RewardJudge):
    """Prefers the response of higher true utility, where a task knows it exactly.

    Args:
        utility: From prompt and response to a number, the higher the better.
        tolerance: Utilities that differ by no more are a tie.
    """

    def __init__(self, utility: Callable[[str, str], float], *, tolerance: float = 0.0) -> None:
        super().__init__(OracleReward(utility), tolerance=tolerance)


def agreed(forward: Preference, backward: Preference) -> Preference:
    """Return the verdict of a comparison with position swap: both orders of the two responses.

    Disagreement is a tie: HaF-RM's and ALaRM's rule. If either order was refused there is no verdict.

    Args:
        forward: In the order given.
        backward: With positions swapped, already turned back to the order given.
    """
    if Preference.REFUSED in (forward, backward):
        return Preference.REFUSED
    return forward if forward is backward else Preference.TIE


class OrderEffect(NamedTuple):
    """Position bias: how far a judge's verdicts depend on which response it reads first."""

    same: Estimate
    """Share of comparisons with the same verdict in both orders, with Wilson's interval."""
    read_first: Estimate
    """Win rate of the response that was read first, ties counted half; 0.5 without position bias."""
    refused: int
    """Comparisons that were refused in either order: not counted."""


def order_effect(verdicts: Sequence[tuple[Preference, Preference]]) -> OrderEffect:
    """Return the position bias of verdicts.

    Args:
        verdicts: Of each comparison in the order given, and with positions swapped (turned back).

    Raises:
        DataError: There are no two verdicts on any.
    """
    both = [two for two in verdicts if Preference.REFUSED not in two]
    if not both:
        raise _nothing(len(verdicts))
    same = win_rate([1.0 if forward is backward else -1.0 for forward, backward in both])
    read_first = win_rate(
        [value for forward, backward in both for value in (forward.outcome, backward.turned.outcome)]
    )
    return OrderEffect(same, read_first, len(verdicts) - len(both))


class WinRate(NamedTuple):
    """Win rate of the first of two systems."""

    rate: Estimate
    """Share of verdicts, a tie counted half to each, with Wilson's interval."""
    wins: int
    ties: int
    losses: int
    refused: int
    """Comparisons without a verdict: not in the rate."""


def win_rates(preferences: Sequence[Preference]) -> WinRate:
    """Return the win rate of the first, over comparisons of the same two systems.

    Raises:
        DataError: There is not one verdict.
    """
    counts = Counter(preferences)
    outcomes = [preference.outcome for preference in preferences if preference is not Preference.REFUSED]
    if not outcomes:
        raise _nothing(len(preferences))
    return WinRate(
        win_rate(outcomes),
        counts[Preference.FIRST],
        counts[Preference.TIE],
        counts[Preference.SECOND],
        counts[Preference.REFUSED],
    )


def round_robin(
    judge: Judge, prompts: Sequence[str], responses: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], WinRate]:
    """Compare every system with every other on the same prompts.

    Args:
        judge: Who compares.
        prompts: What all respond to.
        responses: By system, a response to each prompt.

    Returns:
        By (system, other), both ways round.

    Raises:
        SettingsError: A system has not one response to each prompt.
        DataError: All comparisons of two systems were refused.
    """
    wrong = [f"{name} with {len(texts)}" for name, texts in responses.items() if len(texts) != len(prompts)]
    if wrong or len(responses) < 2 or not prompts:
        raise SettingsError(
            got=f"{len(prompts)} prompts, {len(responses)} systems"
            + (f", {', '.join(wrong)} responses" if wrong else ""),
            needed="two systems or more, each with a response to every prompt",
            fix="align them",
        )
    found: dict[tuple[str, str], WinRate] = {}
    for one, other in combinations(responses, 2):
        texts = zip(prompts, responses[one], responses[other], strict=True)
        preferences = judge.compare_all([Comparison(*three) for three in texts])
        found[one, other] = win_rates(preferences)
        found[other, one] = win_rates([preference.turned for preference in preferences])
    order = {name: number for number, name in enumerate(responses)}
    return dict(sorted(found.items(), key=lambda item: (order[item[0][0]], order[item[0][1]])))


def _nothing(asked: int) -> DataError:
    return DataError(
        got=f"no verdict in {asked} comparisons",
        needed="at least one",
        fix="see what the judge replies: its replies are in its file; change its instruction, or take another judge",
    )
