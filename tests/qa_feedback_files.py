"""Files as the authors of QA-Feedback have them in their repository: rows of feedback, of questions and answers."""

import json

__all__ = ["QUESTIONS", "feedback_row", "write_folder"]

QUESTIONS = (
    "What do cows eat?",
    "What is hay?",
    "How do cows sound?",
    "Who eats grass?",
    "Is hay dry?",
    "Do cows moo?",
)


def feedback_row(number, question):
    """Return a row as QA-Feedback has them: the second sentence of the first prediction is wrong."""
    first = "The cow eats grass today. Hay is wet and blue now."
    predictions = [first, "Cows moo.", "Hay is dried grass.", f"It is {number}."]
    wrong = predictions[0].index("Hay")
    kind = ("Unverifiable", "Irrelevant")[number % 2]
    return {
        "question": question,
        "passages": [["Cow", "Cows eat grass.", "Cows moo."], ["Hay", "Hay is dried grass."]],
        "gold": "Cows eat grass and hay.",
        **{f"prediction {place}": text for place, text in enumerate(predictions, start=1)},
        "feedback": {
            "errors": [{"error type": kind, "start": wrong, "end": len(predictions[0])}],
            "missing-info": [{"error type": "Missing-Answer", "passage_id": 2, "sentence_id": [1]}],
            "corrected-prediction": "Cows eat grass. Hay is dried grass.",
        },
        "preference": [1, 2, 0, 1, 1, 2],
    }


def example_row(question):
    """Return a row as the files of questions and answers have them."""
    passages = [
        {"wikipage": "Cow", "content": "Cows eat grass. Cows moo."},
        {"wikipage": "Hay", "content": "Hay is dried grass."},
    ]
    return {
        "question": question, "passages": passages, "text": f"question: {question} context: Cows eat grass.",
        "answer": ["Cows eat grass and hay.", "Grass."],
    }  # fmt: skip


def write_folder(folder):
    """Write all files of `tasks/qa_feedback/data`."""
    folder.mkdir(parents=True)
    for part in ("train", "dev"):
        rows = [feedback_row(number, f"{part}: {question}") for number, question in enumerate(QUESTIONS)]
        (folder / f"{part}_feedback.json").write_text(json.dumps(rows))
    for part in ("train_1k", "train", "dev", "test"):
        rows = [example_row(f"{part}: {question}") for question in QUESTIONS]
        (folder / f"{part}.json").write_text(json.dumps(rows))
