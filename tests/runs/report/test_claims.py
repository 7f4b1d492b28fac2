"""A claim's verdict is a word; its interval is drawn around the value that decides."""

import pytest

from workbench.runs.report.claims import claim_rows, mark, tally, verdict


def claim(**other):
    return {"statement": "S", "paper": "P", "measured": 0.2, "interval": [0.1, 0.3], "threshold": 0.0} | other


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"supported": True}, "supported"),
        ({"supported": False}, "not supported"),
        ({"supported": None}, "undecided"),
        ({"supported": None, "measured": None}, "not measured"),
    ],
)
def test_verdicts(given, words):
    assert verdict(claim(**given)).words == words


def test_the_value_that_decides_stands_in_the_middle():
    drawn = mark(claim())
    # the line reaches 1.08 x 0.3 to both sides of 0, and 2 % of its width are left free at both ends
    assert drawn.threshold == 50
    assert drawn.low == pytest.approx(50 + 48 * 0.1 / 0.324, abs=0.01)
    assert drawn.high == pytest.approx(50 + 48 / 1.08, abs=0.01)
    assert mark(claim(interval=[-0.1, 0.05], measured=0.0)).estimate == 50


def test_runs_that_are_compared_share_a_scale():
    assert mark(claim(), reach=0.6).high == pytest.approx(50 + 24 / 1.08, abs=0.01)


def test_a_share_without_a_threshold_is_drawn_from_none_to_all():
    drawn = mark(claim(threshold=None, measured=0.5, interval=[0.0, 1.0]))
    assert (drawn.low, drawn.estimate, drawn.high, drawn.threshold) == (2, 50, 98, None)


@pytest.mark.parametrize("given", [{"interval": None}, {"measured": "more"}, {"measured": None}])
def test_without_an_interval_nothing_is_drawn(given):
    assert mark(claim(**given)) is None


def test_an_interval_without_width_is_drawn_too():
    assert mark(claim(measured=0.0, interval=[0.0, 0.0])).low == 50
    assert mark(claim(measured=3.0, interval=[3.0, 3.0], threshold=None)).low == 50


def test_what_all_notes_say_is_said_once():
    notes = ["48 % against 2 %. Measured in our world.", "2 runs differ. Measured in our world.", ""]
    claims = [claim(note=note, measured=0.2 if note else None) for note in notes]
    rows, common = claim_rows(claims)
    assert common == "Measured in our world."
    assert [row.note for row in rows] == ["48 % against 2 %.", "2 runs differ.", ""]


def test_results_of_older_runs_can_be_shown():
    rows, _ = claim_rows([{"statement": "S", "paper": "P", "measured": 1, "supported": True}])
    assert (rows[0].measured, rows[0].interval, rows[0].threshold, rows[0].basis) == ("1", "", "", [])


def test_a_threshold_other_than_zero_is_named_in_the_claims_unit():
    (row,), _ = claim_rows([claim(unit="share", threshold=0.5, n=40, seeds=1, paper_value=0.388)])
    assert row.threshold == "50.0\N{NO-BREAK SPACE}%"
    assert row.paper_value == "38.8\N{NO-BREAK SPACE}%"
    assert row.basis == ["n = 40", "1 seed"]


def test_the_tally_leaves_out_what_no_claim_is():
    rows, _ = claim_rows([claim(supported=True), claim(supported=True), claim(supported=None)])
    assert [(kind.words, count) for kind, count in tally(rows)] == [("supported", 2), ("undecided", 1)]


def test_a_kept_tables_verdict_counts_where_it_rests_on_more_seeds():
    kept = {"measured": -0.2, "interval": [-0.3, -0.1], "seeds": 9, "supported": False, "reason": ""}
    kept |= {"command": "make it", "why": "believe the kept table: 9 seeds, here 3"}
    claims = [
        claim(supported=None, kept=kept | {"believed": True}),
        claim(supported=True, kept=kept | {"believed": False}),
        claim(supported=None, kept=None),
    ]
    rows, _ = claim_rows(claims)
    assert [row.verdict.words for row in rows] == ["undecided", "supported", "undecided"]
    assert [row.believed.words for row in rows] == ["not supported", "supported", "undecided"]
    assert rows[0].kept.measured == "\N{MINUS SIGN}0.2 [\N{MINUS SIGN}0.3, \N{MINUS SIGN}0.1], 9 seeds"
    assert [(one.words, count) for one, count in tally(rows)] == [("supported", 1), ("undecided", 2)]
    assert [(one.words, count) for one, count in tally(rows, believed=True)] == [
        ("supported", 1),
        ("undecided", 1),
        ("not supported", 1),
    ]
