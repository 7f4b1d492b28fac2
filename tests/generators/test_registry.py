"""Settings and specifications of generators."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ds1000_rows import plain_problem

from workbench.core.errors import DataError, SettingsError
from workbench.generators import GENERATOR_KINDS, GenerationSettings, make_generator


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("reference", "ReferenceGenerator"),
        ("memorizer", "MemorizerGenerator"),
        ("hf:lab/model:v1", "ModelGenerator"),
        ("openai:gpt", "ModelGenerator"),
    ],
)
def test_a_specification_makes_its_generator(spec: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    generator = make_generator(spec, problems=[plain_problem()])
    assert type(generator).__name__ == kind
    assert generator.name == spec
    assert generator.fingerprint


def test_recorded_answers_are_checked_when_named(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": 7, "code": ""}\n')
    assert make_generator(f"recorded:{path}").name == f"recorded:{path}"
    with pytest.raises(DataError, match="unknown problem_id 7"):
        make_generator(f"recorded:{path}", problems=[plain_problem(0)])


@pytest.mark.parametrize(
    "spec", ["", "gpt-4", "refrence", "hf", "hf:", "recorded:", "reference:", "memorizer:x"]
)
def test_an_unknown_or_incomplete_specification_lists_the_kinds(spec: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_generator(spec)
    assert repr(spec) in caught.value.got
    assert all(kind.example in caught.value.needed for kind in GENERATOR_KINDS)


def test_all_faults_of_settings_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        GenerationSettings(
            style="talk", temperature=-1, top_p=0, max_new_tokens=0, batch_size=True, quantize="2bit"
        )
    for name in (
        "style 'talk'",
        "temperature -1",
        "top_p 0",
        "max_new_tokens 0",
        "batch_size True",
        "quantize '2bit'",
    ):
        assert name in caught.value.got
    assert "completion, insertion, chat" in caught.value.needed


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": float("nan")},
        {"top_p": 1.1},
        {"seed": 1.5},
        {"retries": -1},
        {"concurrency": 0},
        {"timeout_s": 0},
        {"dtype": "int4"},
        {"stop": "</code>"},
        {"stop": ("",)},
    ],
)
def test_each_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        GenerationSettings(**wrong)  # type: ignore[arg-type]


def test_naming_generators_imports_none_of_the_heavy_libraries() -> None:
    program = "import sys, workbench.generators, workbench.datasets, workbench.core.statistics\n"
    program += "print([m for m in ('torch', 'transformers', 'datasets', 'sklearn', 'scipy', 'openai')"
    program += " if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_model_with_a_style_of_its_own_is_named_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    plain, chat = GenerationSettings(), GenerationSettings(style="chat")
    for kind in ("hf", "openai"):
        styled = make_generator(f"{kind}:lab/model@chat", plain)
        assert styled.name == f"{kind}:lab/model@chat"
        assert styled.fingerprint == make_generator(f"{kind}:lab/model", chat).fingerprint


@pytest.mark.parametrize("spec", ["hf:lab/model@talk", "hf:@chat", "hf:lab/model@"])
def test_what_is_no_style_belongs_to_the_name(spec: str) -> None:
    assert make_generator(spec).name == spec


def test_a_folder_of_the_whole_name_comes_before_a_style(tmp_path: Path) -> None:
    folder = tmp_path / "model@chat"
    folder.mkdir()
    assert make_generator(f"hf:{folder}").name == f"hf:{folder}"
