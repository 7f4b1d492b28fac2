"""Each large profile's own parameter file is run to its end on tiny models, its sizes cut and nothing else changed.

What a run cuts stands in one table for each profile, and what it keeps in the line below: a parameter of the YAML
that is in neither fails the test. Ten minutes in all: `.ci/run` asks for them by their mark, `-m profiles`.
"""

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from profile_runs import Profile, run_profile
from qa_feedback_files import write_folder

PONYC = 'cp "$(dirname "$0")/ring" program'  # no chmod: programs may not change modes
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux"),
]

HAF_RM_PAPER = Profile(
    "haf_rm",
    "paper",
    models={"mistralai/Mistral-7B-Instruct-v0.2": "MistralForCausalLM"},
    cut={
        "seeds": 1, "alphas": "0.2", "max_steps": 1, "test_prompts": 3, "samples": 2,
        "judged_prompts": 1, "max_new_tokens": 4, "lora_rank": 2, "rl_steps": 1, "rl_prompts": 2,
        "rl_max_new_tokens": 4,
    },
    kept="""profile data model quantize device lora poolings mixed grm regimes quantized_seeds tuning learning_rate
        keep_best whole_pairs pool_prompts judge template rl_seeds rl_batch rl_learning_rate rl_kl rl_kl_target
        keep_models micro_batch workers""",
)  # fmt: skip
HAF_RM_LAPTOP = Profile(
    "haf_rm",
    "laptop",
    models={"HuggingFaceTB/SmolLM2-135M-Instruct": "LlamaForCausalLM"},
    cut={
        "regimes": "8", "seeds": 1, "test_prompts": 3, "lora_layers": 1, "rl_steps": 1, "rl_batch": 2,
        "rl_prompts": 2, "rl_max_new_tokens": 4, "workers": 1,
    },
    kept="""profile data model device dtype lora alphas poolings quantized_seeds tuning learning_rate template
        max_tokens micro_batch rl_seeds rl_learning_rate rl_kl rl_kl_target keep_models""",
)  # fmt: skip
ALARM_PAPER = Profile(
    "alarm",
    "paper",
    models={
        "google-t5/t5-large": "T5ForConditionalGeneration",
        "openbmb/UltraRM-13b": "LlamaForSequenceClassification",
        "allenai/longformer-base-4096": "LongformerForMaskedLM",
        "Qwen/Qwen2.5-0.5B": "Qwen2ForCausalLM",
        "google/mt5-base": "MT5ForConditionalGeneration",
    },
    cut={
        "supervised": 4, "aspect_steps": 1, "seeds": 1, "steps": 1, "max_new_tokens": 6, "pool_prompts": 2,
        "test_prompts": 2,
        "translation_grammar": False,  # LanguageTool is a download
        "translation_supervised": 4, "translation_prompts": 2, "translation_seeds": 1, "translation_steps": 1,
    },
    kept="""profile data policy lora holistic quantize aspect_model aspect_tokens completeness_model device
        sweep_seeds ablations weights tuning batch judge decoding translation translation_policy keep_models
        workers""",
)  # fmt: skip
ALARM_LAPTOP = Profile(
    "alarm",
    "laptop",
    models={
        "HuggingFaceTB/SmolLM2-135M-Instruct": "LlamaForCausalLM",
        "distilbert/distilroberta-base": "RobertaForMaskedLM",
    },
    cut={
        "lora_layers": 1, "aspect_steps": 1, "steps": 1, "batch": 4, "max_new_tokens": 6, "pool_prompts": 2,
        "test_prompts": 2, "translation_steps": 1, "pairs": 24, "workers": 1,
    },
    kept="""profile data policy chat lora holistic aspect_model span_learning_rate completeness_model
        pair_learning_rate device dtype seeds sweep_seeds arms weights tuning keep_models""",
)  # fmt: skip
DS1000_PAPER = Profile(
    "ds1000",
    "paper",
    models={
        "codellama/CodeLlama-34b-Python-hf": "LlamaForCausalLM",
        "codellama/CodeLlama-13b-hf": "LlamaForCausalLM",
    },
    cut={
        "samples": 2, "max_new_tokens": 6,
        "runtime": "main",  # ds1000's own is a download of 3 GB
    },
    kept="profile problems generators quantize workers timeout_s",
)  # fmt: skip
DS1000_LAPTOP = Profile(
    "ds1000",
    "laptop",
    models={"Qwen/Qwen2.5-Coder-0.5B-Instruct": "Qwen2ForCausalLM"},
    cut={"families": 1, "max_new_tokens": 6, "runtime": "main"},
    kept="profile problems generators temperature batch_size dtype workers timeout_s",
)
ARKS_PAPER = Profile(
    "arks",
    "paper",
    models={
        "codellama/CodeLlama-34b-Instruct-hf": "LlamaForCausalLM",
        "hkunlp/instructor-large": "T5EncoderModel",
    },
    cut={"problems": 1, "rounds": 2, "max_new_tokens": 6},
    kept="profile data models quantize retriever encoder snippets processes timeout_s",
)
ARKS_LAPTOP = Profile(
    "arks",
    "laptop",
    models={"Qwen/Qwen2.5-Coder-0.5B-Instruct": "Qwen2ForCausalLM"},
    cut={"problems": 2, "rounds": 2, "max_new_tokens": 6},
    kept="profile data models dtype processes timeout_s",
)
ALL = [
    ALARM_LAPTOP, ALARM_PAPER, ARKS_LAPTOP, ARKS_PAPER, DS1000_LAPTOP, DS1000_PAPER, HAF_RM_LAPTOP, HAF_RM_PAPER,
]  # fmt: skip


@pytest.mark.parametrize("profile", ALL, ids=lambda one: f"{one.paper} {one.name}")
def test_every_parameter_of_the_file_is_cut_or_kept(profile):
    assert not profile.untold


@pytest.fixture
def asked_for(request):
    """Skips where nobody asked for the mark."""
    if "profiles" not in request.config.option.markexpr:
        pytest.skip("minutes each: asked for by -m profiles")


def rows_of(found, table):
    """Return the rows of a table of results.json by the names of its columns."""
    told = found["tables"][table]
    return [dict(zip(told["columns"], row, strict=True)) for row in told["rows"]]


@pytest.mark.profiles
@pytest.mark.usefixtures("asked_for")
@pytest.mark.parametrize("profile", [HAF_RM_LAPTOP, HAF_RM_PAPER], ids=lambda one: one.name)
def test_haf_rm(profile, tmp_path):
    found = run_profile(profile, tmp_path)
    trained = {row["trained on"]: row for row in rows_of(found, "training pairs")}
    sets = {"hh-harmless", "hh-helpful"}
    if profile is HAF_RM_PAPER:
        sets |= {"beavertails-safe", "alpaca-farm", "chatbot-arena", "all sets"}
        assert all(
            row["pairs there are"] == row["pairs trained on"] for row in trained.values()
        )  # the regime is larger
        assert {row["test set"] for row in rows_of(found, "policies-judged")} >= sets - {"all sets"}
        assert "GRM" in str(found["tables"]["accuracy"]["rows"])
    assert set(trained) == sets
    assert found["numbers"]["policies trained"] == 2 * len(sets)
    assert list((tmp_path / "run" / "haf_rm" / "models").iterdir())


@pytest.mark.profiles
@pytest.mark.usefixtures("asked_for")
@pytest.mark.parametrize("profile", [ALARM_LAPTOP, ALARM_PAPER], ids=lambda one: one.name)
def test_alarm(profile, tmp_path):
    write_folder(tmp_path / "FineGrainedRLHF" / "tasks" / "qa_feedback" / "data")
    found = run_profile(profile, tmp_path)
    assert {row["aspect"] for row in rows_of(found, "selection")} == {
        "factuality",
        "relevance",
        "completeness",
    }
    arms = {row["arm"] for row in rows_of(found, "rewards")}
    assert {"before", "holistic_only", "weighted_sum", "hierarchical"} <= arms
    assert {"holistic_only", "hierarchical"} <= {row["arm"] for row in rows_of(found, "translation")}
    if profile is ALARM_PAPER:
        assert {row["aspect"] for row in rows_of(found, "translation-selection")} == {
            "readability",
            "confidence",
        }
        assert any("all aspects" in arm for arm in arms) and any("unshaped" in arm for arm in arms)
        for judged in ("wins-judge", "translation-wins-judge"):
            assert {row["refused"] for row in rows_of(found, judged)} == {0}


@pytest.mark.profiles
@pytest.mark.usefixtures("asked_for")
@pytest.mark.parametrize(
    ("profile", "samples"), [(DS1000_LAPTOP, 1), (DS1000_PAPER, 2)], ids=["laptop", "paper"]
)
def test_ds1000(profile, samples, tmp_path):
    found = run_profile(profile, tmp_path)
    problems = 3 if profile is DS1000_LAPTOP else 6
    (row,) = [row for row in rows_of(found, "by library") if row["library"] == "all"]
    models = [name for name in row if name.startswith("hf:")]
    assert row["problems"] == problems and row["reference"] == 1.0 and len(models) == 3
    answered = {row["generator"]: row["answers"] for row in rows_of(found, "vacuous passes")}
    assert {answered[name] for name in models} == {samples * problems}


@pytest.mark.profiles
@pytest.mark.usefixtures("asked_for")
def test_arks_laptop(tmp_path):
    found = run_profile(ARKS_LAPTOP, tmp_path)
    settings = {row["setting"]: row for row in rows_of(found, "by setting")}
    assert len(settings) == len(rows_of(found, "settings"))
    assert settings["right documents, loop"]["recall"] == 1.0


@pytest.mark.profiles
@pytest.mark.usefixtures("asked_for")
def test_arks_paper(tmp_path):
    """With packages of the benchmark's names, and tools that print a program instead of running it."""
    with (
        tempfile.TemporaryDirectory() as place
    ):  # pytest's own is shut to the user that programs are below root
        tools, packages = Path(place) / "tools" / "bin", Path(place) / "packages"
        Path(place).chmod(0o755)
        for name, does in (("ring", "cat *.ring *.pony 2>/dev/null; true"), ("ponyc", PONYC)):
            file = tools / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"#!/bin/sh\n{does}\n")
            file.chmod(0o755)
        absent = [name for name in ("newScience", "jumptensor", "tensorflow") if find_spec(name) is None]
        for name in absent:
            (packages / name).mkdir(parents=True)
            (packages / name / "__init__.py").write_text("")
        path = f"{tools}{os.pathsep}{os.environ['PATH']}"
        found = run_profile(ARKS_PAPER, tmp_path, PATH=path, PYTHONPATH=str(packages))
    assert {row["library"] for row in rows_of(found, "by task")} == {"ScipyM", "TensorflowM", "Ring", "Pony"}
    (first, *_) = rows_of(found, "by setting")
    assert first["ran"] == 0.5  # Ring's and Pony's do whatever they are told
