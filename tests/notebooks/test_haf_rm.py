"""notebooks/haf_rm.ipynb: executed small, in our world, and on a file with a tiny local checkpoint."""

import json
import random

import pytest
from paper_notebooks import own_figures, results, run, run_file, settings_of, with_examples
from tiny_classifiers import save_classifier
from tiny_model import make_tiny_model

SMALL = {
    "regimes": "12,8@0.25", "seeds": 2, "alphas": "0.2", "quantized_seeds": 1, "pool_prompts": 24,
    "test_prompts": 6, "samples": 4, "micro_batch": 8, "workers": 1, "poolings": "last,mean",
    "rl_steps": 2, "rl_batch": 8, "rl_prompts": 3,
}  # fmt: skip


def test_in_our_world_it_finds_all_that_it_promises(tmp_path):
    done = run("haf_rm", tmp_path / "run", **SMALL)
    assert done.exit_code == 0, done.output
    found = results("haf_rm", tmp_path / "run")
    # 2 seeds of 5 arms in the main regime and 2 in the other, and one of NF4 + LoRA
    assert found["numbers"]["trainings"] == 2 * 5 + 2 * 2 + 1
    assert found["numbers"]["settings tried in tuning"] >= 5
    tests = [row[0] for row in found["tables"]["test sets"]["rows"]]
    assert tests == ["familiar", "unseen verbs", "longer"]
    accuracy = {row[0]: row[1:] for row in found["tables"]["accuracy"]["rows"]}
    assert list(accuracy) == [
        "standard", "hybrid 0.2", "DPO", "standard, mean pooling", "hybrid 0.2, mean pooling",
        "hybrid 0.2, NF4 + LoRA",
        "untrained logp, sum", "untrained logp, mean", "longer wins", "shorter wins",
    ]  # fmt: skip
    assert {row[0] for row in found["tables"]["differences"]["rows"]} == {
        "12 pairs, clean",
        "8 pairs, 25% flipped",
    }
    assert set(own_figures(found)) == {
        "training-curves", "accuracy", "differences", "transfer", "best-of-n-familiar", "best-of-n-unseen-verbs",
        "best-of-n-longer", "tokens-policy", "tokens-reward", "calibration", "policies", "policy-curves",
    }  # fmt: skip
    assert [claim["seeds"] for claim in found["claims"]] == [2] * 11
    policies = found["tables"]["policies"]
    assert [row[0] for row in policies["rows"]] == [
        policy for policy in ("before", "standard", "hybrid 0.2") for _ in tests
    ]
    assert {row[policies["columns"].index("prompts")] for row in policies["rows"]} == {3}
    assert found["numbers"]["policies trained"] == 2 * 2
    assert (tmp_path / "run" / "index.html").is_file()
    again = run("haf_rm", tmp_path / "run", **SMALL)
    assert "finished before, kept" in again.output


def test_a_reader_adds_arms_in_a_cell_and_only_they_are_trained(tmp_path):
    """The notebook's own examples, made live."""
    small = SMALL | {"regimes": "12", "quantized_seeds": 0, "poolings": "last", "rl_seeds": 0}
    done = run("haf_rm", tmp_path / "run", **small)
    assert done.exit_code == 0, done.output
    jobs = tmp_path / "run" / "haf_rm" / "steps" / "jobs"
    assert len(list(jobs.iterdir())) == 2 * 3
    done = run_file(with_examples("haf_rm", tmp_path), tmp_path / "run", **small)
    assert done.exit_code == 0, done.output
    assert len(list(jobs.iterdir())) == 2 * 5
    found = results("haf_rm", tmp_path / "run")
    accuracy = {row[0] for row in found["tables"]["accuracy"]["rows"]}
    assert {"standard", "hybrid 0.5", "hybrid, hinge"} <= accuracy
    settings = {row[0]: row[-1] for row in found["tables"]["arms"]["rows"]}
    assert settings["hybrid 0.5"] == settings["hybrid 0.2"]
    assert settings["hybrid, hinge"] == f"{settings['hybrid 0.2']}, policy_loss hinge"


def test_the_path_of_the_larger_profiles_on_local_files(tmp_path):
    """A tiny checkpoint, a classifier that judges and two files stand for what laptop and paper fetch; NF4 + LoRA."""
    model = make_tiny_model(tmp_path / "model")
    judge = save_classifier(tmp_path / "judge", task="SequenceClassification")
    source = random.Random(0)
    for name in ("first", "second"):
        rows = [
            {
                "prompt": f"question {i} of {name}",
                "chosen": f"yes {source.random():.3f}",
                "rejected": f"no {i}",
            }
            for i in range(120)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    files = ",".join(str(tmp_path / f"{name}.jsonl") for name in ("first", "second"))
    done = run(
        "haf_rm", tmp_path / "run", data=files, model=model, quantize="nf4", lora=True, tuning="paper",
        template="paper", regimes=8, seeds=1, alphas="0.2", poolings="last", quantized_seeds=0, test_prompts=5,
        max_tokens=96, micro_batch=2, workers=1, samples=3, judge=f"reward:{judge}", judged_prompts=4,
        max_new_tokens=6,
        rl_seeds=1, rl_steps=1, rl_batch=2, rl_prompts=2, rl_max_new_tokens=4, keep_models=True, grm=True,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = results("haf_rm", tmp_path / "run")
    transfer = found["tables"]["differences"]
    names = [row[transfer["columns"].index("test set")] for row in transfer["rows"]]
    assert "first.jsonl -> second.jsonl" in names
    assert not any(name.startswith("best-of-n") for name in found["figures"])
    judged = [
        dict(zip(found["tables"]["judged"]["columns"], row, strict=True))
        for row in found["tables"]["judged"]["rows"]
    ]
    assert {row["prompts"] for row in judged} == {4}
    assert {row["against"] for row in judged if row["arm"] == "DPO"} == {"standard", "the first answer"}
    assert "judged" in found["figures"]
    names = found["tables"]["policies-judged"]["columns"]
    policies = [dict(zip(names, row, strict=True)) for row in found["tables"]["policies-judged"]["rows"]]
    assert {(row["arm"], row["against"]) for row in policies} == {
        ("hybrid 0.2", "standard"), ("standard", "before"), ("hybrid 0.2", "before"),
    }  # fmt: skip
    # of each data set four reward models, and two policies
    kept = sorted((tmp_path / "run" / "haf_rm" / "models").iterdir())
    assert (len(kept), sum(folder.name.startswith("policy-") for folder in kept)) == (2 * 6, 2 * 2)
    assert all((folder / "training_summary.json").is_file() for folder in kept)
    assert {claim["supported"] for claim in found["claims"]} == {None}  # one seed decides nothing


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"data": "hh-harmless"}, "-p model="),
        ({"quantize": "nf4"}, "lora"),
        ({"alphas": "much"}, "0.05,0.2,1"),
        ({"regimes": "lots"}, "PAIRS@FLIPPED"),
        ({"pool_prompts": 1}, "pool_prompts=600"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_before_any_work(parameters, said):

    from workbench.core.errors import SettingsError
    from workbench.papers.haf_rm.setup import declare

    given = settings_of("haf_rm", {"tuning": "paper", **parameters})
    with pytest.raises(SettingsError, match=said):
        declare(given)
