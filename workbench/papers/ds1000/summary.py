"""From judgements to what a paper prints: pass@k by library and by perturbation, and the memorization gap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.paired import crossed_effect
from workbench.core.statistics import (
    Estimate,
    Interval,
    clustered_interval,
    clustered_wilson,
    pass_at_k,
)
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.datasets.ds1000 import LIBRARIES, PERTURBATIONS, families, family_of
from workbench.papers.ds1000.judgement import Judgement

__all__ = ["Gap", "Score", "Summary", "memorization_gap", "pass_shares", "summarize"]

_USUAL_K = (1, 5, 10, 20, 100)


@dataclass(frozen=True)
class Score:
    """How a group of problems was answered. Skipped problems count in `skipped`, and nowhere else."""

    problems: int
    """Problems that were scored."""
    answers: int
    """Answers to them."""
    passed: int
    """Answers that passed."""
    skipped: int
    """Problems that were not run, because the runtime lacks their library."""
    pass_at: Mapping[int, float]
    """pass@k by k, without bias, averaged over the problems; empty where nothing was scored."""
    interval: Interval | None
    """95 % interval of pass@1 over families of problems, since an Origin and its variants are often answered alike:
    Wilson's for the effective number of problems where each one's answers all pass or all fail (one answer is
    the usual case), else a bootstrap over whole families."""
    failed_execution: int
    """Answers that failed to run or gave a wrong result (a broken test is counted here too)."""
    failed_surface: int
    """Answers with right results that broke a surface-form constraint."""
    statuses: Mapping[str, int]
    """Answers by status."""
    no_answer: int = 0
    """Answers that an endpoint did not give: they count as not passed, and not as failed."""
    cut: int = 0
    """Answers that reached the limit of their length, whatever became of them."""
    empty: int = 0
    """Answers that hold no code."""
    unanswered: int = 0
    """Problems without an answer, where only those that are there were scored. They count nowhere else."""
    vacuous: int = 0
    """Answers that meet the tests with a result that says nothing: see `Judgement.vacuous`."""
    unexamined: int = 0
    """Answers that passed, and of which nobody knows whether vacuously."""
    one_process: int = 0
    """Answers that ran beside the expected values: see `Judgement.one_process`."""
    lenient_pass_at_1: float | None = None
    """pass@1 by the benchmark's own tests, however the passes are counted elsewhere."""
    strict_pass_at_1: float | None = None
    """pass@1 with vacuous passes as failures, however they are counted elsewhere."""

    @property
    def pass_at_1(self) -> float | None:
        """Share of answers that passed, averaged over the problems."""
        return self.pass_at.get(1)

    @property
    def without_surface(self) -> float | None:
        """What share of the answers would have passed had surface form not been checked."""
        return (self.passed + self.failed_surface) / self.answers if self.answers else None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values by name, as in summary.json."""
        low, high = self.interval or (None, None)
        return {
            "problems": self.problems,
            "answers": self.answers,
            "passed": self.passed,
            "skipped": self.skipped,
            "pass@1": self.pass_at_1,
            **{f"pass@{k}": value for k, value in self.pass_at.items()},
            "low": low,
            "high": high,
            "failed_execution": self.failed_execution,
            "failed_surface": self.failed_surface,
            "statuses": dict(self.statuses),
            "no_answer": self.no_answer,
            "cut": self.cut,
            "empty": self.empty,
            "unanswered": self.unanswered,
            "vacuous": self.vacuous,
            "unexamined": self.unexamined,
            **({"one_process": self.one_process} if self.one_process else {}),
            "lenient_pass@1": self.lenient_pass_at_1,
            "strict_pass@1": self.strict_pass_at_1,
        }


@dataclass(frozen=True)
class Gap:
    """The memorization gap: how much better the Origins are answered than their own variants."""

    families: int
    """Origins that have at least one scored variant of the kind."""
    origin: float
    """pass@1 of these Origins."""
    variants: float
    """pass@1 of their variants, averaged within each family, then over families."""
    gap: Estimate
    """Origin less variants, with a 95 % interval: a bootstrap over whole families."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values by name, as in summary.json."""
        return {
            "families": self.families,
            "origin": self.origin,
            "variants": self.variants,
            "gap": self.gap.value,
            "low": self.gap.low,
            "high": self.gap.high,
        }


@dataclass(frozen=True)
class Summary:
    """All that was found, in the order of the paper's tables."""

    all: Score
    by_library: Mapping[str, Score]
    by_perturbation: Mapping[str, Score]
    by_library_and_perturbation: Mapping[tuple[str, str], Score]
    gaps: Mapping[str, Gap]
    """By perturbation type, and `all` for the variants of every type together; kinds without a family are
    left out."""
    surface_tested: Score
    """The problems that have a surface-form test."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values by name, as in summary.json."""
        both: dict[str, dict[str, Any]] = {}
        for (library, kind), found in self.by_library_and_perturbation.items():
            both.setdefault(library, {})[kind] = found.as_dict()
        return {
            **self.all.as_dict(),
            "by_library": {name: found.as_dict() for name, found in self.by_library.items()},
            "by_perturbation": {name: found.as_dict() for name, found in self.by_perturbation.items()},
            "by_library_and_perturbation": both,
            "memorization_gap": {name: gap.as_dict() for name, gap in self.gaps.items()},
            "surface_tested": self.surface_tested.as_dict(),
        }


def summarize(
    problems: Sequence[BenchmarkProblem],
    judgements: Iterable[Judgement],
    *,
    seed: int = 0,
    strict: bool = False,
) -> Summary:
    """Summarize the judgements of one generator's answers.

    Args:
        problems: The problems that were scored; those without a judgement count as unanswered.
        judgements: All judgements of their answers, in any order.
        seed: Fixes the bootstraps.
        strict: Count vacuous passes as failures. pass@1 is there both ways whatever is chosen.
    """
    found = _by_problem(each.strictly() if strict else each for each in judgements)
    libraries = sorted({p.library for p in problems}, key=lambda name: (_rank(name, LIBRARIES), name))
    kinds = sorted({p.perturbation_type for p in problems}, key=lambda name: _rank(name, PERTURBATIONS))

    def scored(library: str | None = None, kind: str | None = None) -> Score:
        chosen = [p for p in problems if library in (None, p.library) and kind in (None, p.perturbation_type)]
        return _score(chosen, found, seed)

    pairs = sorted(
        {(p.library, p.perturbation_type) for p in problems},
        key=lambda pair: (libraries.index(pair[0]), kinds.index(pair[1])),
    )
    gaps = {kind: memorization_gap(problems, found, kind, seed=seed) for kind in ("all", *kinds)}
    return Summary(
        all=scored(),
        by_library={name: scored(library=name) for name in libraries},
        by_perturbation={name: scored(kind=name) for name in kinds},
        by_library_and_perturbation={pair: scored(*pair) for pair in pairs},
        gaps={kind: gap for kind, gap in gaps.items() if gap is not None},
        surface_tested=_score([p for p in problems if p.has_surface_test], found, seed),
    )


def pass_shares(judgements: Iterable[Judgement]) -> dict[int | str, float]:
    """Return the share of each problem's answers that passed, by problem_id, without skipped problems."""
    return {
        number: sum(each.passed for each in given) / len(given)
        for number, given in _by_problem(judgements).items()
        if not any(each.skipped for each in given)
    }


def memorization_gap(
    problems: Sequence[BenchmarkProblem],
    found: Mapping[int | str, Sequence[Judgement]],
    kind: str = "all",
    *,
    seed: int = 0,
) -> Gap | None:
    """Compare the Origins with their own variants, family by family.

    A solver that has memorized the original questions, and knows no more, answers the Origins only: Lai et al.
    2023 perturb problems to tell it from one that understands. Pairing within families keeps the difference
    free of which questions happened to be perturbed.

    Args:
        problems: Problems with their Origins.
        found: The judgements of each problem's answers, by problem_id.
        kind: The perturbation type of the variants, or `all`.
        seed: Fixes the bootstrap.

    Returns:
        The gap; None where no Origin has a scored variant of this kind.
    """
    shares = pass_shares(each for given in found.values() for each in given)
    origins, variants = [], []
    for origin, family in families(problems).items():
        own = [
            shares[variant.problem_id]
            for variant in family
            if variant.problem_id in shares and kind in ("all", variant.perturbation_type)
        ]
        if own and origin.problem_id in shares:
            origins.append(shares[origin.problem_id])
            variants.append(sum(own) / len(own))
    estimate = crossed_effect([np.subtract(origins, variants)], seed=seed).estimate
    if estimate is None:
        return None
    return Gap(len(origins), sum(origins) / len(origins), sum(variants) / len(variants), estimate)


def _score(
    problems: Sequence[BenchmarkProblem], found: Mapping[int | str, Sequence[Judgement]], seed: int
) -> Score:
    """Score some of the problems."""
    groups = [(family_of(p), found[p.problem_id]) for p in problems if p.problem_id in found]
    run = [(family, group) for family, group in groups if not any(each.skipped for each in group)]
    answers = [each for _, group in run for each in group]
    counts = [(len(group), sum(each.passed for each in group)) for _, group in run]
    fewest = min((n for n, _ in counts), default=0)
    statuses: dict[str, int] = {}
    for each in answers:
        statuses[each.status] = statuses.get(each.status, 0) + 1
    return Score(
        problems=len(run),
        answers=len(answers),
        passed=sum(c for _, c in counts),
        skipped=len(groups) - len(run),
        pass_at={
            k: sum(pass_at_k(n, c, k) for n, c in counts) / len(counts)
            for k in sorted({*_USUAL_K, fewest})
            if 1 <= k <= fewest
        },
        interval=_interval(counts, [family for family, _ in run], seed),
        failed_execution=sum(
            not each.passed and not each.missing and each.stage != "surface" for each in answers
        ),
        failed_surface=sum(each.stage == "surface" for each in answers),
        statuses=dict(sorted(statuses.items())),
        no_answer=sum(each.missing for each in answers),
        cut=sum(each.cut for each in answers),
        empty=sum(each.empty for each in answers),
        unanswered=len(problems) - len(groups),
        vacuous=sum(each.vacuous for each in answers),
        unexamined=sum(each.unexamined for each in answers),
        one_process=sum(each.one_process for each in answers),
        lenient_pass_at_1=_mean_share([[each.met_tests for each in group] for _, group in run]),
        strict_pass_at_1=_mean_share([[each.strictly().passed for each in group] for _, group in run]),
    )


def _mean_share(passes: Sequence[Sequence[bool]]) -> float | None:
    """Return the share of each problem's answers that passed, averaged over the problems."""
    return sum(sum(some) / len(some) for some in passes) / len(passes) if passes else None


def _interval(
    counts: Sequence[tuple[int, int]], family_by_problem: Sequence[tuple[str, int | str]], seed: int
) -> Interval | None:
    """Return the 95 % interval of pass@1 from (answers, passed) of each problem, and its family."""
    if not counts:
        return None
    shares = [c / n for n, c in counts]
    if all(c in (0, n) for n, c in counts):  # each problem is one trial; a bootstrap of equal shares is empty
        return clustered_wilson(shares, family_by_problem)
    return clustered_interval(shares, family_by_problem, seed=seed)


def _by_problem(judgements: Iterable[Judgement]) -> dict[int | str, list[Judgement]]:
    found: dict[int | str, list[Judgement]] = {}
    for each in judgements:
        found.setdefault(each.problem_id, []).append(each)
    return found


def _rank(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)
