"""HaF-RM's claims beside what was measured, ready for `Run.claim`.

Source: HaF-RM: A Hybrid Alignment Framework for Reward Model Training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any

from workbench.core.statistics import Estimate
from workbench.papers.haf_rm.best_of_n import best_of_n_gain
from workbench.papers.haf_rm.declaration import DPO, STANDARD
from workbench.papers.haf_rm.judged import PickedPair, judged_rate
from workbench.papers.haf_rm.results import Findings
from workbench.rewards.judge import Preference

__all__ = ["PAPER", "haf_rm_claims"]

PAPER = "HaF-RM"


def haf_rm_claims(
    findings: Findings, picked: Sequence[PickedPair] = (), verdicts: Sequence[Preference] = ()
) -> Iterator[dict[str, Any]]:
    """Yield the paper's claims, each as the arguments of `Run.claim`.

    A claim is supported where the whole interval of the difference is above 0, refuted where all of it is below, and
    else undecided.

    Args:
        findings: Of the whole experiment; its main regime counts.
        picked: What a judge compared; see `picked_pairs`.
        verdicts: Of each.
    """
    hybrid, main = findings.declaration.middle, findings.declaration.main
    where = "our small world" if findings.data.candidates else "the data sets named in the parameters"
    note = f"{hybrid}, {main.name}, on {where}; intervals over seeds and test prompts. "
    for inside, words in ((True, "of the kind it was trained on"), (False, "of other kinds")):
        found, seeds, pairs = findings.pooled_difference(hybrid, STANDARD, main, inside=inside)
        yield {
            "statement": f"The hybrid reward model is more accurate than the standard one on pairs {words}",
            "paper_value": "more accurate on all five data sets"
            if inside
            else "more accurate out of distribution",
            "n": pairs,
            "seeds": seeds,
            **_verdict(found, note + "Accuracy of the hybrid less that of the standard one, paired by seed."),
        }
    found, seeds, pairs = findings.pooled_difference(hybrid, DPO, main, inside=True)
    yield {
        "statement": "The hybrid reward model is more accurate than DPO's implicit reward",
        "paper_value": "more accurate",
        "n": pairs,
        "seeds": seeds,
        **_verdict(found, note + "In distribution, paired by seed."),
    }
    if findings.data.candidates:
        best_of = min(len(one.responses) for few in findings.data.candidates.values() for one in few)
        gain = best_of_n_gain(findings, hybrid, STANDARD, main, best_of)
        yield {
            "statement": f"Best-of-{best_of} by the hybrid reward model picks better answers",
            "paper_value": "higher win rate by an LLM judge",
            "n": sum(len(few) for few in findings.data.candidates.values()),
            "seeds": seeds,
            **_verdict(
                gain, note + "Exact utility of the answer picked, mean over all test sets; n counts prompts."
            ),
            "unit": "",  # utilities are no shares
        }
    met = [(one.arm, one.against) == (hybrid, STANDARD) for one in picked]
    if any(met):
        pairs_met, told = list(compress(picked, met)), list(compress(verdicts, met))
        several = len({one.seed for one in pairs_met}) > 1
        rate = judged_rate(pairs_met, told) if several else None
        yield {
            "statement": "Of the answers that best-of-N picks, the hybrid reward model's beat the standard one's",
            "paper_value": "higher win rate by an LLM judge",
            "n": len(pairs_met),
            "seeds": len({one.seed for one in pairs_met}),
            **_verdict(rate, note + "Share of comparisons won, ties counted half.", threshold=0.5),
            "unit": "share",
        }


def _verdict(found: Estimate | None, note: str, threshold: float = 0.0) -> dict[str, Any]:
    """Return what was measured, and whether it decides: the whole interval lies on one side of the threshold."""
    if found is None:
        return {"paper": PAPER, "note": note + " One seed decides nothing: ask for two or more."}
    return {
        "paper": PAPER,
        "measured": found.value,
        "interval": (found.low, found.high),
        "supported": found.above(threshold),
        "note": note,
        "unit": "points",
        "threshold": threshold,
    }
