"""ARKS' claims beside what was measured, ready for `Run.claim`.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.core.statistics import Estimate
from workbench.papers.arks.results import Findings
from workbench.papers.arks.settings import ACTIVE, CONTROL, NOTHING, ONE_SHOT, STRIPPED

__all__ = ["PAPER", "arks_claims"]

PAPER = "Su et al. 2024, ARKS"


def arks_claims(findings: Findings, source: str) -> Iterator[dict[str, Any]]:
    """Yield the paper's claims, each as the arguments of `Run.claim`.

    A claim on a difference is supported where its whole 95 % interval is above 0, refuted where all of it is below,
    and else undecided.

    Args:
        findings: Of all settings.
        source: Where the problems come from, as in the profile.
    """
    where = (
        "Measured on fictional libraries with a model of half a million parameters: not the paper's data."
        if source == "world"
        else f"Measured on {source}."
    )

    def compared(statement: str, paper_value: Any, one: str, other: str, note: str = "") -> dict[str, Any]:
        found = findings.difference(one, other)
        accuracies = f"{findings.accuracy(one).value:.1%} against {findings.accuracy(other).value:.1%}. "
        claim = {"statement": statement, "paper_value": paper_value, "note": accuracies + note + where}
        return {**claim, **_decided(findings, found)}

    yield compared(
        "Active retrieval in the knowledge soup beats generation without documents",
        "8.6 % to 34.6 % (ChatGPT)",
        ACTIVE,
        NOTHING,
    )
    yield compared("Active retrieval beats retrieving once", "higher on all four sets", ACTIVE, ONE_SHOT)
    yield compared(
        "The refined query matters: active retrieval beats the same loop that asks with the question again",
        "active beats the fixed query",
        ACTIVE,
        CONTROL,
    )
    for letters, added in (("D+F", "code snippets"), ("D+S", "execution feedback"), ("F+S", "documentation")):
        yield compared(
            f"Adding {added} to the other sources helps", "every source helps", ACTIVE, f"active, {letters}"
        )
    rounds = int(findings.rows[findings.rows["setting"] == ACTIVE]["round"].max())
    gains = [findings.round_gain(ACTIVE, number) for number in range(1, rounds + 1)]
    if gains:
        listed = ", ".join(f"round {number}: {gain.value:+.1%}" for number, gain in enumerate(gains, 1))
        yield {
            "statement": "More rounds help: even the last one adds",
            "paper_value": "accuracy grows with the rounds",
            "note": f"{listed}. {where}",
            **_decided(findings, gains[-1]),
        }
    if any(one.stripped for one in findings.settings):
        whole = findings.difference(ACTIVE, CONTROL).value
        yield compared(
            "Control: the gain over the fixed query is there when no document shares a word with a familiar name",
            "not reported",
            ACTIVE + STRIPPED,
            CONTROL + STRIPPED,
            "The model's wrong names are good queries because they share words with the documents; here those "
            f"words are taken out. With them the gain is {whole:+.1%}. ",
        )


def _decided(findings: Findings, found: Estimate) -> dict[str, Any]:
    """Return what was measured, and whether it decides."""
    return {
        "paper": PAPER,
        "measured": found.value,
        "interval": (found.low, found.high),
        "n": findings.problems,
        "seeds": findings.models,
        "supported": found.above(),
        "unit": "points",
        "threshold": 0.0,
    }
