"""The shipped policy translates as its writers did, and samples are the same at every call."""

from __future__ import annotations

import json
import random
from functools import cache

import numpy as np
import pytest

from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.store.location import data_folder
from workbench.worlds.translation import assess, draw_meaning, utility
from workbench.worlds.translation.pretrain import TranslationPretrainingSettings
from workbench.worlds.translation.sampling import sample_translations

FOLDER = data_folder() / "alarm" / "translation"


@cache
def policy():
    from workbench.training.ppo import ValuedPolicy

    settings = ModelSettings(str(FOLDER / "policy"), device="cpu", dtype="float32")
    return ValuedPolicy.load(settings), load_tokenizer(settings)


@cache
def sampled():
    source = random.Random("sampled")
    prompts = [draw_meaning(source).spanish for _ in range(60)]
    return prompts, sample_translations(*policy(), prompts, samples=3, seed=0)


def test_the_policy_translates_and_has_its_writers_faults():
    prompts, candidates = sampled()
    assert [one.prompt for one in candidates] == prompts
    found = [assess(one.prompt, text) for one in candidates for text in one.responses]
    assert len(found) == 180
    means = {
        name: np.mean([getattr(one, name) for one in found]) for name in vars(found[0]) if name != "errors"
    }
    assert means["adequacy"] > 0.9  # it knows the language
    assert all(0.85 < means[name] < 0.995 for name in ("grammar", "language", "plainness"))
    flawless = np.mean([one.utility > 1 - 1e-9 for one in found])
    assert 0.1 < flawless < 0.45
    assert [one.utilities for one in candidates] == [
        tuple(utility(one.prompt, text) for text in one.responses) for one in candidates
    ]


def test_samples_depend_on_seed_and_sentences_alone():
    prompts, candidates = sampled()
    again = sample_translations(*policy(), prompts, samples=3, seed=0, batch_size=50)
    same = [one.responses == other.responses for one, other in zip(candidates, again, strict=True)]
    assert np.mean(same) > 0.95  # rounding may decide a rare one
    assert sample_translations(*policy(), prompts[:5], samples=3, seed=1)[0].responses


@pytest.mark.parametrize("name", ["policy", "reader"])
def test_the_shipped_models_are_those_of_the_recipe(name):
    recipe = json.loads((FOLDER / name / "recipe.json").read_text())
    settings = recipe["settings"]
    assert settings["model"] == name
    known = {
        field: value
        for field, value in vars(TranslationPretrainingSettings(model=name)).items()
        if field != "writing"
    }
    assert set(settings) == {*known, "writing"}
    assert sum(file.stat().st_size for file in (FOLDER / name).iterdir()) < 2e6
