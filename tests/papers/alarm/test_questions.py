"""QA-Feedback's settings, rows and normalisation, by hand; nothing is trained."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_classifiers import make_tokenizer, save_classifier, save_ultra

from workbench.core.errors import DataError, SettingsError
from workbench.models import ModelSettings
from workbench.models.encoding import EncodingSettings, encode, save_encoding
from workbench.papers.alarm import question_rewards, questions
from workbench.papers.alarm.question_rewards import Budgets, QuestionRewards, _holistic
from workbench.papers.alarm.questions import _cuts, question_task, rows_of
from workbench.rewards import Normalization, OracleReward, Sample, reward_values

PARAMETERS = {
    "data": "feedback.json", "policy": "t5", "holistic": "ultra", "aspect_model": "encoder",
    "completeness_model": "causal", "device": "cpu", "dtype": "native", "quantize": "none", "chat": None,
    "steps": 0, "batch": 6, "max_prompt_tokens": 32, "max_new_tokens": 16, "lora": True, "lora_layers": 0,
    "target_modules": ["default"], "supervised": 0, "aspect_steps": 0, "aspect_tokens": 2048,
    "span_steps": 0, "span_learning_rate": 0.0, "pair_learning_rate": 0.0, "pool_prompts": 2, "test_prompts": 2,
}  # fmt: skip


def parameters(**changes):
    return SimpleNamespace(**(PARAMETERS | changes))


def feedback(number):
    """Return a row as the authors' files have it, without any error marked."""
    return {
        "question": f"question {number}?",
        "passages": [["Title", "Title sentence 1.", "sentence 2."]],
        "gold": f"gold {number}",
        **{f"prediction {place}": f"answer {place}." for place in (1, 2, 3, 4)},
        "feedback": {"errors": [], "missing-info": [], "corrected-prediction": "answer 1."},
        "preference": [0] * 6,
    }


def write(path, count):
    path.write_text(json.dumps([feedback(number) for number in range(count)]))
    return str(path)


def test_models_that_are_not_named_are_listed_with_how_to_name_them():
    with pytest.raises(SettingsError, match="without policy, aspect_model") as error:
        question_task(parameters(policy="", aspect_model=""))
    assert "-p policy=... -p aspect_model=..." in str(error.value)


def test_parameters_become_settings():
    found = question_task(parameters(quantize="nf4"))
    assert (found.ppo.batch, found.ppo.minibatch, found.ppo.max_steps) == (
        6,
        2,
        None,
    )  # gcd of 6 and the paper's 4
    assert (found.holistic.quantize, found.policy.quantize, found.aspect_steps) == ("nf4", None, None)
    assert found.lora.target_modules  # T5's own layers
    held = (found.policy, found.holistic, found.completeness_model, found.aspect_model)
    assert [one.dtype for one in held] == ["native", "native", "native", "auto"]
    assert question_task(parameters(policy="gpt", steps=3)).lora.target_modules is None
    assert question_task(parameters(target_modules=["o"])).lora.target_modules == ("o",)
    assert question_task(parameters(lora_layers=4)).lora.layers == 4
    assert question_task(parameters(lora=False)).lora is None
    with pytest.raises(SettingsError, match="quantize 'int8'"):
        question_task(parameters(quantize="int8"))


def test_a_single_file_is_split_and_its_last_rows_are_tested_on(tmp_path):
    settings = question_task(parameters(data=write(tmp_path / "rows.json", 5)))
    rows = questions.rows_of(settings)
    assert [row.gold for row in rows.feedback] == ["gold 0", "gold 1", "gold 2"]
    assert [answer for _, answer in rows.supervised] == ["gold 0", "gold 1", "gold 2"]
    assert [sample.metadata["question"] for sample in rows.prompts] == [f"question {k}?" for k in (0, 1, 2)]
    assert [sample.metadata["question"] for sample in rows.test] == ["question 3?", "question 4?"]
    assert not rows.development


def test_a_folder_has_the_authors_two_files(tmp_path):
    write(tmp_path / "train_feedback.json", 4)
    write(tmp_path / "dev_feedback.json", 3)
    rows = questions.rows_of(question_task(parameters(data=str(tmp_path))))
    assert (len(rows.feedback), len(rows.development), len(rows.prompts)) == (4, 3, 4)
    assert [sample.metadata["question"] for sample in rows.test] == ["question 0?", "question 1?"]


def test_each_of_the_authors_files_serves_what_it_was_made_for(tmp_path):
    """SFT, prompts of RL and test prompts have files of their own; aspects are trained on feedback all the same."""
    write(tmp_path / "train_feedback.json", 4)
    write(tmp_path / "dev_feedback.json", 3)
    for name, count in (("train_1k", 2), ("train", 6), ("test", 5)):
        examples = [
            {
                "question": f"{name} {number}?",
                "passages": [{"wikipage": "Title", "content": "text"}],
                "text": f"question: {name} {number}? context: ...",
                "answer": [f"answer {number}"],
            }
            for number in range(count)
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps(examples))
    rows = questions.rows_of(question_task(parameters(data=str(tmp_path))))
    assert rows.supervised == [
        (f"question: train_1k {number}? context: ...", f"answer {number}") for number in (0, 1)
    ]
    assert [sample.metadata["question"] for sample in rows.prompts] == [f"train {k}?" for k in range(6)]
    assert [sample.metadata["question"] for sample in rows.test] == ["test 0?", "test 1?"]
    assert (len(rows.feedback), len(rows.development)) == (4, 3)


def test_too_few_rows_and_no_rows_are_refused(tmp_path):
    few = question_task(parameters(data=write(tmp_path / "few.json", 2)))
    with pytest.raises(DataError, match="2 rows, test_prompts 2"):
        questions.rows_of(few)
    with pytest.raises(DataError, match="FineGrainedRLHF"):
        questions.rows_of(question_task(parameters(data=str(tmp_path / "nothing.json"))))


def test_completeness_is_normalised_and_weighs_three_tenths(monkeypatch):
    length = OracleReward(lambda prompt, response: float(len(response)), name="length")
    raw = dict.fromkeys(("holistic", "factuality", "relevance", "completeness"), length)
    monkeypatch.setattr(question_rewards, "raw_rewards", lambda *_: raw)
    normalizations = {"holistic": Normalization(2.0, 4.0), "completeness": Normalization(1.0, 2.0)}
    rewards = QuestionRewards(question_task(parameters()).holistic, "aspects", normalizations).open()
    assert list(rewards.aspects) == ["factuality", "relevance", "completeness"]
    texts = [("p", "abcd")]
    assert reward_values(rewards.holistic, texts) == pytest.approx([(4 - 2) / 4])
    assert reward_values(rewards.aspects["completeness"], texts) == pytest.approx([0.3 * (4 - 1) / 2])
    assert np.all(reward_values(rewards.aspects["relevance"], texts) == 4.0)


@pytest.mark.parametrize(("kind", "longest"), [("classifier", 1023), ("UltraRM", 2048)])
def test_the_question_survives_before_the_holistic_reward_and_what_is_cut_is_counted(kind, longest, tmp_path):
    """Its model was made for so many tokens (letters here): the last passages go, never the question."""
    folder = tmp_path / "holistic"
    if kind == "UltraRM":
        save_ultra(folder)
        make_tokenizer(ends=False).save_pretrained(folder)
    else:
        save_classifier(folder, task="SequenceClassification")
    reward = _holistic(ModelSettings(str(folder), device="cpu"), Budgets(prompt=1800, response=300))
    assert (reward.encoding.max_tokens, reward.encoding.cut) == (longest, "end")
    question = "question: who? context: "
    long, short = question + "a" * 2000, question + "b" * 100
    reward([Sample(long, "nobody"), Sample(short, "nobody")])
    assert (reward.cut.texts, reward.cut.prompts_cut, reward.cut.responses_cut) == (2, 1, 0)
    assert "1 prompts (50.0%) lost their end" in str(reward.cut)
    assert _cuts({"holistic": reward}, 2) == {
        "share of prompts that lost passages before the holistic reward": 0.5
    }
    read = encode([(long, "nobody")], reward.tokenizer, reward.encoding)[0]
    text = reward.tokenizer.decode(read.tokens)
    assert question in text and "nobody" in text
    reward([Sample(short, "nobody")])
    assert reward.cut is None


def test_a_holistic_reward_of_the_workbench_reads_as_it_was_trained(tmp_path, monkeypatch):
    folder = save_classifier(tmp_path / "own", task="SequenceClassification")
    save_encoding(trained := EncodingSettings("Q {prompt}", max_tokens=64, max_prompt_tokens=32), folder)
    assert _holistic(ModelSettings(str(folder), device="cpu"), Budgets()).encoding == replace(
        trained, chat=False
    )


def test_aspects_are_a_parameter():
    task = replace(question_task(parameters()), aspects=("relevance", "completeness"))
    assert task.aspects == ("relevance", "completeness")
    with pytest.raises(SettingsError, match="aspects style, relevance"):
        replace(task, aspects=("style", "relevance"))
    with pytest.raises(SettingsError, match="two or more of factuality, relevance, completeness"):
        replace(task, aspects=("relevance", "relevance"))


def test_a_holistic_reward_is_trained_from_the_rows_own_preferences(tmp_path, monkeypatch):
    task = question_task(
        parameters(holistic="preferences:causal", aspect_steps=3, lora_layers=2, pair_learning_rate=2e-4)
    )
    assert (task.preferences, task.holistic.name) == (True, "causal")
    assert not question_task(parameters()).preferences
    seen = {}

    def train(model, tokenizer, pairs, settings, *, folder, lora):
        seen.update(model=model, pairs=pairs, settings=settings, folder=folder, lora=lora)

    monkeypatch.setattr("workbench.training.train.train_reward_model", train)
    monkeypatch.setattr(questions, "load_tokenizer", lambda model: None)
    rows = tmp_path / "rows.json"
    given = [{**feedback(0), "preference": [1, 0, 0, 0, 0, 2]}, feedback(1)]
    given[0] |= {f"prediction {place}": f"answer {place}." for place in (1, 2, 3, 4)}
    rows.write_text(json.dumps(given))
    found = questions._trained_holistic(task, questions.load_qa_feedback(rows), tmp_path)
    assert [(pair.chosen, pair.rejected) for pair in seen["pairs"]] == [
        ("answer 1.", "answer 2."),
        ("answer 4.", "answer 3."),
    ]
    assert (seen["settings"].alpha, seen["settings"].max_steps, seen["lora"].layers) == (0.0, 3, 2)
    assert seen["settings"].learning_rate == 2e-4
    assert found.name == str((tmp_path / "holistic").resolve())


def test_held_out_rows_are_none_that_a_reward_learns_from(tmp_path):
    found = rows_of(question_task(parameters(data=write(tmp_path / "rows.json", 6), test_prompts=2)))
    learned, held = ([row.question for row in part] for part in (found.feedback, found.held_out))
    assert held == ["question 4?", "question 5?"]
    assert (len(learned), set(learned) & set(held)) == (4, set())
    for name, count in (("train_feedback.json", 5), ("dev_feedback.json", 3)):
        write(tmp_path / name, count)
    found = rows_of(question_task(parameters(data=str(tmp_path), test_prompts=2)))
    assert (len(found.feedback), [row.question for row in found.held_out]) == (
        5,
        ["question 0?", "question 1?"],
    )
