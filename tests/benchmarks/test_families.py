"""The family grid on a sample: tiny models by a general rule, each check right, refused or wrong."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from click.testing import CliRunner

from workbench.benchmarks import families
from workbench.benchmarks.families import Family, FamilyRow, chosen_families, family_table, try_family
from workbench.benchmarks.tiny_configs import tiny_configs
from workbench.cli.main import cli
from workbench.core.errors import SettingsError
from workbench.training.model_checks import CHECKS, Outcome
from workbench.training.model_trial import ModelTrial


def statuses(row: FamilyRow) -> dict[str, str]:
    assert not row.unbuilt
    return {outcome.check: outcome.status for outcome in row.outcomes}


def test_every_check_passes_for_the_usual_family() -> None:
    assert statuses(try_family(Family("llama"))) == dict.fromkeys(CHECKS, "passes")


@pytest.mark.parametrize(
    "family",
    [Family("qwen3_moe"), Family("gpt_neo"), Family("mamba2"), Family("bart", encodes=True)],
    ids=str,
)
def test_nothing_is_wrong_in_silence(family: Family) -> None:
    row = try_family(family)
    assert len(row.outcomes) == len(CHECKS) and not row.fails, row
    assert all(outcome.said for outcome in row.outcomes if outcome.status == "refused")


def test_a_way_that_is_wrong_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.models import reward_model

    monkeypatch.setattr(reward_model, "positions", lambda mask: mask.long().cumsum(1) * 0)
    found = {outcome.check: outcome for outcome in try_family(Family("llama")).outcomes}
    assert found["batches"].status == "FAILS" and "off" in found["batches"].said


def test_kinds_of_layers_are_kept_and_numbers_shrink() -> None:
    from transformers import DeepseekV3Config, Gemma3TextConfig, Qwen3NextConfig

    hybrid = next(tiny_configs(Qwen3NextConfig))
    assert hybrid.layer_types == ["linear_attention", "full_attention"] and hybrid.num_hidden_layers == 2
    windowed = next(tiny_configs(Gemma3TextConfig))
    assert set(windowed.layer_types) == {"sliding_attention", "full_attention"}
    assert windowed.sliding_window == 16 and windowed.vocab_size == 128
    latent = next(tiny_configs(DeepseekV3Config))
    assert latent.num_key_value_heads == latent.num_attention_heads == 4 and latent.n_routed_experts == 4


def test_texts_avoid_tokens_that_mean_something() -> None:
    config: Any = next(tiny_configs(__import__("transformers").LlamaConfig))
    from transformers import LlamaForCausalLM

    from workbench.models import ModelSettings

    trial = ModelTrial(LlamaForCausalLM(config).eval(), ModelSettings("x", device="cpu"))
    assert not {0, 1, 2} & set(torch.cat(trial.texts).tolist())
    assert torch.equal(trial.texts[2][:9], trial.texts[3][:9])  # two responses to one prompt


def test_families_come_from_transformers_and_by_name() -> None:
    assert Family("qwen3") in chosen_families([]) and Family("t5", encodes=True) in chosen_families([])
    assert chosen_families(["bart"]) == [Family("bart"), Family("bart", encodes=True)]
    with pytest.raises(SettingsError, match=r"family 'lama' \(did you mean 'llama'\?\)"):
        chosen_families(["lama"])


def test_the_page_tells_passes_refusals_faults_and_what_was_not_built() -> None:
    good = tuple(Outcome(check, "passes") for check in CHECKS)
    bad = (
        Outcome(CHECKS[0], "FAILS", "2 off"),
        *(Outcome(check, "refused", "FooForCausalLM has no 7") for check in CHECKS[1:]),
    )
    page = family_table(
        [
            FamilyRow(Family("a"), good),
            FamilyRow(Family("b"), bad),
            FamilyRow(Family("c"), unbuilt="no"),
            FamilyRow(Family("d"), broke="killed"),
        ]
    )
    assert "| a | ✓ |" in page and "| b | **✗** | 1 | 1 |" in page
    assert "1. the family has no …" in page and "- b: batches: FAILS (2 off)" in page and "- c: no" in page
    assert "## Wrong\n\n- b: batches: FAILS (2 off)\n- d: killed\n" in page


def test_the_command_tries_each_family_in_a_process_of_its_own(tmp_path: Any) -> None:
    result = CliRunner().invoke(cli, ["bench", "families", "gpt2", "--out", str(tmp_path / "page.md")])
    assert result.exit_code == 0, result.output
    assert f"| gpt2 | {' | '.join('✓' for _ in CHECKS)} |" in (tmp_path / "page.md").read_text()


def test_a_family_whose_process_dies_or_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = families.measure_families([Family("llama")], seconds=0.0)
    assert row.fails and row.broke == "it took longer than 0 s"
