"""The pocket models' training: what they are shown, no step lost to a kill, and what the command leaves."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from workbench.core.errors import DataError, SettingsError
from workbench.worlds.pretraining import Rates, _optimizers
from workbench.worlds.translation import TranslationWritingSettings, assess
from workbench.worlds.translation import pretrain as training
from workbench.worlds.translation.corpus import draw_example, draw_review, marks_of
from workbench.worlds.translation.pretrain import TranslationPretrainingSettings, main, make_model, pretrain
from workbench.worlds.translation.words import END, MARKS

SMALL = TranslationPretrainingSettings(steps=8, short_steps=4, batch=4, width=16, layers=1, heads=2, mlp=16)


def test_marks_say_what_is_wrong():
    spanish = "dos niñas compran una casa roja ."
    marks = {
        "two girls buy a red house .": ("faithful", "grammatical", "plain"),
        "two girls buys a red house .": ("faithful", "ungrammatical", "plain"),
        "two girls purchase a red house .": ("faithful", "grammatical", "heavy"),
        "two girls purchase a red casa .": ("unfaithful", "grammatical", "mixed"),
    }
    assert {text: marks_of(assess(spanish, text)) for text in marks} == marks


def test_a_review_teaches_its_marks_and_no_careless_translation():
    learned_words = []
    for seed in range(60):
        review = draw_review(random.Random(seed), TranslationWritingSettings())
        end = review.words.index(END)
        stop = review.words.index(".")
        spanish, english = (
            " ".join(review.words[: stop + 1]),
            " ".join(review.words[stop + 1 : end]),
        )
        assert set(review.words[end + 1 :]) == set(marks_of(assess(spanish, english)))
        assert all(review.learned[end + 1 :])
        assert not any(review.learned[: stop + 1])
        assert len(set(review.learned[stop + 1 : end + 1])) == 1
        learned_words.append(review.learned[end])
        assert set(review.words[end + 1 :]) <= set(MARKS)
    assert 15 < sum(learned_words) < 45
    one_clause = draw_review(random.Random(1), TranslationWritingSettings(), clauses=1)
    assert not {"and", "but", "because", "when", "while", "although"} & set(one_clause.words)


def test_the_batches_are_what_was_drawn():
    sources, targets = training._examples(3, SMALL)
    tokenizer = training.make_tokenizer()
    source = random.Random("0 3")
    example = draw_example(source, SMALL.writing)
    assert tokenizer.decode(sources[0], skip_special_tokens=True) == example.spanish
    assert tokenizer.decode(targets[0]).split("<pad>")[0].strip() == f"{example.english} {END}"
    ids, learned = training._reviews(3, SMALL)
    assert ids.shape == learned.shape
    assert len(ids) == 4


def test_muon_moves_the_matrices_of_blocks_and_nothing_else():
    for name, blocks in (("policy", 1 * (4 + 2) + 1 * (8 + 2)), ("reader", 1 * 7)):
        muon, adamw = _optimizers(make_model(replace(SMALL, model=name)), Rates())
        assert len(muon.param_groups[0]["params"]) == blocks
        # embeddings, norms, and T5's tables of relative positions
        assert all(one.ndim == 1 or one.shape[0] > 16 for one in adamw.param_groups[0]["params"])


@pytest.mark.parametrize("name", ["policy", "reader"])
def test_an_interruption_leaves_no_trace(tmp_path, monkeypatch, name):
    settings = replace(SMALL, model=name)
    losses = pretrain(settings, tmp_path / "whole", progress=False)
    assert losses[-1] < losses[0]
    draw = "_examples" if name == "policy" else "_reviews"
    drawn = getattr(training, draw)

    def interrupted(step, settings):
        if step == 5:
            raise KeyboardInterrupt
        return drawn(step, settings)

    monkeypatch.setattr(training, draw, interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(settings, tmp_path / "parts", save_every=2, progress=False)
    with pytest.raises(DataError, match="checkpoint of another recipe"):
        pretrain(replace(settings, seed=1), tmp_path / "parts", progress=False)
    monkeypatch.undo()
    assert pretrain(settings, tmp_path / "parts", progress=False) == losses
    kind = AutoModelForSeq2SeqLM if name == "policy" else AutoModelForCausalLM
    whole, parts = (kind.from_pretrained(tmp_path / folder) for folder in ("whole", "parts"))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), parts.parameters(), strict=True))


@pytest.mark.parametrize("name", ["policy", "reader"])
def test_the_command_leaves_a_model_its_tokenizer_and_its_recipe(tmp_path, name):
    done = CliRunner().invoke(main, [name, "--out", str(tmp_path), "--steps", "1"])
    assert done.exit_code == 0, done.output
    assert "after 1 steps" in done.output
    recipe = json.loads((tmp_path / "recipe.json").read_text())
    assert recipe["settings"]["steps"] == 1
    assert recipe["command"].endswith(f"pretrain {name}")
    assert 0.2e6 < recipe["parameters"] < 1e6
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer.decode(tokenizer("la niña no compra")["input_ids"]) == "la niña no compra"
    assert not (tmp_path / "pretraining.pt").exists()


def test_settings_are_refused_all_at_once():
    with pytest.raises(SettingsError, match=r"batch 0; model 'judge'; width 10, heads 4"):
        TranslationPretrainingSettings(model="judge", batch=0, width=10)
