"""`workbench doctor --model`, on a tiny model like Gemma with its template, and on one of no template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import transformers
from click.testing import CliRunner
from tiny_templates import CHATML, GEMMA, templated

from workbench.benchmarks.families import Family, tiny_of
from workbench.cli.main import cli
from workbench.doctor import Check, model_checks
from workbench.training import model_checks as tried


def save(folder: Path, template: str, family: str = "gemma3_text", **changes: Any) -> str:
    model = tiny_of(Family(family))
    model.resize_token_embeddings(len(templated(template)), mean_resizing=False)
    model.generation_config = transformers.GenerationConfig(eos_token_id=[2, 6])
    model.save_pretrained(folder)
    templated(template).save_pretrained(folder)
    return str(folder)


def found(name: str) -> dict[str, Check]:
    return {check.name: check for check in model_checks(name, device="cpu")}


def test_a_model_like_gemma_is_told_line_by_line(tmp_path: Path) -> None:
    checks = found(save(tmp_path, GEMMA))
    assert list(checks)[:6] == [
        "model", "memory of the model", "tokenizer", "chat template", "stop tokens", "generation settings",
    ]  # fmt: skip
    assert checks["generation settings"].detail == "none that change what is sampled"
    assert set(tried.CHECKS) < set(checks)
    assert checks["model"].detail.startswith("Gemma3ForCausalLM")
    template = checks["chat template"]
    assert template.state == "note" and r"a turn ends with '<end_of_turn>\n'" in template.detail
    assert (
        "refuses a system's turn (the chat template refuses it: System role not supported)" in template.detail
    )
    assert checks["stop tokens"].detail == "'</s>' (2), '<end_of_turn>' (6)"
    assert "mlp.down_proj" in checks["LoRA"].detail
    assert {checks[name].state for name in tried.CHECKS} <= {"ok", "note"}


def test_dates_and_generation_settings_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tried, "check_language_model", lambda lm, settings: iter(()))
    name = save(tmp_path, "{{ strftime_now('%d %b %Y') }}" + CHATML)
    transformers.GenerationConfig(
        repetition_penalty=1.1, suppress_tokens=[7], eos_token_id=2
    ).save_pretrained(name)
    checks = found(name)
    assert "asks for today's date, and is told 26 July 2024" in checks["chat template"].detail
    assert checks["generation settings"].detail == (
        "PPO never samples 7; not used, texts are sampled without: repetition_penalty 1.1"
    )


def test_the_command_ends_with_what_the_lines_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = save(tmp_path, CHATML)
    outcomes = [
        tried.Outcome("batches", "passes", "0 apart"),
        tried.Outcome("merge", "refused", "no adapters", "set target_modules"),
    ]
    monkeypatch.setattr(tried, "check_language_model", lambda lm, settings: iter(outcomes))
    said = CliRunner().invoke(cli, ["doctor", "--model", name, "--device", "cpu"])
    assert said.exit_code == 0, said.output
    assert "takes system's and tools' turns" in " ".join(said.output.split())
    text = " ".join(said.output.split())
    assert "note merge refused: no adapters" in text and "fix: set target_modules" in text
    assert "are those of each text alone (0 apart)" in text and "all else is right with this model" in text
    outcomes.append(tried.Outcome("PPO", "FAILS", "2 off"))
    said = CliRunner().invoke(cli, ["doctor", "--model", name, "--device", "cpu"])
    assert said.exit_code == 1 and "do not rely on it" in said.output


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    checks = found(str(tmp_path / "nothing"))
    assert list(checks) == ["model"] and checks["model"].state == "broken"
