"""The kept tables of many seeds: what they say, of which runs they say it, and what of claims is then believed."""

from dataclasses import replace

import numpy as np
import pytest
from alarm_findings import SEEDS, make_findings
from paper_notebooks import settings_of

from workbench.core.errors import DataError
from workbench.papers.alarm.arms import HIERARCHICAL, HOLISTIC_ONLY, WEIGHTED_SUM
from workbench.papers.alarm.claims import mode_claims, selection_claims
from workbench.papers.alarm.kept import (
    kept_difference,
    kept_table,
    many_seeds,
    many_selections,
    same_experiment,
    same_translation,
)
from workbench.papers.alarm.parameters import declare, task_of, translation_of
from workbench.papers.alarm.results import Findings
from workbench.papers.alarm.table import read_table, write_table
from workbench.policies.outcomes import measures

FACTS = {
    "weights": {HIERARCHICAL: 1.0, WEIGHTED_SUM: 1.0},
    "chosen": ["good"],
    "inconsistency": {str(seed): {"good": 0.2, "bad": 0.5 + 0.1 * seed} for seed in SEEDS},
}


@pytest.fixture
def findings():
    return make_findings()


@pytest.fixture
def kept(findings, tmp_path):
    return write_table(tmp_path / "seeds.json", findings.outcomes, command="make it", facts=FACTS)


def test_the_kept_table_gives_the_same_means(findings, tmp_path):
    file = tmp_path / "seeds.json"
    kept = write_table(file, findings.outcomes, command="make it", facts=FACTS)
    place = ["arm", "weight", "seed", "decoding", "measure"]
    expected = measures(findings.outcomes).sort_values(place).reset_index(drop=True)
    found = kept.frame.sort_values(place).reset_index(drop=True)[expected.columns]
    assert found[place].equals(expected[place])
    assert np.allclose(found["value"], expected["value"], atol=1e-4)
    rows = many_seeds(read_table(file)).set_index(["arm", "weight"])
    assert rows.loc[(HIERARCHICAL, 1.0), "difference from hierarchy"] == "0"
    assert rows.loc[(WEIGHTED_SUM, 1.0), "difference from hierarchy"].startswith("-0.101")
    file.write_text("{")
    with pytest.raises(DataError, match=r"seeds\.json"):
        read_table(file)


def test_selections_of_many_seeds_are_set_beside_their_outcomes(kept):
    table, agreement = many_selections(kept)
    assert table["aspect"].tolist() == ["good", "bad"]
    assert table["inconsistency"].tolist() == pytest.approx([0.2, 0.6])
    assert table["oracle after training"].tolist() == pytest.approx([0.803, 0.399], abs=1e-3)
    assert agreement.value == pytest.approx(1.0)


def test_a_kept_difference_is_of_the_weights_that_arms_are_compared_at(kept):
    """Seed 0 was also trained at another weight."""
    found = kept_difference(kept, HIERARCHICAL, WEIGHTED_SUM)
    assert found.estimate.value == pytest.approx(0.1 * 1.01, abs=1e-4)  # gaps 0.1, 0.101, 0.102
    assert (found.seeds, found.covers_units) == (3, True)


def test_the_table_of_more_seeds_is_believed_and_says_why(findings, kept):
    few = replace(findings, outcomes=[one for one in findings.outcomes if one.seed < 2])
    few = replace(few, prepared={seed: findings.prepared[seed] for seed in (0, 1)})
    claims = {claim.statement: claim for claim in mode_claims(few, "Here.", kept)}
    claim = claims["The hierarchy beats the weighted sum"]
    assert claim.verdict == "undecided: two seeds"
    assert (claim.kept.supported, claim.kept.seeds, claim.kept.command) == (True, 3, "make it")
    assert (claim.kept.believed, claim.kept.why) == (True, "believe the kept table: 3 seeds, here 2")
    apart, better, ranks = selection_claims(few, "Here.", kept)
    assert apart.kept.measured == pytest.approx(0.4)  # of 0.5, 0.6, 0.7 less 0.2
    assert apart.kept.reason == "p = 0.50"
    assert better.kept.measured == pytest.approx(0.4 * 1.01, abs=1e-4)
    assert ranks.kept.measured == pytest.approx(1.0)


def test_a_run_of_as_many_seeds_believes_itself(findings, kept):
    (claim, *_) = mode_claims(findings, "Here.", kept)
    assert (claim.kept.believed, claim.kept.why) == (False, "believe this run: 3 seeds, in the kept table 3")
    assert {claim.kept for claim in mode_claims(findings, "Here.")} == {None}


def shipped(**given):
    """Return the pocket profile's findings as far as they are declared, its task, and its translation."""
    settings = settings_of("alarm", given)
    table = kept_table(settings)
    prepared = {0: None}
    chosen = tuple(table.facts["chosen"]) if table else ("factuality",)
    found = Findings(prepared, [], declare(settings), chosen)
    return table, found, task_of(settings), translation_of(settings)


@pytest.mark.parametrize(
    ("given", "same", "same_words"),
    [
        ({}, True, True),
        ({"seeds": 1, "test_prompts": 8, "pool_prompts": 4, "sweep_seeds": 0}, True, True),
        ({"steps": 1}, False, True),
        ({"batch": 8}, False, True),
        ({"pairs": 24}, False, False),
        ({"translation_steps": 1}, True, False),
        ({"tuning": "paper"}, False, False),
    ],
)
def test_a_kept_table_counts_for_runs_of_its_own_experiment_alone(monkeypatch, given, same, same_words):
    table, found, task, translation = shipped(**given)
    aspects = tuple(next(iter(table.facts["inconsistency"].values()))) if table else ()
    monkeypatch.setattr(Findings, "aspects", aspects)
    assert (same_experiment(table, found, task) is not None) is same
    assert (same_translation(translation) is not None) is same_words
    if same:
        assert same_experiment(table, replace(found, chosen=("style",)), task) is None
        assert (
            same_experiment(
                table, replace(found, declaration=replace(found.declaration, threshold=9.0)), task
            )
            is None
        )
        monkeypatch.setattr(Findings, "aspects", (*aspects, "brief"))
        assert same_experiment(table, found, task) is None


def test_the_kept_tables_decide_what_few_seeds_cannot():
    """Those that ship: each arm of every claim is in them."""
    table = kept_table(settings_of("alarm", {}))
    for other in (
        "before",
        HOLISTIC_ONLY,
        "aspect_only",
        WEIGHTED_SUM,
        "weighted_sum, zero-centred",
        "random gate",
    ):
        assert kept_difference(table, HIERARCHICAL, other).seeds == 9
    words = same_translation(translation_of(settings_of("alarm", {})))
    for other in (HOLISTIC_ONLY, WEIGHTED_SUM, "hierarchical, worst aspect"):
        assert kept_difference(words, HIERARCHICAL, other).seeds == 9
