"""The DS-1000 paper's claims beside what was measured, ready for `Run.claim`.

Source: Lai et al. 2023, "DS-1000: A Natural and Reliable Benchmark for Data Science Code Generation".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from workbench.core.paired import Effect, alike_interval
from workbench.core.statistics import Estimate, wilson_interval
from workbench.papers.ds1000.styles import StyleEffect
from workbench.papers.ds1000.summary import Gap, Summary
from workbench.runs.claims import Claim

__all__ = ["PAPER", "ds1000_claims"]

PAPER = "Lai et al. 2023, DS-1000"
CODEX_002 = "43.3 % with insertion prompts; 38.8 % with the completion prompts of today's data"
"""Of Codex-002, the best of the paper's systems."""


def ds1000_claims(
    summaries: Mapping[str, Summary], source: str, styles: Sequence[StyleEffect] = ()
) -> Iterator[Claim]:
    """Yield the paper's claims, for `Run.claim`. Nothing is trained here: problems are what varies.

    Args:
        summaries: By generator. `reference` and `memorizer` are yardsticks, answers from a file are of no
            model in particular; all others count as models.
        source: Where the problems come from, as in the profile.
        styles: Of models that were asked in several.
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
    yield from _perturbed(_models(summaries), data)
    yield from _inserted(styles, data)


def _models(summaries: Mapping[str, Summary]) -> dict[str, Summary]:
    yardsticks = ("reference", "memorizer", "recorded")
    return {name: one for name, one in summaries.items() if name.partition(":")[0] not in yardsticks}


def _sound(reference: Summary, data: str) -> Claim:
    score = reference.all
    skipped = f" {score.skipped} problems were skipped: their library is missing." if score.skipped else ""
    return Claim(
        "The tests accept every problem's own reference solution",
        PAPER,
        1.0,
        measured=score.pass_at_1,
        interval=score.interval,
        n=score.problems,
        supported=score.passed == score.answers
        if score.answers
        else None,  # every one of these, not of others
        unit="share",
        note=data + skipped,
    )


def _hard(summaries: Mapping[str, Summary], data: str) -> Claim:
    models = {name: summary.all for name, summary in _models(summaries).items()}
    effect, note = None, "No model was evaluated: run the laptop or paper profile, or name a generator."
    if models:
        name, best = max(models.items(), key=lambda item: item[1].pass_at_1 or 0.0)
        note = f"No problem that a model answered was run: their libraries are missing. {data}"
        if best.problems and best.interval is not None:
            effect = Effect(Estimate(best.pass_at_1 or 0.0, *best.interval), None, best.problems)
            note = f"The best model here is {name}. {data}"
    return Claim.of(
        effect,
        statement="The best public code model (Codex-002 then) solves fewer than half of the problems",
        paper=PAPER,
        paper_value=CODEX_002,
        threshold=0.5,
        below=True,
        unit="share",
        note=note,
    )


def _surface(summaries: Mapping[str, Summary], data: str) -> Claim:
    judged = [summary.surface_tested for name, summary in summaries.items() if name != "reference"]
    rejected = sum(score.failed_surface for score in judged)
    accepted = rejected + sum(score.passed for score in judged)
    claim = Claim(
        "Test cases alone accept answers that break the question's constraints",
        PAPER,
        "no share is given (of what both checks accept, 1.8 % was wrong by reading)",
    )
    if not any(summary.surface_tested.answers for summary in summaries.values()):
        return replace(claim, note=f"No problem that was run has such a check. {data}")
    return replace(
        claim,
        measured=rejected / accepted if accepted else None,
        interval=wilson_interval(rejected, accepted) if accepted else None,
        n=accepted,
        supported=True if rejected else None,  # one such answer shows it
        unit="share",
        threshold=0.0,
        note="Of the answers that the test cases accept, on problems with such a check, the share that it "
        f"rejects. The reference is left out. It depends on the generators. {data}",
    )


def _memorized(memorizer: Summary, data: str) -> Claim:
    gap = memorizer.gaps.get("all")
    effect, note = None, "No Origin was scored together with a variant."
    if gap is not None:
        effect = _gap_effect(gap)
        note = (
            f"The memorizer's pass@1 on Origins ({gap.origin:.2f}) less that on their own variants "
            f"({gap.variants:.2f}), paired within {gap.families} families. {data}"
        )
    return Claim.of(
        effect,
        statement="Perturbation exposes memorization: a generator that has memorized the Origin solutions "
        "fails on their variants",
        paper=PAPER,
        paper_value="models cannot answer perturbed problems by memory",
        unit="points",
        note=note,
    )


def _perturbed(models: Mapping[str, Summary], data: str) -> Iterator[Claim]:
    for name, summary in models.items():
        if (gap := summary.gaps.get("all")) is not None:
            yield Claim.of(
                _gap_effect(gap),
                statement=f"{name} answers Origins better than their own variants",
                paper=PAPER,
                paper_value="every model loses on perturbed problems",
                unit="points",
                note=f"pass@1 on Origins {gap.origin:.3f}, on their variants {gap.variants:.3f}, paired within "
                f"{gap.families} families. {data}",
            )


def _inserted(styles: Sequence[StyleEffect], data: str) -> Iterator[Claim]:
    for style in styles:
        if (style.style, style.against) == ("insertion", "completion"):
            yield Claim.of(
                style.effect,
                statement=f"{style.model} answers better where it fills the gap than where it continues the prompt",
                paper=PAPER,
                paper_value="Codex-002: .433 by insertion, .388 by completion",
                unit="points",
                note=f"pass@1 by insertion less pass@1 by completion, paired by problem. {data}",
            )


def _gap_effect(gap: Gap) -> Effect:
    alike = gap.gap.low == gap.gap.high
    estimate = alike_interval(gap.gap.value, gap.families, (-1.0, 1.0)) if alike else gap.gap
    return Effect(estimate, None, gap.families)
