"""ARKS' claims beside what was measured, ready for `Run.claim`.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.papers.arks.results import Findings
from workbench.papers.arks.settings import ACTIVE, CONTROL, NOTHING, ONE_SHOT, STRIPPED
from workbench.runs.claims import Claim

__all__ = ["PAPER", "arks_claims"]

PAPER = "Su et al. 2024, ARKS"


def arks_claims(findings: Findings, source: str) -> Iterator[Claim]:
    """Yield the paper's claims, for `Run.claim`: differences of execution accuracy, decided against 0.

    Args:
        findings: Of all settings.
        source: Where the problems come from, as in the profile.
    """
    where = (
        "Measured on fictional libraries with a model of half a million parameters: not the paper's data."
        if source == "world"
        else f"Measured on {source}."
    )

    run = {setting.name for setting in findings.settings}

    def compared(statement: str, paper_value: Any, setting: str, other: str, note: str = "") -> Claim:
        if other not in run:
            left_out = f"Not run: {other} is not among the run's settings."
            return Claim.of(None, statement=statement, paper=PAPER, paper_value=paper_value, note=left_out)
        accuracies = f"{findings.accuracy(setting).value:.1%} against {findings.accuracy(other).value:.1%}. "
        return Claim.of(
            findings.difference(setting, other),
            statement=statement,
            paper=PAPER,
            paper_value=paper_value,
            unit="points",
            note=accuracies + note + where,
        )

    yield compared(
        "Active retrieval in the knowledge soup beats generation without documents",
        "8.6 % to 34.6 % (ChatGPT)",
        ACTIVE,
        NOTHING,
    )
    yield compared("Active retrieval beats retrieving once", "higher on all four sets", ACTIVE, ONE_SHOT)
    yield compared(
        "The query matters: active retrieval beats the same loop with the question as a fixed query",
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
        known = [(number, gain.estimate) for number, gain in enumerate(gains, 1) if gain.estimate]
        listed = ", ".join(f"round {number}: {gain.value:+.1%}" for number, gain in known)
        yield Claim.of(
            gains[-1],
            statement="More rounds help: even the last one raises accuracy",
            paper=PAPER,
            paper_value="accuracy grows with the rounds",
            unit="points",
            note=f"{listed}. {where}",
        )
    whole = findings.difference(ACTIVE, CONTROL).estimate
    if whole is not None and any(setting.stripped for setting in findings.settings):
        yield compared(
            "Control: the gain over the fixed query remains when no document shares a word with a familiar name",
            "not reported",
            ACTIVE + STRIPPED,
            CONTROL + STRIPPED,
            "The model's wrong names are good queries because they share words with the documents; here those "
            f"words are taken out. With them the gain is {whole.value:+.1%}. ",
        )
