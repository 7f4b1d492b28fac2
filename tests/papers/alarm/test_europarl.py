"""Translation on public data: the same arms from Europarl's rows, a tiny T5 and a tiny reward model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_classifiers import save_classifier
from tiny_policies import language_model, quick, tokenizer

from tests.datasets.test_europarl import row, write
from workbench.core.errors import SettingsError
from workbench.datasets.europarl import PREFIX, load_europarl
from workbench.models.encoding import EncodingSettings
from workbench.models.loading import ModelSettings
from workbench.papers.alarm.arms import HIERARCHICAL, HOLISTIC_ONLY, WEIGHTED_SUM
from workbench.papers.alarm.europarl import GRADES, ULTRA, EuroparlTask
from workbench.papers.alarm.translation import WORST, TranslationSettings, run_translation
from workbench.policies.outcomes import BEFORE, HOLISTIC, ORACLE
from workbench.rewards import Normalization

WORDS = "abcdef"


def sentence(number: int, shift: int = 0) -> str:
    return " ".join(WORDS[(number // 6**place + place + shift) % 6] for place in range(4)) + " ."


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> EuroparlTask:
    folder: Path = tmp_path_factory.mktemp("europarl")
    language_model("encoder-decoder").save_pretrained(folder / "policy")
    tokenizer().save_pretrained(folder / "policy")
    rows = [row(sentence(number), sentence(number, 1)) for number in range(300)]
    judge = save_classifier(folder / "judge", task="SequenceClassification", family="Llama")
    return EuroparlTask(
        policy=ModelSettings(str(folder / "policy"), device="cpu"),
        holistic=ModelSettings(str(judge), device="cpu"),
        encoding=EncodingSettings("{prompt}\n", max_tokens=200, max_prompt_tokens=120),
        normalization=None,
        source=str(write(folder / "rows.jsonl", *rows)),
        aspects=("confidence", "readability"),
        ppo=quick(max_steps=1, max_prompt_tokens=32),
        lora=None,
        supervised=8,
        train_pairs=40,
        pool_prompts=5,
        test_prompts=4,
    )


def test_the_arms_of_the_world_run_on_europarl(task: EuroparlTask, tmp_path: Path) -> None:
    results = run_translation(TranslationSettings(seeds=1, task=task), folder=tmp_path, progress=False)
    assert [one.arm for one in results.outcomes] == [
        BEFORE,
        HOLISTIC_ONLY,
        WEIGHTED_SUM,
        HIERARCHICAL,
        WORST,
    ]
    test = load_europarl(task.source, "test", pairs=4)
    for one in results.outcomes:
        assert one.sampled.prompts == tuple(pair.prompt for pair in test)
        assert set(one.sampled.scores) == {HOLISTIC, "confidence", "readability", "upper zone"}
        assert ORACLE not in one.sampled.scores  # nobody knows the truth
    assert {row.name for row in results.selections[0].table} == {"confidence", "readability"}
    assert results.mean_facts == {}


def test_a_seed_has_the_references_and_a_policy_that_was_taught(task: EuroparlTask, tmp_path: Path) -> None:
    prepared = task.prepare(0, tmp_path / "seed-0")
    given = prepared.task.train[0]
    assert given.prompt.startswith(PREFIX)
    pairs = load_europarl(task.source, "train", pairs=48)
    # the first were for fine-tuning
    assert (given.prompt, given.metadata["reference"]) == (pairs[8].prompt, pairs[8].english)
    assert len(prepared.task.train) == 40
    assert Path(prepared.task.policy.name) == tmp_path / "shared" / "policy"
    assert (Path(prepared.task.policy.name) / "config.json").is_file()
    assert len(prepared.pool.prompts) == 5 * 4
    assert prepared.pool.scores["holistic"].mean() == pytest.approx(0, abs=1e-6)  # fitted on these
    assert np.ptp(prepared.pool.scores["readability"]) > 0


def test_the_papers_normalisation_is_used_where_it_is_given(task: EuroparlTask, tmp_path: Path) -> None:
    fitted = replace(task, supervised=0).prepare(0, tmp_path / "a")
    given = replace(task, supervised=0, normalization=Normalization(1.0, 2.0))
    paper = given.prepare(0, tmp_path / "b")
    assert paper.task.policy == task.policy
    assert paper.task.rewards.normalization == Normalization(1.0, 2.0)
    one, two = (found.pool.scores["holistic"] for found in (fitted, paper))
    assert np.ptp(two) > 0
    assert np.corrcoef(one, two)[0, 1] == pytest.approx(1)
    assert (GRADES.mean, GRADES.sd, ULTRA.mean, ULTRA.sd) == (11.199, 6.044, -2.344, 2.946)


def test_settings_are_refused_all_at_once() -> None:
    with pytest.raises(SettingsError, match=r"test_prompts 0; supervised -1; aspects grammar"):
        EuroparlTask(test_prompts=0, supervised=-1, aspects=("grammar",))
    with pytest.raises(SettingsError, match="aspects fluency, grammar"):
        EuroparlTask(aspects=("fluency", "grammar"))
    assert json.dumps(EuroparlTask().ppo.describe())  # the paper's settings hold together
