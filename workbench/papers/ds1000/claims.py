"""The DS-1000 paper's claims beside what was measured, ready for `Run.claim`.

Source: Lai et al. 2023, "DS-1000: A Natural and Reliable Benchmark for Data Science Code Generation".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.core.statistics import wilson_interval
from workbench.papers.ds1000.summary import Summary

__all__ = ["PAPER", "ds1000_claims"]

PAPER = "Lai et al. 2023, DS-1000"
CODEX_002 = 0.388
"""Codex-002 on the completion prompts of the current data; 0.433 with the insertion prompts of the paper."""


def ds1000_claims(summaries: Mapping[str, Summary], source: str) -> Iterator[dict[str, Any]]:
    """Yield the paper's claims, each as the arguments of `Run.claim`.

    Args:
        summaries: By generator. `reference` and `memorizer` are yardsticks and answers from a file are
            nobody's in particular; all others count as models.
        source: Where the problems come from, as in the profile.
    """
    data = {
        "suite": "Measured on problems of the workbench's own writing: not the paper's data.",
        "hub": "Measured on today's release of the data.",
    }.get(source, f"Measured on the problems of {Path(source).name}.")
    if "reference" in summaries:
        yield _sound(summaries["reference"], data)
    yield _hard(summaries, data)
    yield _surface(summaries, data)
    if "memorizer" in summaries:
        yield _memorized(summaries["memorizer"], data)


def _sound(reference: Summary, data: str) -> dict[str, Any]:
    found = reference.all
    skipped = f" {found.skipped} problems were skipped: their library is missing." if found.skipped else ""
    return {
        "paper": PAPER,
        "statement": "The tests accept every problem's own reference solution",
        "paper_value": 1.0,
        "measured": found.pass_at_1,
        "interval": found.interval,
        "n": found.problems,
        "supported": found.passed == found.answers if found.answers else None,
        "unit": "share",
        "note": data + skipped,
    }


def _hard(summaries: Mapping[str, Summary], data: str) -> dict[str, Any]:
    claim = {
        "paper": PAPER,
        "statement": "The best public code model (Codex-002 then) solves fewer than half of the problems",
        "paper_value": CODEX_002,
    }
    models = {
        name: summary.all
        for name, summary in summaries.items()
        if name.partition(":")[0] not in ("reference", "memorizer", "recorded")
    }
    if not models:
        return {**claim, "note": "No model was asked: run the laptop or paper profile, or name a generator."}
    name, best = max(models.items(), key=lambda item: item[1].pass_at_1 or 0.0)
    if not best.problems:
        return {
            **claim,
            "note": f"No problem that a model answered was run: their libraries are missing. {data}",
        }
    interval = best.interval
    decided = interval is not None and not interval.low <= 0.5 <= interval.high
    return {
        **claim,
        "measured": best.pass_at_1,
        "interval": interval,
        "n": best.problems,
        "supported": (best.pass_at_1 or 0.0) < 0.5 if decided else None,
        "unit": "share",
        "threshold": 0.5,
        "note": f"The best of those asked here is {name}. {data}",
    }


def _surface(summaries: Mapping[str, Summary], data: str) -> dict[str, Any]:
    judged = [summary.surface_tested for name, summary in summaries.items() if name != "reference"]
    rejected = sum(score.failed_surface for score in judged)
    accepted = rejected + sum(score.passed for score in judged)
    interval = wilson_interval(rejected, accepted) if accepted else None
    claim = {
        "paper": PAPER,
        "statement": "Test cases alone accept answers that break the question's constraints",
        "paper_value": "1.8 % of what both checks accept is wrong",
    }
    if not any(summary.surface_tested.answers for summary in summaries.values()):
        return {**claim, "note": f"No problem that was run has such a check. {data}"}
    return {
        **claim,
        "measured": rejected / accepted if accepted else None,
        "interval": interval,
        "n": accepted,
        "supported": interval.low > 0 if interval is not None and rejected else None,
        "unit": "share",
        "threshold": 0.0,
        "note": "Of the answers that the test cases accept, on problems with such a check, the share that it "
        f"rejects. The reference is left out. It depends on whose answers they are. {data}",
    }


def _memorized(memorizer: Summary, data: str) -> dict[str, Any]:
    claim = {
        "paper": PAPER,
        "statement": "Perturbation defeats memory: who knows the original questions' solutions by heart "
        "fails on their variants",
        "paper_value": "models cannot answer perturbed problems by memory",
    }
    gap = memorizer.gaps.get("all")
    if gap is None:
        return {**claim, "note": "No Origin was scored together with a variant."}
    return {
        **claim,
        "measured": gap.gap.value,
        "interval": (gap.gap.low, gap.gap.high),
        "n": gap.families,
        "supported": gap.gap.above() if gap.families > 1 else None,  # one family has no spread
        "unit": "points",
        "threshold": 0.0,
        "note": f"The memorizer's pass@1 on Origins ({gap.origin:.2f}) less that on their own variants "
        f"({gap.variants:.2f}), paired within {gap.families} families. {data}",
    }
