"""From annotations to labels and pairs: by hand, and on the real rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.core.errors import SettingsError
from workbench.datasets.qa_feedback import (
    COMPARED,
    ErrorSpan,
    MissingInfo,
    Passage,
    QAFeedback,
    load_qa_feedback,
)
from workbench.rewards import Sample, completeness_pairs, qa_sample, span_examples
from workbench.rewards.aspect_data import completeness_scores

FEEDBACK = Path(__file__).resolve().parents[3] / "shared" / "data" / "qa-feedback" / "dev_feedback.json.gz"

FIRST = "Cows eat green grass in the fields. They like it. They moo at the cold moon all night."


def span(kind: str, words: str) -> ErrorSpan:
    start = FIRST.index(words)
    return ErrorSpan(start, start + len(words), kind, words)


ROW = QAFeedback(
    question="What do cows eat?",
    passages=(
        Passage("Cow", ("Cow Cows eat green grass in the fields.", "A cow has four stomachs.")),
        Passage("Hay", ("Hay is dried grass that cows eat in winter.",)),
    ),
    gold="Grass and hay.",
    predictions=(
        FIRST,
        "Hay is dried grass that cows eat in winter.",
        "Cows eat green grass in the fields. Hay is dried grass that cows eat in winter.",
        "A cow has four stomachs.",
    ),
    errors=(span("Wrong-Grounding", "cold moon"), span("Irrelevant", "They like it.")),
    missing=(
        MissingInfo("Missing-Answer", passage=1, sentences=(0,)),
        MissingInfo("Missing-Minor-Auxiliary", passage=0, sentences=(1,)),
    ),
    corrected="Cows eat green grass in the fields. A cow has four stomachs.",
    preferences=(0, 0, 0, 0, 0, 0),
)


def labels(row: QAFeedback, aspect: str, **options: str) -> list[tuple[str, bool | None]]:
    (example,) = span_examples([row], aspect, **options)
    return [(FIRST[a:b], label) for (a, b), label in zip(example.segments, example.correct, strict=True)]


def test_a_sentence_with_an_error_of_fact_is_wrong_and_an_irrelevant_one_is_not_learned_from() -> None:
    assert labels(ROW, "factuality") == [
        ("Cows eat green grass in the fields.", True),
        ("They like it.", None),
        ("They moo at the cold moon all night.", False),
    ]


def test_a_sentence_with_both_errors_is_wrong_in_fact() -> None:
    both = replace(ROW, errors=(*ROW.errors, span("Redundant", "They moo at the cold")))
    assert labels(both, "factuality")[2][1] is False


def test_an_irrelevance_of_few_words_is_not_learned_from() -> None:
    assert [label for _, label in labels(ROW, "relevance")] == [True, True, True]
    long = replace(ROW, errors=(span("Irrelevant", "They moo at the cold moon"),))
    assert [label for _, label in labels(long, "relevance")] == [True, True, False]


def test_segments_are_the_papers_or_those_asked_for() -> None:
    row = replace(
        ROW, predictions=("One two three four five, six seven eight nine ten.", "", "", ""), errors=()
    )
    assert len(span_examples([row], "relevance")[0].segments) == 2
    assert len(span_examples([row], "factuality")[0].segments) == 1
    assert len(span_examples([row], "relevance", segmentation="sentence")[0].segments) == 1


def test_an_answer_without_a_label_is_no_example() -> None:
    irrelevant = replace(ROW, errors=(span("Irrelevant", FIRST),))
    assert span_examples([irrelevant], "factuality") == []
    assert span_examples([replace(ROW, predictions=("", "", "", ""), errors=())], "relevance") == []


def test_a_sample_has_the_question_alone_beside_the_whole_prompt() -> None:
    assert qa_sample(ROW, 1) == Sample(ROW.prompt, ROW.predictions[1], {"question": "What do cows eat?"})


@pytest.mark.parametrize(("aspect", "segmentation"), [("completeness", None), ("relevance", "word")])
def test_other_names_are_said(aspect: str, segmentation: str | None) -> None:
    with pytest.raises(SettingsError, match="one of relevance, factuality"):
        span_examples([ROW], aspect, segmentation=segmentation)


def test_completeness_is_the_share_of_what_is_relevant() -> None:
    """Grass (in the corrected answer) and hay (missed) are relevant; stomachs are minor."""
    assert completeness_scores(ROW) == (0.5, 0.5, 1.0, 0.0)


def test_what_annotators_missed_in_the_first_answer_is_missing_whatever_its_words() -> None:
    same = replace(ROW, predictions=(ROW.predictions[2], *ROW.predictions[1:]))
    assert completeness_scores(same) == (0.5, 0.5, 1.0, 0.0)


def test_nothing_relevant_is_no_score() -> None:
    assert completeness_scores(replace(ROW, missing=(), corrected="Nobody knows.")) is None
    assert completeness_scores(replace(ROW, missing=(), corrected="")) is None


def test_the_more_complete_answer_is_chosen() -> None:
    first, hay, both, stomachs = ROW.predictions
    pairs = completeness_pairs([ROW], source="mine")
    assert [(pair.chosen, pair.rejected) for pair in pairs] == [
        (both, first),
        (first, stomachs),
        (both, hay),
        (hay, stomachs),
        (both, stomachs),
    ]
    assert {(pair.prompt, pair.source) for pair in pairs} == {(ROW.prompt, "mine")}


@pytest.mark.realdata
@pytest.mark.skipif(not FEEDBACK.exists(), reason="no QA-Feedback beside the project")
def test_the_real_rows() -> None:
    rows = load_qa_feedback(FEEDBACK)
    counts = {
        aspect: Counter(label for one in span_examples(rows, aspect) for label in one.correct)
        for aspect in ("relevance", "factuality")
    }
    # each marked sentence or part is found: as many wrong segments as marked spans, or nearly
    assert counts["relevance"][False] > 700 and counts["relevance"][None] == 0
    assert 150 < counts["factuality"][False] <= 207
    assert counts["factuality"][None] > 300
    scores = [completeness_scores(row) for row in rows]
    agreeing = [
        (found[first] > found[second]) == (better == 1)
        for row, found in zip(rows, scores, strict=True)
        if found
        for (first, second), better in zip(COMPARED, row.preferences, strict=True)
        if better and found[first] != found[second]
    ]
    # people look at more than completeness, but for it
    assert len(agreeing) > 500 and sum(agreeing) / len(agreeing) > 0.6
