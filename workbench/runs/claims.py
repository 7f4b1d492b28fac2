"""Claims of a paper, and the one rule by which a measurement supports or refutes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.core.errors import SettingsError
from workbench.core.paired import Effect

__all__ = [
    "LEAST_SEEDS",
    "LEAST_UNITS",
    "Claim",
    "Decision",
    "KeptMeasurement",
    "corrected",
    "decide",
    "p_value",
    "verdict_words",
    "with_holm",
]

LEAST_SEEDS = 3
"""Of trainings: with two, the spread between them is known to one degree of freedom."""
LEAST_UNITS = 10
"""Prompts, pairs or problems: of fewer, a bootstrap's interval is too narrow."""
UNITS = ("", "share", "points")
NUMBERS = ("no", "one", "two")


@dataclass(frozen=True)
class Decision:
    """What a measurement says of a claim."""

    supported: bool | None
    """None: undecided."""
    reason: str = ""
    """Why it is undecided, in a few words."""
    p_value: float | None = None
    """Two-sided, of the threshold as the true value; it agrees with the 95 % interval. None without an interval."""


@dataclass(frozen=True)
class KeptMeasurement:
    """What a table of many seeds, kept in the repository, says of a claim; see `Claim.beside`."""

    command: str
    """What made the table."""
    measured: float
    interval: tuple[float, float]
    """95 %."""
    seeds: int | None
    supported: bool | None
    reason: str = ""
    """Why it is undecided, in a few words."""
    believed: bool = False
    """Whether it is to be believed, and not this run."""
    why: str = ""
    """Which of the two to believe and why, in a few words."""


@dataclass(frozen=True)
class Claim:
    """One claim of a paper beside what was measured here: a row of results.json."""

    statement: str
    """The claim, in a sentence."""
    paper: str
    """The paper that makes it, as a reader would cite it."""
    paper_value: Any = None
    """The paper's number, or its words."""
    measured: Any = None
    """The number measured here, or words."""
    interval: tuple[float, float] | None = None
    """Its interval (95 % unless the note says otherwise), as (low, high)."""
    n: int | None = None
    """Number of samples behind the measurement."""
    seeds: int | None = None
    """Number of seeds behind the measurement."""
    supported: bool | None = None
    """Whether the measurement supports the claim; None where it does not decide."""
    note: str = ""
    """What a reader must know to read the row rightly."""
    unit: str = ""
    """Of measurement and interval: ``share`` (of 1, read as %), ``points`` (a difference of shares), or none."""
    threshold: float | None = None
    """The value that the interval has to lie clear of for a verdict: 0 for a difference, 0.5 for a win rate."""
    reason: str = ""
    """Why it is undecided, in a few words; empty where it is decided, or nothing was measured."""
    p_value: float | None = None
    """Two-sided, of the threshold as the true value."""
    p_holm: float | None = None
    """The same, corrected by Holm's method for all claims that the run tests."""
    kept: KeptMeasurement | None = None
    """The same claim by a kept table of more seeds; None where there is none."""

    def __post_init__(self) -> None:
        if self.interval is not None and not (
            len(self.interval) == 2 and self.interval[0] <= self.interval[1]
        ):
            raise SettingsError(
                got=f"interval={self.interval!r} for the claim {self.statement!r}",
                needed="(low, high) with low <= high",
                fix="give both ends of the interval, or None where there is none",
            )
        if self.unit not in UNITS:
            raise SettingsError(
                got=f"unit={self.unit!r} for the claim {self.statement!r}",
                needed=f"one of {', '.join(map(repr, UNITS))}",
                fix="give no unit where the number is neither a share nor a difference of shares",
            )

    @classmethod
    def of(
        cls,
        effect: Effect | None,
        *,
        statement: str,
        paper: str,
        paper_value: Any = None,
        threshold: float = 0.0,
        below: bool = False,
        unit: str = "",
        note: str = "",
    ) -> Claim:
        """Make a claim from what was measured, decided by `decide`.

        Args:
            effect: The estimate with its seeds and units; None where nothing was measured, as the note says.
            statement: The claim, in a sentence.
            paper: The paper that makes it.
            paper_value: The paper's number, or its words.
            threshold: The value that decides.
            below: The claim says that the value lies below the threshold, and not above.
            unit: See `Claim.unit`.
            note: What a reader must know.
        """
        claim = cls(statement, paper, paper_value, note=note, unit=unit, threshold=threshold)
        if effect is None:
            return replace(claim, threshold=None)
        said = decide(effect, threshold, below=below)
        claim = replace(claim, n=effect.units, seeds=effect.seeds, reason=said.reason)
        if effect.estimate is None:
            return claim
        value, low, high = effect.estimate
        return replace(
            claim, measured=value, interval=(low, high), supported=said.supported, p_value=said.p_value
        )

    def beside(self, effect: Effect, command: str, *, below: bool = False) -> Claim:
        """Return the claim with what a kept table of the same experiment says of it, decided by the same threshold.

        The wider evidence is to be believed: what rests on more seeds. A run of as many counts itself.

        Args:
            effect: By the table; without an estimate the claim stays as it is.
            command: What made the table.
            below: See `of`.
        """
        if effect.estimate is None:
            return self
        said = decide(effect, self.threshold or 0.0, below=below)
        value, low, high = effect.estimate
        here, there = self.seeds or 0, effect.seeds or 0
        believed = self.measured is None or there > here
        why = (
            f"believe the kept table: {there} seeds, here {here}"
            if believed
            else f"believe this run: {here} seeds, in the kept table {there}"
        )
        kept = KeptMeasurement(
            command, value, (low, high), effect.seeds, said.supported, said.reason, believed, why
        )
        return replace(self, kept=kept)

    @property
    def verdict(self) -> str:
        """`supported`, `not supported`, or `undecided` with the reason."""
        return verdict_words(self.supported, self.reason)


def verdict_words(supported: bool | None, reason: str = "") -> str:
    """Return `supported`, `not supported`, or `undecided` with the reason."""
    if supported is not None:
        return "supported" if supported else "not supported"
    return f"undecided: {reason}" if reason else "undecided"


def decide(effect: Effect, threshold: float = 0.0, *, below: bool = False) -> Decision:
    """Decide a claim: by an interval clear of the threshold that covers three seeds or more, and other units too.

    Args:
        effect: What was measured.
        threshold: The value that decides.
        below: The claim says that the value lies below it.
    """
    above = None if effect.estimate is None else effect.estimate.above(threshold)
    chance = p_value(effect, threshold)
    reason = _reason(effect, f"the interval holds {threshold:g}" if above is None else "")
    return (
        Decision(None, reason, chance)
        if reason or above is None
        else Decision(above is not below, "", chance)
    )


def _reason(effect: Effect, otherwise: str) -> str:
    """Return why an effect cannot decide, whatever its interval; empty where it can."""
    if effect.seeds is not None and effect.seeds < LEAST_SEEDS:
        return f"{NUMBERS[effect.seeds]} seed{'s' if effect.seeds != 1 else ''}"
    if effect.estimate is None:
        return "nothing to compare"
    if effect.units is not None and effect.units < LEAST_UNITS:
        return f"n = {effect.units}, fewer than {LEAST_UNITS}"
    if not effect.covers_units:
        return "the interval does not cover other prompts"
    if effect.p_value is not None and effect.p_value >= 0.05:
        return f"p = {effect.p_value:.2f}"
    return otherwise or ("no spread is seen" if effect.estimate.low == effect.estimate.high else "")


def p_value(effect: Effect, threshold: float = 0.0) -> float | None:
    """Return the two-sided p value of the threshold as the true value, as the interval implies it.

    It is below 0.05 where the threshold lies outside the 95 % interval: of Student's t with the effect's degrees of
    freedom, else of the normal distribution, scaled to the end of the interval on the threshold's side.
    """
    from scipy.stats import norm, t

    if effect.p_value is not None or effect.estimate is None:
        return effect.p_value
    value, low, high = effect.estimate
    half = value - low if value > threshold else high - value
    if not half > 0:
        return 1.0 if value == threshold else None
    spread = norm if effect.freedom is None else t(effect.freedom)
    return float(2 * spread.sf(abs(value - threshold) / half * spread.ppf(0.975)))


def corrected(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number.

    Source: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".

    >>> corrected([0.03, 0.01, 0.04])
    [0.06, 0.03, 0.06]
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    found, highest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        found[place] = highest
    return found


def with_holm(claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """Return the claims with Holm's correction for all those that were tested; by statement."""
    tested = {name: claim.p_value for name, claim in claims.items() if claim.p_value is not None}
    holm = dict(zip(tested, corrected(list(tested.values())), strict=True))
    return {name: replace(claim, p_holm=holm.get(name)) for name, claim in claims.items()}
