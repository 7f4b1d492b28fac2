"""A model's styles are compared on the same problems, family by family."""

from dataclasses import replace

import pytest
from ds1000_rows import plain_problem

from workbench.papers.ds1000.claims import ds1000_claims
from workbench.papers.ds1000.judgement import Judgement
from workbench.papers.ds1000.styles import style_effects
from workbench.papers.ds1000.summary import summarize

FAMILIES = 12


def problems():
    """Return families of an Origin and one variant each."""
    found = []
    for number in range(0, 2 * FAMILIES, 2):
        found.append(plain_problem(number))
        variant = replace(plain_problem(number + 1), perturbation_type="Semantic")
        found.append(replace(variant, perturbation_origin_id=number))
    return found


def judged(passed):
    """Return judgements of the problems, of which those in `passed` pass."""
    return [
        Judgement(
            one.problem_id,
            0,
            one.library,
            one.perturbation_type,
            "passed" if one.problem_id in passed else "failed",
            None if one.problem_id in passed else "execution",
            "",
            None,
            True,
            "",
            "",
        )
        for one in problems()
    ]


def test_styles_of_one_model_are_compared_pair_by_pair_and_other_names_left_out():
    verdicts = {
        "hf:a@completion": judged(range(6)),
        "hf:a@insertion": judged(range(12)),
        "hf:b@chat": judged(range(12)),
        "reference": judged(range(24)),
        "hf:lab/c@main": judged(()),
    }
    found = style_effects(problems(), verdicts)
    assert [(one.model, one.style, one.against) for one in found] == [("hf:a", "insertion", "completion")]
    row = found[0].as_dict()
    assert row["difference in pass@1"] == pytest.approx(6 / 24)
    assert row["low"] <= 6 / 24 <= row["high"]
    assert row["problems"] == 24


def test_three_styles_make_three_comparisons():
    verdicts = {f"hf:a@{style}": judged(()) for style in ("completion", "insertion", "chat")}
    found = style_effects(problems(), verdicts)
    assert {(one.style, one.against) for one in found} == {
        ("chat", "insertion"),
        ("chat", "completion"),
        ("insertion", "completion"),
    }
    # no spread is seen, and a bound holds all the same
    assert all(one.effect.estimate.low < 0 < one.effect.estimate.high for one in found)


def test_claims_on_models_are_made_where_there_are_models():
    origins = [one.problem_id for one in problems() if one.perturbation_type == "Origin"]
    verdicts = {
        "hf:a@insertion": judged(origins),
        "hf:a@completion": judged(()),
        "memorizer": judged(origins),
    }
    summaries = {name: summarize(problems(), given) for name, given in verdicts.items()}
    claims = list(ds1000_claims(summaries, "few.jsonl", style_effects(problems(), verdicts)))
    by_statement = {claim.statement: claim for claim in claims}
    gap = by_statement["hf:a@insertion answers Origins better than their own variants"]
    assert (gap.measured, gap.supported) == (1.0, True)
    told = by_statement["hf:a answers better where it fills the gap than where it continues the prompt"]
    assert (told.measured, told.supported) == (0.5, True)
    only = {"memorizer": summaries["memorizer"]}
    assert not any("hf:" in claim.statement for claim in ds1000_claims(only, "suite"))
