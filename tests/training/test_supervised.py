"""Fine-tuning on answers that people wrote, with both kinds of policy."""

import json
from dataclasses import replace

import pytest
import torch
from tiny_policies import KINDS, language_model, tokenizer

from workbench.core.errors import DataError, RunError, SettingsError
from workbench.models.loading import ModelSettings
from workbench.training.ppo import ValuedPolicy
from workbench.training.ppo.prompts import collate_prompts, encode_prompts
from workbench.training.ppo.sampling import sample
from workbench.training.ppo.settings import PPOSettings
from workbench.training.session import Session
from workbench.training.supervised import SupervisedSettings, fine_tune

EXAMPLES = [("a b c", "c b a ."), ("d", "a ."), ("e f", "f e .")]
SETTINGS = SupervisedSettings(
    epochs=50, batch=3, micro_batch=2, learning_rate=1e-2, max_prompt_tokens=8, max_new_tokens=6
)


def start(folder, kind):
    language_model(kind, spread=0.3).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return ModelSettings(str(folder), device="cpu", dtype="float32")


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_the_answers_by_heart_and_ends_them(tmp_path, kind):
    model = start(tmp_path / "start", kind)
    place = fine_tune(model, tokenizer(), EXAMPLES, SETTINGS, folder=tmp_path / "tuned")
    policy = ValuedPolicy.load(ModelSettings(str(place), device="cpu")).eval()
    budgets = PPOSettings(max_prompt_tokens=8, max_new_tokens=6)
    prompts = encode_prompts([prompt for prompt, _ in EXAMPLES], tokenizer(), policy, budgets)
    uniform = torch.zeros(3, 6, dtype=torch.float64)
    written = sample(policy, collate_prompts(prompts), uniform, stop_tokens=(1,), greedy=True)
    texts = tokenizer().batch_decode(written.ids, skip_special_tokens=True)
    assert texts == [answer for _, answer in EXAMPLES]
    assert written.mask.sum(1).tolist() == [5, 3, 4]  # the end token is learned too
    files = {file: file.stat().st_mtime_ns for file in place.iterdir()}
    assert fine_tune(model, tokenizer(), EXAMPLES, SETTINGS, folder=place) == place
    assert {file: file.stat().st_mtime_ns for file in place.iterdir()} == files
    with pytest.raises(RunError, match="other settings or examples"):
        fine_tune(model, tokenizer(), EXAMPLES[:1], SETTINGS, folder=place)


class Killed(Exception):
    pass


def test_an_interrupted_fine_tuning_ends_with_the_same_weights(tmp_path, monkeypatch):
    model = start(tmp_path / "start", KINDS[0])
    settings = replace(SETTINGS, epochs=3, batch=2, checkpoint_steps=2)  # 6 steps
    whole = fine_tune(model, tokenizer(), EXAMPLES, settings, folder=tmp_path / "whole")
    write = Session.write

    def killed(self, row):
        if row["step"] == 4:
            raise Killed
        write(self, row)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Session, "write", killed)
        fine_tune(model, tokenizer(), EXAMPLES, settings, folder=tmp_path / "killed")
    other = start(tmp_path / "other", KINDS[0])
    with pytest.raises(SettingsError, match="base was"):
        fine_tune(other, tokenizer(), EXAMPLES, settings, folder=tmp_path / "killed")
    again = fine_tune(model, tokenizer(), EXAMPLES, settings, folder=tmp_path / "killed")
    weights = [
        ValuedPolicy.load(ModelSettings(str(place), device="cpu")).state_dict() for place in (whole, again)
    ]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0] if "value" not in name)
    log = [json.loads(line) for line in (again / "training_log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log] == [1, 2, 3, 4, 5, 6]
    assert log == [json.loads(line) for line in (whole / "training_log.jsonl").read_text().splitlines()]
    assert not (again / "checkpoints").exists()


def test_without_examples_there_is_nothing_to_learn(tmp_path):
    with pytest.raises(DataError, match="no examples"):
        fine_tune(ModelSettings("nothing"), tokenizer(), [], folder=tmp_path)


def test_all_faults_are_named_at_once():
    with pytest.raises(SettingsError, match=r"epochs 0.*learning_rate 0"):
        SupervisedSettings(epochs=0, learning_rate=0)


def test_a_schedule_goes_on_where_an_interruption_left_it(tmp_path, monkeypatch):
    """The cosine ends at 0 after warming up, and a training in two parts has the weights of one in a piece."""
    model = start(tmp_path / "start", KINDS[0])
    settings = replace(
        SETTINGS, epochs=3, batch=2, checkpoint_steps=2, schedule="cosine", warmup=0.3, weight_decay=0.05
    )
    whole = fine_tune(model, tokenizer(), EXAMPLES, settings, folder=tmp_path / "whole")
    write = Session.write

    def killed(self, row):
        if row["step"] == 4:
            raise Killed
        write(self, row)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Session, "write", killed)
        fine_tune(model, tokenizer(), EXAMPLES, settings, folder=tmp_path / "killed")
    again = fine_tune(model, tokenizer(), EXAMPLES, settings, folder=tmp_path / "killed")
    one, other = (ValuedPolicy.load(ModelSettings(str(place), device="cpu")) for place in (whole, again))
    assert all(
        torch.equal(a, b) for a, b in zip(one.policy.parameters(), other.policy.parameters(), strict=True)
    )
    constant = fine_tune(
        model, tokenizer(), EXAMPLES, replace(settings, schedule="constant"), folder=tmp_path / "constant"
    )
    assert json.loads((constant / "supervised.json").read_text())["settings"].get("schedule") is None
    with pytest.raises(SettingsError, match="schedule 'step'"):
        SupervisedSettings(schedule="step")
