"""notebooks/alarm.ipynb: executed small, in our worlds, and on files with tiny local checkpoints."""

import json

import pytest
from paper_notebooks import results, run, run_file, settings_of, with_examples
from qa_feedback_files import QUESTIONS, feedback_row
from tiny_classifiers import save_classifier
from tiny_model import make_tiny_model
from tiny_policies import language_model, tokenizer

from workbench.papers.alarm.arms import KINDS
from workbench.papers.alarm.aspects import ASPECTS

SMALL = {
    "seeds": 1, "sweep_seeds": 1, "weights": "0.3,1", "steps": 1, "batch": 8, "pairs": 24,
    "pool_prompts": 6, "test_prompts": 4, "translation_seeds": 1, "translation_steps": 1, "workers": 1,
}  # fmt: skip


def test_in_our_worlds_it_finds_all_that_it_promises(tmp_path):
    done = run("alarm", tmp_path / "run", **SMALL)
    assert done.exit_code == 0, done.output
    found = results("alarm", tmp_path / "run")
    # every kind, the hierarchy with four more aspects, and three kinds swept at one more weight
    assert found["numbers"]["policies trained"] == len(KINDS) + len(ASPECTS) - 1 + 3
    assert found["numbers"]["chosen aspect"] in ASPECTS
    assert {row[0] for row in found["tables"]["selection"]["rows"]} == set(ASPECTS)
    assert [row[0] for row in found["tables"]["behaviour"]["rows"]] == ["before", *KINDS]
    assert {
        "curves-rewards",
        "wins-holistic",
        "wins-oracle",
        "frontier-oracle",
        "frontier-holistic",
        "answers",
        "translation-wins-oracle",
    } <= set(found["figures"])
    # one seed decides nothing, and says so
    assert {claim["supported"] for claim in found["claims"]} == {None}
    assert len(found["claims"]) == 3 + 6 + 4
    again = run("alarm", tmp_path / "run", **SMALL)
    assert "finished before, kept" in again.output


@pytest.mark.timeout(600)  # several processes import torch
def test_a_reader_adds_an_arm_an_aspect_and_a_seed_in_a_cell(tmp_path):
    """The notebook's own examples, made live; in two processes, which get the function by its code."""
    file = with_examples("alarm", tmp_path, last="alarm-19")
    done = run_file(file, tmp_path / "run", **SMALL | {"sweep_seeds": 0, "workers": 2})
    assert done.exit_code == 0, done.output
    found = results("alarm", tmp_path / "run")
    assert found["tables"]["known"]["columns"] == ["what", "mean", "seed 0", "seed 7"]
    assert {row[0] for row in found["tables"]["selection"]["rows"]} == {*ASPECTS, "brief"}
    assert [row[0] for row in found["tables"]["behaviour"]["rows"]] == ["before", *KINDS, "low gate"]
    assert "brief" in found["tables"]["rewards"]["columns"]
    # two seeds of every kind, the hierarchy with every aspect, and the arm that was added
    assert found["numbers"]["policies trained"] == 2 * (len(KINDS) + len(ASPECTS) + 1)


def test_the_path_of_the_larger_profiles_on_local_files(tmp_path):
    """Tiny checkpoints and two files stand for what laptop and paper fetch: adapters, aspects trained from rows."""
    rows = [feedback_row(number, question) for number, question in enumerate(QUESTIONS)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    words = "abcdef"
    pairs = [
        " ".join(words[(number // 6**place + place) % 6] for place in range(4)) + " ."
        for number in range(200)
    ]
    told = [{"translation": {"es": one, "en": one[::-1].strip(". ") + " ."}} for one in pairs]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, told)))
    translator = tmp_path / "translator"
    language_model("encoder-decoder").save_pretrained(translator)
    tokenizer().save_pretrained(translator)
    models = {
        "policy": make_tiny_model(tmp_path / "policy"),
        "completeness_model": make_tiny_model(tmp_path / "completeness", context=2048),
        "aspect_model": save_classifier(tmp_path / "aspects", task="MaskedLM"),
        "holistic": save_classifier(tmp_path / "holistic", task="SequenceClassification", family="Llama"),
        "translation_policy": translator,
    }
    done = run(
        "alarm", tmp_path / "run", data=tmp_path / "rows.json", translation=tmp_path / "pairs.jsonl", **models,
        tuning="paper", lora=True, supervised=2, aspect_steps=1, seeds=1, sweep_seeds=0, weights=1, steps=1, batch=4,
        max_prompt_tokens=80, max_new_tokens=6, pool_prompts=2, test_prompts=2, translation_seeds=1,
        translation_supervised=2, translation_steps=1, device="cpu", workers=1,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = results("alarm", tmp_path / "run")
    assert found["numbers"]["policies trained"] == len(KINDS) + 2
    aspects = {row[0] for row in found["tables"]["inconsistency"]["rows"]}
    assert aspects == {"relevance", "factuality", "completeness"}
    known = {row[0]: row[1] for row in found["tables"]["known"]["rows"]}
    assert {f"{name}: held-out segments" for name in ("relevance", "factuality")} <= set(known)
    assert known["holistic: held-out pairs"] > 0 and 0 <= known["holistic: held-out accuracy"] <= 1
    # one step of training teaches nothing
    assert "relevance" in found["numbers"]["rewards that are not shown to beat chance on held-out rows"]
    # nobody knows the truth of these
    assert "wins-oracle" not in found["figures"]
    assert "alarm" not in found["tables"]
    assert "wins-holistic" in found["figures"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"data": "rows.json"}, "-p policy="),
        ({"weights": "much"}, "0.1,0.3,1"),
        ({"weights": "0"}, "different numbers above 0"),
        ({"translation": "europarl"}, "translation_policy"),
        (
            {"holistic": "x", "translation_policy": "x", "translation": "europarl", "quantize": "int3"},
            "none or nf4",
        ),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_before_any_work(parameters, said):

    from workbench.core.errors import SettingsError
    from workbench.papers.alarm.parameters import declare, task_of, translation_of

    given = settings_of("alarm", {"tuning": "paper", **parameters})
    with pytest.raises(SettingsError, match=said):
        declare(given), task_of(given), translation_of(given)
