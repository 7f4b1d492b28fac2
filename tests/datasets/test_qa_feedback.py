"""QA-Feedback: spans checked against the text, errors by aspect, preferences as pairs."""

from __future__ import annotations

import copy
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from workbench.core.errors import DataError
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.qa_feedback import (
    ASPECT_OF,
    ASPECTS,
    COMPARED,
    ErrorSpan,
    MissingInfo,
    Passage,
    load_qa_examples,
    load_qa_feedback,
    qa_prompt,
)

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "qa-feedback"
FEEDBACK, EXAMPLES = FOLDER / "dev_feedback.json.gz", FOLDER / "dev.json.gz"
realdata = pytest.mark.realdata
absent = pytest.mark.skipif(not FEEDBACK.exists(), reason="no QA-Feedback beside the project")

ROW: dict[str, Any] = {
    "question": "What do cows eat?",
    "passages": [
        ["Cow", "Cow\n\nCows graze.", "They eat grass."],
        ["Hay", "Hay is dried grass.", "It keeps.", "Cows eat it."],
    ],
    "gold": "Grass and hay.",
    "prediction 1": "Cows eat bricks. They moo.",
    "prediction 2": "Hay.",
    "prediction 3": "Grass.",
    "prediction 4": "Moo.",
    "feedback": {
        "errors": [
            {"error type": "Irrelevant", "explanation": "", "start": 17, "end": 26},
            {"error type": "Wrong-Grounding", "explanation": "no bricks", "start": 0, "end": 16},
        ],
        "missing-info": [{"error type": "Missing-Answer", "passage_id": 2, "sentence_id": [0, 3]}],
        "corrected-prediction": "Cows eat grass.",
    },
    "preference": [2, 1, 0, 1, 1, 2],
}


def write(path: Path, rows: object) -> Path:
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def changed(**changes: Any) -> dict[str, Any]:
    """Return the row with fields of `feedback` or of the row itself replaced."""
    row = copy.deepcopy(ROW)
    for name, value in changes.items():
        dashed = name.replace("_", "-")
        (row["feedback"] if dashed in row["feedback"] else row)[dashed] = value
    return row


def fault(path: Path, row: object) -> str:
    with pytest.raises(DataError) as caught:
        load_qa_feedback(write(path / "a.json", [row]))
    return caught.value.got


def test_a_row_becomes_spans_missing_information_and_passages(tmp_path: Path) -> None:
    (row,) = load_qa_feedback(write(tmp_path / "a.json", [ROW]))
    assert row.errors == (
        ErrorSpan(0, 16, "Wrong-Grounding", "Cows eat bricks.", "no bricks"),
        ErrorSpan(17, 26, "Irrelevant", "They moo."),
    )
    assert row.missing == (MissingInfo("Missing-Answer", passage=1, sentences=(2,), title=True),)
    assert row.passages[1].sentences[2] == "Cows eat it."
    assert row.predictions == ("Cows eat bricks. They moo.", "Hay.", "Grass.", "Moo.")
    assert (row.gold, row.corrected) == ("Grass and hay.", "Cows eat grass.")


def test_spans_are_grouped_into_aspects(tmp_path: Path) -> None:
    (row,) = load_qa_feedback(write(tmp_path / "a.json", [ROW]))
    assert [span.text for span in row.spans("factuality")] == ["Cows eat bricks."]
    assert [span.text for span in row.spans("relevance")] == ["They moo."]
    assert row.spans("completeness") == ()
    assert set(ASPECT_OF.values()) == set(ASPECTS)


def test_the_six_preferences_become_pairs_without_the_ties(tmp_path: Path) -> None:
    (row,) = load_qa_feedback(write(tmp_path / "a.json", [ROW]))
    assert COMPARED == ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    bricks, hay, grass, moo = row.predictions
    assert [(pair.chosen, pair.rejected) for pair in row.pairs()] == [
        (hay, bricks),
        (bricks, grass),
        (hay, grass),
        (hay, moo),
        (moo, grass),
    ]
    assert row.pairs()[0] == PreferencePair(row.prompt, hay, bricks, "qa-feedback")


def test_the_prompt_has_the_authors_form(tmp_path: Path) -> None:
    (row,) = load_qa_feedback(write(tmp_path / "a.json", [ROW]))
    assert row.prompt == (
        "question: What do cows eat? context: wikipage: Cow text: Cow\n\nCows graze. They eat grass."
        " | wikipage: Hay text: Hay is dried grass. It keeps. Cows eat it."
    )


def test_offsets_count_characters_and_not_bytes(tmp_path: Path) -> None:
    error = {"error type": "Redundant", "explanation": None, "start": 3, "end": 6}
    row = changed(errors=[error]) | {"prediction 1": "\N{COW} é moo"}
    (loaded,) = load_qa_feedback(write(tmp_path / "a.json", [row]))
    assert loaded.errors == (ErrorSpan(3, 6, "Redundant", " mo"),)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            changed(errors=[{"error type": "Irrelevant", "start": 20, "end": 27}]),
            "Irrelevant span 20:27 is not within prediction 1 of 26 characters",
        ),
        (changed(errors=[{"error type": "Irrelevant", "start": 3, "end": 3}]), "Irrelevant span 3:3 is not"),
        (
            changed(errors=[{"error type": "Irrelevant", "start": -1, "end": 3}]),
            "Irrelevant span -1:3 is not",
        ),
        (changed(errors=[{"error type": "Rude", "start": 0, "end": 3}]), "error type 'Rude', not one of Irr"),
        (changed(errors=[{"error type": "Missing-Answer", "start": 0, "end": 3}]), "error type 'Missing-Ans"),
        (changed(errors=[{"error type": "Irrelevant", "start": "0", "end": 3}]), "start is a str, not a int"),
        (changed(errors=["Irrelevant"]), "errors is not a list of objects"),
        (
            changed(missing_info=[{"error type": "Missing-Answer", "passage_id": 3, "sentence_id": [1]}]),
            "Missing-Answer names passage 3 of 2",
        ),
        (
            changed(missing_info=[{"error type": "Missing-Answer", "passage_id": 1, "sentence_id": [3]}]),
            "Missing-Answer names sentences [3] of a passage of 2",
        ),
        (changed(preference=[1, 2, 0]), "preference is [1, 2, 0], not six of 0, 1, 2"),
        (changed(preference=[1, 2, 0, 0, 0, 3]), "preference is [1, 2, 0, 0, 0, 3], not six"),
        (changed(passages=[[]]), "passage 1 is not a list of texts"),
        (changed(passages=[{"wikipage": "Cow"}]), "passage 1 is not a list of texts"),
        ({name: value for name, value in ROW.items() if name != "prediction 3"}, "no prediction 3"),
    ],
)
def test_each_malformed_row_says_what_is_wrong(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    assert f"a.json, row 1: {said}" in fault(tmp_path, row)


def test_all_malformed_rows_are_listed_and_no_rows_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_qa_feedback(write(tmp_path / "a.json", [ROW, changed(preference=[]), 3]))
    assert "a.json: 2 faults" in caught.value.got
    assert "row 2: preference is []" in caught.value.got
    assert "row 3: a int where a JSON object is needed" in caught.value.got
    with pytest.raises(DataError, match="no rows"):
        load_qa_feedback(write(tmp_path / "a.json", []))


def test_question_and_answer_rows_load_from_either_kind_of_file(tmp_path: Path) -> None:
    row = {
        "question": "What?",
        "passages": [{"wikipage": "Cow", "content": "Cows graze."}],
        "text": "question: What? context: wikipage: Cow text: Cows graze.",
        "answer": ["Grass."],
    }
    (example,) = load_qa_examples(write(tmp_path / "a.json", [row]))
    assert example == load_qa_examples(write(tmp_path / "a.jsonl", row))[0]
    assert example.answers == ("Grass.",)
    assert example.passages == (Passage("Cow", ("Cows graze.",)),)
    assert example.prompt == qa_prompt("What?", [("Cow", "Cows graze.")])
    with pytest.raises(DataError, match="answer is not a list of texts"):
        load_qa_examples(write(tmp_path / "a.json", [row | {"answer": []}]))


def test_the_other_kind_of_file_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_qa_examples(write(tmp_path / "a.json", [ROW]))
    assert "the other kind of file" in caught.value.fix


@realdata
@absent
def test_the_real_feedback_loads_whole() -> None:
    rows = load_qa_feedback(FEEDBACK)
    assert len(rows) == 350
    spans = [(span, row.predictions[0]) for row in rows for span in row.errors]
    assert Counter(span.aspect for span, _ in spans) == {"relevance": 751, "factuality": 207}
    assert all(span.text == text[span.start : span.end] for span, text in spans)
    # Annotators marked whole words: no span begins or ends within one.
    assert not any(text[span.end : span.end + 1].isalnum() for span, text in spans)
    assert sum(len(row.missing) for row in rows) == 548
    pairs = [pair for row in rows for pair in row.pairs()]
    assert len(pairs) == 1840  # 2,100 comparisons less 260 ties
    assert all(pair.chosen != pair.rejected for pair in pairs)


@realdata
@absent
def test_the_real_prompts_are_those_that_the_authors_made() -> None:
    examples = load_qa_examples(EXAMPLES)
    assert len(examples) == 350
    for example in examples:
        passages = [(one.title, one.sentences[0]) for one in example.passages]
        assert qa_prompt(example.question, passages) == example.prompt
    made = {example.question: example.prompt for example in examples}
    shared = [row for row in load_qa_feedback(FEEDBACK) if row.question in made]
    same = sum(row.prompt == made[row.question] for row in shared)
    assert (len(shared), same) == (345, 307)
    # In the other 38 some sentence was cut with a space at its end or beginning, and nothing else differs.
    assert all("".join(row.prompt.split()) == "".join(made[row.question].split()) for row in shared)


@realdata
@absent
def test_the_real_files_are_not_each_others_kind() -> None:
    with gzip.open(EXAMPLES) as file:
        assert "prediction 1" not in json.load(file)[0]
    with pytest.raises(DataError, match="350 faults"):
        load_qa_feedback(EXAMPLES)
