"""HaF-RM's claims beside what was measured, ready for `Run.claim`.

Source: HaF-RM: A Hybrid Alignment Framework for Reward Model Training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

from workbench.papers.haf_rm.best_of_n import best_of_n_gain
from workbench.papers.haf_rm.declaration import DPO, STANDARD
from workbench.papers.haf_rm.judged import PickedPair, judged_rate
from workbench.papers.haf_rm.results import Findings
from workbench.rewards.judge import Preference
from workbench.runs.claims import Claim

__all__ = ["PAPER", "haf_rm_claims"]

PAPER = "HaF-RM"


def haf_rm_claims(
    findings: Findings, picked: Sequence[PickedPair] = (), verdicts: Sequence[Preference] = ()
) -> Iterator[Claim]:
    """Yield the paper's claims, for `Run.claim`.

    Args:
        findings: Of the whole experiment; its main regime counts.
        picked: What a judge compared; see `picked_pairs`.
        verdicts: Of each.
    """
    hybrid, main = findings.declaration.middle, findings.declaration.main
    where = "our small world" if findings.data.candidates else "the data sets named in the parameters"
    note = f"{hybrid}, {main.name}, on {where}; intervals over seeds and test prompts. "

    def accuracy(statement: str, paper_value: str, against: str, *, inside: bool, told: str) -> Claim:
        return Claim.of(
            findings.pooled_difference(hybrid, against, main, inside=inside),
            statement=f"The hybrid reward model is more accurate than {statement}",
            paper=PAPER,
            paper_value=paper_value,
            unit="points",
            note=note + told,
        )

    told = "Accuracy of the hybrid less that of the standard one, paired by seed."
    for inside, words, paper_value in (
        (True, "of the kind it was trained on", "more accurate on all five data sets"),
        (False, "of other kinds", "more accurate out of distribution"),
    ):
        yield accuracy(f"the standard one on pairs {words}", paper_value, STANDARD, inside=inside, told=told)
    told = "In distribution, paired by seed."
    yield accuracy("DPO's implicit reward", "more accurate", DPO, inside=True, told=told)
    if findings.data.candidates:
        best_of = min(len(one.responses) for few in findings.data.candidates.values() for one in few)
        yield Claim.of(
            best_of_n_gain(findings, hybrid, STANDARD, main, best_of),
            statement=f"Best-of-{best_of} by the hybrid reward model picks better answers",
            paper=PAPER,
            paper_value="higher win rate by an LLM judge",
            note=note + "Exact utility of the answer picked, mean over all test sets; n counts prompts.",
        )
    met = [(one.arm, one.against) == (hybrid, STANDARD) for one in picked]
    if any(met):
        yield Claim.of(
            judged_rate(list(compress(picked, met)), list(compress(verdicts, met))),
            statement="Of the answers that best-of-N picks, the hybrid reward model's beat the standard one's",
            paper=PAPER,
            paper_value="higher win rate by an LLM judge",
            threshold=0.5,
            unit="share",
            note=note + "Share of comparisons won, ties counted half; n counts prompts.",
        )
