"""HaF-RM's claims beside what was measured, ready for `Run.claim`.

Source: HaF-RM: A Hybrid Alignment Framework for Reward Model Training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

from workbench.papers.haf_rm.best_of_n import best_of_n_gain
from workbench.papers.haf_rm.declaration import DPO, STANDARD, pooled_name
from workbench.papers.haf_rm.judged import PickedPair, judged_rate
from workbench.papers.haf_rm.policy_declaration import PolicyDeclaration
from workbench.papers.haf_rm.policy_results import Policies, policy_effect
from workbench.papers.haf_rm.results import Findings
from workbench.rewards.judge import Preference
from workbench.runs.claims import Claim

__all__ = ["PAPER", "haf_rm_claims", "policy_claims"]

PAPER = "HaF-RM"


def haf_rm_claims(
    findings: Findings, picked: Sequence[PickedPair] = (), verdicts: Sequence[Preference] = ()
) -> Iterator[Claim]:
    """Yield the paper's claims for each pooling, and what the pooling itself changes, for `Run.claim`.

    Args:
        findings: Of the whole experiment; its main regime counts.
        picked: What a judge compared; see `picked_pairs`.
        verdicts: Of each.
    """
    first, *others = findings.declaration.poolings
    yield from _claims_of(findings, first)
    yield from _judged_claims(findings, picked, verdicts)
    for pooling in others:
        yield from _claims_of(findings, pooling)
        yield from _pooling_claims(findings, pooling)


def _claims_of(findings: Findings, pooling: str) -> Iterator[Claim]:
    """Yield the claims on the hybrid whose reward head reads a response so."""
    declared = findings.declaration
    hybrid, standard = declared.middle_of(pooling), pooled_name(STANDARD, pooling)
    of = f" ({pooling} pooling)" if standard != STANDARD else ""
    note = _note(findings, hybrid)
    metric = "Accuracy of the hybrid less that of the standard one, paired by seed."
    for inside, words, paper_value in (
        (True, "in distribution", "more accurate on all five data sets"),
        (False, "out of distribution", "more accurate out of distribution"),
    ):
        yield _accuracy_claim(
            findings,
            f"The hybrid reward model is more accurate than the standard one on pairs {words}{of}",
            (hybrid, standard),
            paper_value,
            inside=inside,
            note=note + metric,
        )
    yield _accuracy_claim(
        findings,
        f"The hybrid reward model is more accurate than DPO's implicit reward{of}",
        (hybrid, DPO),
        "more accurate",
        inside=True,
        note=note + "In distribution, paired by seed.",
    )
    if findings.data.candidates:
        best_of = min(len(known.responses) for few in findings.data.candidates.values() for known in few)
        yield Claim.of(
            best_of_n_gain(findings, hybrid, standard, declared.main, best_of),
            statement=f"Best-of-{best_of} by the hybrid reward model picks better answers{of}",
            paper=PAPER,
            paper_value="higher win rate by an LLM judge",
            note=note + "Exact utility of the answer picked, mean over all test sets; n counts prompts.",
        )


def _judged_claims(
    findings: Findings, picked: Sequence[PickedPair], verdicts: Sequence[Preference]
) -> Iterator[Claim]:
    """Yield the claim on what a judge prefers, if one was asked."""
    hybrid, standard = findings.declaration.middle, findings.declaration.standard
    met = [(pair.arm, pair.against) == (hybrid, standard) for pair in picked]
    if any(met):
        yield Claim.of(
            judged_rate(list(compress(picked, met)), list(compress(verdicts, met))),
            statement="Best-of-N by the hybrid reward model has a win rate above 50 % against the standard one",
            paper=PAPER,
            paper_value="higher win rate by an LLM judge",
            threshold=0.5,
            unit="share",
            note=_note(findings, hybrid)
            + "Win rate with position swap, ties counted half; n counts prompts.",
        )


def _pooling_claims(findings: Findings, pooling: str) -> Iterator[Claim]:
    """Yield what reading a response in another way does to the standard reward model."""
    standard = findings.declaration.standard
    other = pooled_name(STANDARD, pooling)
    for inside, words in ((True, "in distribution"), (False, "out of distribution")):
        yield _accuracy_claim(
            findings,
            f"Ablation: {other} is more accurate than {standard} on pairs {words}",
            (other, standard),
            "not tried",
            inside=inside,
            note=_note(findings, other) + "No policy loss in either, paired by seed.",
        )


def _accuracy_claim(
    findings: Findings, statement: str, arms: tuple[str, str], paper_value: str, *, inside: bool, note: str
) -> Claim:
    return Claim.of(
        findings.pooled_difference(*arms, findings.declaration.main, inside=inside),
        statement=statement,
        paper=PAPER,
        paper_value=paper_value,
        unit="points",
        note=note,
    )


def _note(findings: Findings, arm: str) -> str:
    where = "the synthetic world" if findings.data.candidates else "the data sets named in the parameters"
    main = findings.declaration.main.name
    return f"{arm}, {main}, on {where}; intervals over seeds and test prompts. "


def policy_claims(
    planned: PolicyDeclaration,
    trained: Policies,
    findings: Findings,
    compared: Sequence[PickedPair] = (),
    verdicts: Sequence[Preference] = (),
) -> Iterator[Claim]:
    """Yield the paper's claim on RLHF, for `Run.claim`: by exact utility, by a judge, or neither where neither is.

    Args:
        planned: What was declared.
        trained: All outcomes.
        findings: Of the reward models.
        compared: What a judge compared; see `policy_pairs`.
        verdicts: Of each.
    """
    standard, hybrid = planned.arms
    name, expected = planned.algorithm.upper(), "higher win rate by an LLM judge"
    statement = (
        f"A policy trained by {name} on the hybrid reward is better than one trained on the standard reward"
    )
    if trained and findings.data.candidates:
        yield Claim.of(
            policy_effect(trained, findings.data, hybrid, standard),
            statement=statement,
            paper=PAPER,
            paper_value=expected,
            note="Exact utility of a sampled answer to each held-out prompt, mean over all test sets; interval over "
            "seeds and prompts; n counts prompts.",
        )
    met = [(pair.arm, pair.against) == (hybrid, standard) for pair in compared]
    if any(met):
        yield Claim.of(
            judged_rate(list(compress(compared, met)), list(compress(verdicts, met))),
            statement=f"{statement}, by win rate",
            paper=PAPER,
            paper_value=expected,
            threshold=0.5,
            unit="share",
            note="Win rate with position swap, ties counted half; n counts prompts.",
        )
