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
    where = "the synthetic world" if findings.data.candidates else "the data sets named in the parameters"
    note = f"{hybrid}, {main.name}, on {where}; intervals over seeds and test prompts. "

    def accuracy(statement: str, paper_value: str, against: str, *, inside: bool, metric: str) -> Claim:
        return Claim.of(
            findings.pooled_difference(hybrid, against, main, inside=inside),
            statement=f"The hybrid reward model is more accurate than {statement}",
            paper=PAPER,
            paper_value=paper_value,
            unit="points",
            note=note + metric,
        )

    metric = "Accuracy of the hybrid less that of the standard one, paired by seed."
    for inside, words, paper_value in (
        (True, "in distribution", "more accurate on all five data sets"),
        (False, "out of distribution", "more accurate out of distribution"),
    ):
        yield accuracy(
            f"the standard one on pairs {words}", paper_value, STANDARD, inside=inside, metric=metric
        )
    metric = "In distribution, paired by seed."
    yield accuracy("DPO's implicit reward", "more accurate", DPO, inside=True, metric=metric)
    if findings.data.candidates:
        best_of = min(len(known.responses) for few in findings.data.candidates.values() for known in few)
        yield Claim.of(
            best_of_n_gain(findings, hybrid, STANDARD, main, best_of),
            statement=f"Best-of-{best_of} by the hybrid reward model picks better answers",
            paper=PAPER,
            paper_value="higher win rate by an LLM judge",
            note=note + "Exact utility of the answer picked, mean over all test sets; n counts prompts.",
        )
    met = [(pair.arm, pair.against) == (hybrid, STANDARD) for pair in picked]
    if any(met):
        yield Claim.of(
            judged_rate(list(compress(picked, met)), list(compress(verdicts, met))),
            statement="Best-of-N by the hybrid reward model has a win rate above 50 % against the standard one",
            paper=PAPER,
            paper_value="higher win rate by an LLM judge",
            threshold=0.5,
            unit="share",
            note=note + "Win rate with position swap, ties counted half; n counts prompts.",
        )
