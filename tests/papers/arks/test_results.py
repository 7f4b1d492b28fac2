"""The tables of the ARKS experiment, on outcomes made by hand."""

from dataclasses import replace

import pandas as pd
import pytest

from workbench.core.errors import SettingsError
from workbench.papers.arks.claims import arks_claims
from workbench.papers.arks.results import Findings
from workbench.papers.arks.settings import (
    ACTIVE,
    CONTROL,
    NOTHING,
    STRIPPED,
    declared,
    make_retriever,
    of_families,
)

NAMES = ("a", "b", "c", "d")


def outcome(setting, model, number, passed, *, ran=None, asked="abcd", recall=0.5):
    """Lay out one round of the four problems: passed and ran are the names for which that is so."""
    ran = passed if ran is None else ran
    return [
        {
            "setting": setting,
            "model": model,
            "problem": name,
            "round": number,
            "asked": name in asked,
            "passed": name in passed,
            "ran": name in ran,
            "message": "" if name in ran else "NameError: name 'x' is not defined",
            "recall": recall if name in asked else None,
        }
        for name in NAMES
    ]


@pytest.fixture
def findings():
    rows = []
    for model in ("one", "two"):
        rows += outcome(NOTHING, model, 0, "")
        for name in {one.name for one in declared()} - {NOTHING, ACTIVE, CONTROL}:
            rows += outcome(name, model, 0, "a")
        rows += outcome(CONTROL, model, 0, "a") + outcome(CONTROL, model, 1, "a", asked="bcd", recall=0.0)
    rows += outcome(ACTIVE, "one", 0, "a") + outcome(
        ACTIVE, "one", 1, "abc", ran="abcd", asked="bcd", recall=1.0
    )
    rows += outcome(ACTIVE, "two", 0, "a") + outcome(
        ACTIVE, "two", 1, "ab", ran="ab", asked="bcd", recall=1.0
    )
    return Findings(pd.DataFrame(rows), declared(), {"a": 1, "b": 1, "c": 2, "d": 2})


def test_a_problem_counts_by_its_mean_over_the_models(findings):
    assert (findings.problems, findings.models) == (4, 2)
    assert findings.accuracy(ACTIVE).value == (1 + 1 + 0.5 + 0) / 4
    # none of four: Wilson's upper bound is z^2 / (4 + z^2)
    assert findings.accuracy(NOTHING) == (0, 0, pytest.approx(0.4899, abs=1e-4))


def test_differences_are_paired_by_problem_and_hold_for_other_models_too(findings):
    found = findings.difference(ACTIVE, CONTROL).estimate
    assert found.value == (0 + 1 + 0.5 + 0) / 4
    assert found.low <= found.value <= found.high
    # no problem of four differs: of all problems up to z^2 / (4 + z^2) may
    assert findings.difference(ACTIVE, ACTIVE).estimate == pytest.approx((0, -0.4899, 0.4899), abs=1e-4)
    one = replace(findings, rows=findings.rows[findings.rows["model"] == "one"])
    other = replace(findings, rows=findings.rows[findings.rows["model"] == "two"])
    gains = [each.difference(ACTIVE, CONTROL).estimate for each in (one, other)]
    assert [gain.value for gain in gains] == [0.5, 0.25]
    assert gains[0].low >= 0  # the problems of one model, by a bootstrap
    # models alone: 0.375 +- 12.706 * 0.125
    assert found.high - found.value > 12.7 * 0.125


@pytest.mark.parametrize(
    ("problems", "low"), [("a", -0.5869), ("ab", -0.3152), ("abc", -0.1230), ("abcd", 0.0202)]
)
def test_few_problems_that_agree_do_not_decide(problems, low):
    """All solved by one setting and none by the other: a bootstrap would say that it could not be otherwise."""
    rows = outcome(ACTIVE, "one", 0, problems) + outcome(CONTROL, "one", 0, "")
    frame = pd.DataFrame([row for row in rows if row["problem"] in problems])
    for models in (1, 2):
        several = pd.concat([frame.assign(model=str(number)) for number in range(models)])
        found = Findings(several, declared()).difference(ACTIVE, CONTROL).estimate
        assert found == pytest.approx((1, low, 1), abs=1e-4)
        assert found.above() is (True if low > 0 else None)


def test_silent_failures_and_the_models_spread_are_told(findings):
    row = findings.accuracies(["main"]).set_index("setting").loc[ACTIVE]
    assert (row["lowest"], row["highest"]) == (0.5, 0.75)
    assert row["ran"] == (4 + 2) / 8
    assert row["silent"] == 1 / 8
    assert row["recall"] == pytest.approx((8 * 0.5 + 6 * 1.0) / 14)  # of all queries


def test_rounds_carry_on_what_is_done(findings):
    rounds = findings.by_round([ACTIVE]).set_index("round")
    assert rounds["accuracy"].tolist() == [0.25, 0.625]
    assert rounds["asked"].tolist() == [1.0, 0.75]
    assert findings.round_gain(ACTIVE, 1).estimate.value == 0.375


def test_sizes(findings):
    sizes = findings.by_operations([ACTIVE]).set_index("operations")
    assert sizes["accuracy"].tolist() == [1.0, 0.25]
    unknown = Findings(findings.rows, findings.settings)
    assert len(unknown.by_operations([ACTIVE])) == 0


def test_endings_are_shares_of_the_problems(findings):
    endings = findings.endings([ACTIVE]).set_index("ending")["share"]
    assert endings.to_dict() == {"NameError": 2 / 8, "right": 5 / 8, "silent": 1 / 8}


def test_every_subset_of_the_sources_is_there_once(findings):
    sources = findings.sources()
    assert sources["sources"].tolist() == ["none", "D", "F", "S", "D+F", "D+S", "F+S", "D+F+S"]
    assert sources["accuracy"].tolist() == [0, *[0.25] * 6, 0.625]


def test_the_control_stands_beside_what_it_controls(findings):
    control = findings.stripped()
    rows = control[control["setting"] == ACTIVE].set_index("documents")["accuracy"]
    assert rows.to_dict() == {"whole": 0.625, "stripped": 0.25}
    plain = tuple(one for one in findings.settings if not one.stripped)
    assert len(Findings(findings.rows, plain).stripped()) == 0


def test_claims_carry_their_intervals_and_seeds(findings):
    claims = list(arks_claims(findings, "world"))
    assert all(claim.n == 4 and claim.seeds == 2 for claim in claims)
    assert claims[0].measured == 0.625
    assert {claim.verdict for claim in claims} == {"undecided: two seeds"}
    assert all(claim.interval and claim.p_value is not None for claim in claims)
    several = findings.rows
    for number in range(3, 6):  # more models, and more problems of the same kind
        several = pd.concat([several, findings.rows.assign(model=findings.rows["model"] + str(number))])
    many = pd.concat([several.assign(problem=several["problem"] + str(number)) for number in range(5)])
    first = next(arks_claims(Findings(many, findings.settings), "world"))
    assert (first.n, first.seeds, first.verdict) == (20, 8, "supported")
    assert "Control" in claims[-1].statement
    plain = tuple(one for one in findings.settings if not one.stripped)
    assert len(list(arks_claims(Findings(findings.rows, plain), "ScipyM"))) == len(claims) - 1


def test_one_public_model_is_no_seed_of_many(findings):
    rows = findings.rows[findings.rows["model"] == "one"]
    public, pocket = (Findings(rows.assign(model=name), findings.settings) for name in ("hf:x", "pocket:y"))
    assert public.difference(ACTIVE, NOTHING).seeds is None
    assert pocket.difference(ACTIVE, NOTHING).seeds == 1


def test_settings_differ_by_what_they_say():
    settings = declared()
    assert len({one.name for one in settings}) == len({one.file_name for one in settings}) == len(settings)
    whole = {one.name: one for one in settings if not one.stripped}
    for one in settings:
        if one.stripped:
            assert dict(one.changes) == dict(whole[one.name.removesuffix(STRIPPED)].changes)
    assert not any(one.stripped for one in declared(stripped=False))
    assert not any("given_documents" in one.changes for one in declared(bounded=False))


def test_some_families_alone_are_run_and_claims_say_what_is_left_out(findings):
    settings = of_families(findings.settings, ["bound", "main"])
    assert {one.family for one in settings} == {"main", "bound"}
    assert of_families(findings.settings, ["all"]) == findings.settings
    rows = findings.rows[findings.rows["setting"].isin([one.name for one in settings])]
    some = replace(findings, rows=rows, settings=settings)
    left_out = {claim.statement: claim for claim in arks_claims(some, "world") if claim.measured is None}
    assert set(left_out) == {
        f"Adding {source} to the other sources helps"
        for source in ("code snippets", "execution feedback", "documentation")
    }
    assert all("Not run: active, " in claim.note for claim in left_out.values())
    assert some.sources()["sources"].tolist() == ["none", "D+F+S"]
    for wrong in (["bound"], ["main", "sauces"], []):
        with pytest.raises(SettingsError, match="main and others of query, bound, sources, stripped"):
            of_families(findings.settings, wrong)


def test_accuracy_stands_against_the_tokens_spent_until_then(findings):
    """Two models, four problems: 100 tokens each in round 0, 40 for each of the three asked again."""
    tokens = findings.rows["asked"].map({True: 1, False: 0}) * findings.rows["round"].map({0: 100, 1: 40})
    spent = replace(findings, rows=findings.rows.assign(tokens=tokens)).by_tokens([ACTIVE]).set_index("round")
    assert spent["tokens"].tolist() == [100.0, 100.0 + 40 * 3 / 4]
    assert spent["accuracy"].tolist() == [0.25, 0.625]


def test_each_task_has_an_accuracy_of_its_own(findings):
    libraries = findings.rows["problem"].map({"a": "Ring", "b": "Ring", "c": "Pony", "d": "Pony"})
    found = replace(findings, rows=findings.rows.assign(library=libraries)).by_library([ACTIVE])
    by_library = found.set_index("library")
    assert by_library["accuracy"].to_dict() == {"Ring": 1.0, "Pony": 0.25}
    assert by_library["problems"].to_dict() == {"Ring": 2, "Pony": 2}


def test_web_pages_are_a_source_where_they_can_be_had():
    names = {one.name: one for one in declared(web=True)}
    assert names["active, W"].changes["sources"] == ("web_search",)
    assert names["active, D+F+S+W"].changes["sources"][-1] == "web_search"
    assert "active, W" not in {one.name for one in declared()}
    assert [one.name for one in declared(web=True) if "W" not in one.name] == [one.name for one in declared()]


def test_a_retriever_by_name_searches_in_every_setting(tmp_path):
    searched = make_retriever("dense", "hkunlp/instructor-large", tmp_path)
    assert {one.retriever for one in declared(retriever=searched)} == {searched}
    assert "Represent the code" in searched.fingerprint
    assert make_retriever("bm25", "", tmp_path) is None
    with pytest.raises(SettingsError, match="bm25, dense, hybrid"):
        make_retriever("tfidf", "", tmp_path)
