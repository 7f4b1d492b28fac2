"""Claims as the report shows them: a verdict in words, sign and colour, and the interval drawn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.runs.report.values import interval_text, measured_text, shown

__all__ = [
    "VERDICTS",
    "ClaimRow",
    "ClaimVerdict",
    "KeptRow",
    "Mark",
    "claim_rows",
    "mark",
    "tally",
    "verdict",
]


EDGE = 2.0
"""Room for half a dot at both ends of a line, in percent of its width."""


@dataclass(frozen=True)
class ClaimVerdict:
    """What a measurement says about a claim."""

    kind: str
    """yes, no, maybe or none: the name of its colours."""
    words: str
    rank: int
    """Its place when claims are sorted by verdict."""


SUPPORTED = ClaimVerdict("yes", "supported", 0)
UNDECIDED = ClaimVerdict("maybe", "undecided", 1)
REFUTED = ClaimVerdict("no", "not supported", 2)
UNMEASURED = ClaimVerdict("none", "not measured", 3)
VERDICTS = (SUPPORTED, UNDECIDED, REFUTED, UNMEASURED)


@dataclass(frozen=True)
class Mark:
    """An interval drawn on a line: places in percent of its width, the deciding value among them."""

    low: float
    high: float
    estimate: float
    threshold: float | None


@dataclass(frozen=True)
class KeptRow:
    """What a kept table of more seeds says of a claim, ready to be shown."""

    measured: str
    """With its interval, and the seeds."""
    verdict: ClaimVerdict
    reason: str
    why: str
    """Which to believe, the table or the run, and why."""
    believed: bool
    command: str
    """What made the table."""


@dataclass(frozen=True)
class ClaimRow:
    """One claim, ready to be shown."""

    statement: str
    source: str
    """The paper that makes it."""
    paper_value: str
    measured: str
    interval: str
    basis: list[str]
    """What it rests on: samples, seeds and p values, in words."""
    verdict: ClaimVerdict
    reason: str
    """Why it is undecided, where that is known."""
    note: str
    mark: Mark | None
    threshold: str
    """The value that decides, in the claim's unit; empty where it is 0 or none is known."""
    estimate: float | None
    """For sorting."""
    kept: KeptRow | None = None
    """The same by a kept table, where there is one."""

    @property
    def believed(self) -> ClaimVerdict:
        """The verdict of the wider evidence: of the kept table where it rests on more seeds."""
        return self.kept.verdict if self.kept is not None and self.kept.believed else self.verdict


def verdict(claim: Mapping[str, Any]) -> ClaimVerdict:
    """Return what a claim of results.json says; nothing was measured where it has no measurement."""
    if claim.get("supported") is not None:
        return SUPPORTED if claim["supported"] else REFUTED
    return UNMEASURED if claim.get("measured") is None else UNDECIDED


def tally(claims: Sequence[ClaimRow], *, believed: bool = False) -> list[tuple[ClaimVerdict, int]]:
    """Count claims by verdict, leaving out verdicts that none has.

    Args:
        claims: To count.
        believed: By the wider evidence, see `ClaimRow.believed`, and not by the run alone.
    """
    verdicts = [claim.believed if believed else claim.verdict for claim in claims]
    counted = [(kind, sum(one is kind for one in verdicts)) for kind in VERDICTS]
    return [(kind, count) for kind, count in counted if count]


def mark(claim: Mapping[str, Any], reach: float | None = None) -> Mark | None:
    """Place a claim's interval on a line whose middle is the value that decides.

    So the middles of all rows lie below each other, and an interval is clear of its threshold at a glance.

    Args:
        claim: Of results.json.
        reach: Half the width of the line, in the claim's unit; None for just what the interval needs. Runs
            that are compared share one.

    Returns:
        The places; None for a claim without an interval. Without a threshold, the line runs from 0 to 1
        where the interval lies in it, and else just around the interval.
    """
    interval, estimate = claim.get("interval"), claim.get("measured")
    if not interval or not isinstance(estimate, int | float):
        return None
    low, high = interval
    threshold = claim.get("threshold")
    if threshold is not None:
        width = (reach or max(abs(low - threshold), abs(high - threshold)) or 1.0) * 1.08
        begin, end = threshold - width, threshold + width
    elif low >= 0 and high <= 1:
        begin, end = 0.0, 1.0
    else:
        room = (high - low or 1.0) * 0.25
        begin, end = low - room, high + room

    def place(value: float) -> float:
        share = (min(max(value, begin), end) - begin) / (end - begin)
        return round(EDGE + (100 - 2 * EDGE) * share, 2)

    return Mark(place(low), place(high), place(estimate), None if threshold is None else place(threshold))


def claim_rows(claims: Sequence[Mapping[str, Any]]) -> tuple[list[ClaimRow], str]:
    """Prepare a paper's claims.

    Args:
        claims: Of results.json.

    Returns:
        The rows, and what the notes of all measured claims say alike, which is then left out of each.
    """
    common = _common([claim.get("note", "") for claim in claims if claim.get("measured") is not None])
    rows = [
        _row(claim, [sentence for sentence in _sentences(claim.get("note", "")) if sentence not in common])
        for claim in claims
    ]
    return rows, " ".join(common)


def _row(claim: Mapping[str, Any], note: Sequence[str]) -> ClaimRow:
    unit = claim.get("unit") or ""
    measured, threshold, seeds = claim.get("measured"), claim.get("threshold"), claim.get("seeds")
    basis = [f"n = {shown(claim['n'])}"] if claim.get("n") is not None else []
    if seeds:
        basis.append(f"{seeds} seed{'s' if seeds != 1 else ''}")
    if claim.get("p_value") is not None:
        basis.append(f"p = {_chance(claim['p_value'])}")
        if claim.get("p_holm") is not None:
            basis.append(f"{_chance(claim['p_holm'])} by Holm's correction")
    return ClaimRow(
        statement=claim["statement"],
        source=claim.get("paper", ""),
        paper_value=measured_text(claim.get("paper_value"), unit),
        measured=measured_text(measured, unit),
        interval=interval_text(claim.get("interval"), unit),
        basis=basis,
        verdict=verdict(claim),
        reason=claim.get("reason") or "",
        note=" ".join(note),
        mark=mark(claim),
        threshold=measured_text(float(threshold), unit) if threshold else "",
        estimate=measured if isinstance(measured, int | float) else None,
        kept=_kept(claim["kept"], unit) if claim.get("kept") else None,
    )


def _kept(kept: Mapping[str, Any], unit: str) -> KeptRow:
    number = f"{measured_text(kept['measured'], unit)} {interval_text(kept['interval'], unit)}"
    return KeptRow(
        f"{number}, {kept['seeds']} seeds",
        verdict(kept),
        kept["reason"],
        kept["why"],
        kept["believed"],
        kept["command"],
    )


def _chance(p_value: float) -> str:
    return "below 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _sentences(note: str) -> list[str]:
    return [one for one in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9])", note.strip()) if one]


def _common(notes: Sequence[str]) -> list[str]:
    """Return the sentences that every one of several notes has."""
    if len(notes) < 2:
        return []
    first, *others = map(_sentences, notes)
    return [sentence for sentence in first if all(sentence in other for other in others)]
