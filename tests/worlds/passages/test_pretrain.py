"""The policy's training: reproducible, interrupted without a trace, and learning what it is shown."""

import json
import random
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from transformers import AutoModelForCausalLM, AutoTokenizer

from workbench.core.errors import DataError, SettingsError
from workbench.worlds.passages import AnswerWritingSettings, assess
from workbench.worlds.passages import pretrain as training
from workbench.worlds.passages.corpus import answer_document, checking_document, reading_document
from workbench.worlds.passages.lexicon import END, MARKS, vocabulary
from workbench.worlds.passages.pretrain import PassagePretrainingSettings, main, pretrain

SMALL = PassagePretrainingSettings(
    checking_steps=3, reading_steps=4, answering_steps=3, batch=4, width=16, layers=1, heads=2, mlp=16
)


def learned(document):
    return [word for word, learns in zip(document.words, document.learned, strict=True) if learns]


def test_documents_teach_marks_and_right_sentences_but_no_faults():
    for seed in range(40):
        document = reading_document(random.Random(seed))
        text = " ".join(document.words)
        passage, *rounds = text.replace(" tell of ", " what ").split(" what ")
        assert learned(document).count(END) == len(rounds) == 3
        wrong = [i for i, word in enumerate(document.words) if word in ("wrong", "aside")]
        assert all(document.learned[i] and not any(document.learned[i - 4 : i]) for i in wrong)
        # what is learned of sentences is what the passage says
        values = [
            (document.words[i - 1], word)
            for i, word in enumerate(document.words)
            if document.learned[i] and word not in (END, *MARKS, ".") and document.words[i + 1] == "."
        ]
        assert all(f"{verb} {value}" in passage for verb, value in values)


def test_statements_to_check_are_marked_right_where_the_passage_says_so():
    for seed in range(40):
        text = " ".join(checking_document(random.Random(seed)).words)
        passage, *statements = (
            text.replace(" . ", " .|").replace("right ", "right|").replace("wrong ", "wrong|").split("|")
        )
        marks = statements[1::2]
        assert len(marks) == 6
        for statement, mark in zip(statements[::2], marks, strict=True):
            person, said = statement.removesuffix(" .").split(" ", 1)
            assert (mark == "right") == (passage.startswith(person) and said in passage)


def test_an_answer_is_learned_with_its_faults():
    document = answer_document(random.Random(0), AnswerWritingSettings(habit=1.0, slip=0.0))
    answer = learned(document)
    prompt = document.words[: -len(answer)]
    assert answer[-1] == END
    assert assess(" ".join(prompt), " ".join(answer[:-1])).sentences
    assert set(document.words) <= set(vocabulary())


def test_the_same_seed_gives_the_same_weights_and_an_interruption_leaves_no_trace(tmp_path, monkeypatch):
    losses = pretrain(SMALL, tmp_path / "whole", progress=False)
    assert losses[-1] < losses[0]

    batch = training._batch

    def interrupted(step, settings):
        if step == 7:
            raise KeyboardInterrupt
        return batch(step, settings)

    monkeypatch.setattr(training, "_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(SMALL, tmp_path / "parts", save_every=2, progress=False)
    with pytest.raises(DataError, match="checkpoint of another recipe"):
        pretrain(replace(SMALL, seed=1), tmp_path / "parts", progress=False)
    monkeypatch.undo()
    assert pretrain(SMALL, tmp_path / "parts", progress=False) == losses
    whole, parts = (AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in ("whole", "parts"))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), parts.parameters(), strict=True))
    assert pretrain(replace(SMALL, seed=1), tmp_path / "other", progress=False) != losses


def test_the_command_leaves_a_policy_its_tokenizer_and_its_recipe(tmp_path):
    done = CliRunner().invoke(
        main,
        ["--out", str(tmp_path), "--checking-steps", "1", "--reading-steps", "1", "--answering-steps", "1"],
    )
    assert done.exit_code == 0, done.output
    assert "after 3 steps" in done.output
    recipe = json.loads((tmp_path / "recipe.json").read_text())
    assert recipe["settings"]["reading_steps"] == 1
    assert recipe["parameters"] == AutoModelForCausalLM.from_pretrained(tmp_path).num_parameters()
    assert 0.3e6 < recipe["parameters"] < 1e6
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    text = "ana likes red . what ana likes ?"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "recipe.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_settings_are_refused_all_at_once():
    with pytest.raises(SettingsError, match=r"batch 0; .*width 10, heads 4"):
        PassagePretrainingSettings(batch=0, width=10)
