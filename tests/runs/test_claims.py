"""How claims are decided: by hand, and by simulation where nothing is true."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from workbench.core.errors import SettingsError
from workbench.core.paired import Effect, crossed_effect
from workbench.core.statistics import Estimate, bootstrap_interval
from workbench.papers.alarm.claims import gap_effect
from workbench.runs.claims import Claim, corrected, decide, p_value, with_holm
from workbench.runs.showing import claim_text

CLEAR = Effect(Estimate(0.3, 0.1, 0.5), seeds=3, units=40, freedom=2)


def claim(effect, **other):
    return Claim.of(effect, **({"statement": "S", "paper": "P"} | other))


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (CLEAR, "supported"),
        (replace(CLEAR, estimate=Estimate(-0.3, -0.5, -0.1)), "not supported"),
        (replace(CLEAR, seeds=2), "undecided: two seeds"),
        (replace(CLEAR, seeds=1), "undecided: one seed"),
        (replace(CLEAR, seeds=None, freedom=None), "supported"),  # nothing was trained
        (replace(CLEAR, units=9), "undecided: n = 9, fewer than 10"),
        (replace(CLEAR, covers_units=False), "undecided: the interval does not cover other prompts"),
        (replace(CLEAR, estimate=Estimate(0.1, -0.1, 0.3)), "undecided: the interval holds 0"),
        (replace(CLEAR, estimate=Estimate(0.3, 0.3, 0.3)), "undecided: no spread is seen"),
        (Effect(None, seeds=3), "undecided: nothing to compare"),
        (None, "undecided"),
    ],
)
def test_verdicts(effect, verdict):
    assert claim(effect).verdict == verdict


def test_a_claim_that_a_value_lies_below_is_decided_the_other_way():
    assert claim(CLEAR, threshold=0.6, below=True).supported is True
    assert claim(CLEAR, threshold=0.05, below=True).supported is False


def test_number_and_interval_are_shown():
    assert claim_text(claim(CLEAR, unit="points")) == (
        "S: +30.0\N{NO-BREAK SPACE}points [+10.0, +50.0], n = 40, 3 seeds [supported]"
    )
    assert claim_text(claim(None)) == "S: not measured [undecided]"


MANY = replace(CLEAR, estimate=Estimate(0.2, 0.15, 0.25), seeds=9, freedom=8)


@pytest.mark.parametrize(
    ("effect", "kept", "believed", "why"),
    [
        (
            replace(CLEAR, estimate=Estimate(0.1, -0.2, 0.4)),
            MANY,
            True,
            "believe the kept table: 9 seeds, here 3",
        ),
        (
            CLEAR,
            replace(MANY, estimate=Estimate(-0.2, -0.3, -0.1)),
            True,
            "believe the kept table: 9 seeds, here 3",
        ),
        (CLEAR, replace(MANY, seeds=3), False, "believe this run: 3 seeds, in the kept table 3"),
        (replace(CLEAR, seeds=10), MANY, False, "believe this run: 10 seeds, in the kept table 9"),
        (None, MANY, True, "believe the kept table: 9 seeds, here 0"),
    ],
)
def test_of_a_run_and_a_kept_table_the_one_with_more_seeds_is_believed(effect, kept, believed, why):
    said = claim(effect).beside(kept, "make it").kept
    assert (said.believed, said.why, said.seeds) == (believed, why, kept.seeds)
    assert said.supported is (kept.estimate.value > 0)


def test_a_kept_table_is_decided_by_the_claims_own_threshold_and_direction():
    share = claim(replace(CLEAR, estimate=Estimate(0.6, 0.4, 0.8)), threshold=0.5)
    assert share.beside(MANY, "make it").kept.supported is False
    assert share.beside(MANY, "make it", below=True).kept.supported is True
    assert (
        share.beside(replace(MANY, estimate=Estimate(0.5, 0.4, 0.6)), "").kept.reason
        == "the interval holds 0.5"
    )
    assert share.beside(Effect(None, seeds=9), "make it") == share


def test_what_a_kept_table_says_stands_below_the_claim():
    undecided = replace(CLEAR, estimate=Estimate(0.1, -0.2, 0.4))
    first, second = claim_text(claim(undecided).beside(MANY, "make it")).splitlines()
    assert first == claim_text(claim(undecided))
    assert second == (
        "    kept table: 0.2 [0.15, 0.25], 9 seeds [supported]; believe the kept table: 9 seeds, here 3"
    )


def test_the_p_value_is_the_intervals():
    edge = 4.302653  # of t with two degrees of freedom, 95 %
    assert p_value(CLEAR) == pytest.approx(2 * stats.t(2).sf(0.3 / 0.2 * edge), rel=1e-5)
    assert p_value(replace(CLEAR, estimate=Estimate(0.2, 0.0, 0.4))) == pytest.approx(0.05)
    bootstrap = Effect(Estimate(0.3, 0.0, 0.4), None, 40)
    assert p_value(bootstrap) == pytest.approx(0.05)
    assert p_value(bootstrap, 0.4) == pytest.approx(0.05)
    assert p_value(Effect(None)) is None


def test_holms_correction_by_hand():
    assert corrected([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert corrected([0.6, 0.5]) == [1.0, 1.0]
    claims = {"a": claim(CLEAR), "b": claim(None), "c": replace(claim(CLEAR), p_value=0.5)}
    found = with_holm(claims)
    assert found["a"].p_holm == pytest.approx(2 * claims["a"].p_value)
    assert (found["b"].p_holm, found["c"].p_holm) == (None, 0.5)


def test_an_interval_the_wrong_way_round_and_an_unknown_unit_are_refused():
    with pytest.raises(SettingsError, match="low <= high"):
        Claim("S", "P", interval=(2, 1))
    with pytest.raises(SettingsError, match="unit"):
        Claim("S", "P", unit="percent")


def paired(random, seeds, spread):
    """Differences without an effect: of each seed, each prompt, and what is left, as much as told."""
    of_seed, of_prompt, rest = (random.normal(0, size) for size in spread)
    return crossed_effect([of_seed[:, None] + of_prompt[None, :] + rest])


def spreads(seeds, prompts):
    shapes = np.zeros(seeds), np.zeros(prompts), np.zeros((seeds, prompts))
    return {
        "all": [shape + 1.0 for shape in shapes],
        "seeds": [shapes[0] + 1.0, shapes[1] + 0.01, shapes[2] + 0.01],
        "prompts": [shapes[0] + 0.01, shapes[1] + 1.0, shapes[2] + 0.01],
        "neither": [shapes[0], shapes[1], shapes[2] + 1.0],
    }


@pytest.mark.parametrize("seeds", [2, 3, 10])
@pytest.mark.parametrize("source", ["all", "seeds", "prompts", "neither"])
def test_of_claims_without_an_effect_at_most_one_in_twenty_is_supported(seeds, source):
    random = np.random.default_rng(seeds)
    tries = 800
    effects = [paired(random, seeds, spreads(seeds, 12)[source]) for _ in range(tries)]
    decided = [decide(effect).supported for effect in effects]
    assert decided.count(True) <= 0.05 * tries
    assert decided.count(False) <= 0.05 * tries
    if seeds == 2:
        assert set(decided) == {None}


@pytest.mark.parametrize("seeds", [3, 10])
def test_aspects_without_a_difference_are_not_told_apart(seeds):
    random = np.random.default_rng(0)
    supported = 0
    for _ in range(200):
        shares = {name: random.normal(0.4, 0.05, seeds) for name in "abcd"}
        supported += decide(gap_effect(shares, own=True)).supported is True
    assert supported <= 0.05 * 200
    apart = {name: random.normal(0.2 + 0.1 * place, 0.01, seeds) for place, name in enumerate("abcd")}
    assert decide(gap_effect(apart, own=True)).supported is True


@pytest.mark.parametrize("units", [10, 30])
def test_problems_without_an_effect_are_not_told_apart_where_nothing_is_trained(units):
    random = np.random.default_rng(units)
    supported = 0
    for _ in range(800):
        gaps = random.choice([-1.0, 0.0, 1.0], units)
        low, high = bootstrap_interval(gaps, resamples=500)
        supported += decide(Effect(Estimate(float(gaps.mean()), low, high), None, units)).supported is True
    assert supported <= 0.05 * 800
