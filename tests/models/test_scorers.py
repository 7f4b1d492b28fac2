"""Reward models made elsewhere: adapters with a trained head, UltraRM, classifiers; and what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, TaskType, get_peft_model
from tiny_classifiers import SIZES, make_tokenizer, save_ultra

from workbench.core.errors import ModelError
from workbench.models import ModelSettings, load_scorer, load_tokenizer
from workbench.preferences.scoring import PreferenceScoring, open_scorer
from workbench.rewards import Sample
from workbench.rewards.judge_by_name import make_judge
from workbench.rewards.sequence_model import SequenceModelReward

FAMILIES = {
    "Llama": ("q_proj", "down_proj"),
    "Qwen2": ("up_proj",),
    "GPTNeoX": ("dense_h_to_4h",),
    "Roberta": ("query",),
}
IDS = torch.tensor([[5, 6, 7, 8, 9], [5, 9, 4, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool()


def base(folder: Path, family: str) -> Path:
    tokenizer = make_tokenizer(ends=False)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    heads = {"num_key_value_heads": 2} if family == "Qwen2" else {}
    config = getattr(transformers, f"{family}Config")(**SIZES, vocab_size=len(tokenizer), **heads)
    kind = transformers.AutoModelForMaskedLM if family == "Roberta" else transformers.AutoModelForCausalLM
    kind.from_config(config).save_pretrained(folder)
    return folder


def adapters(folder: Path, family: str, *, labels: int = 1, rows: int = 0, tokenizer: bool = True) -> Any:
    """Save what TRL's reward training with LoRA leaves; return the classifier as it was trained."""
    place = base(folder / "base", family)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(place, num_labels=labels)
    model.config.pad_token_id = 0
    if rows:
        model.resize_token_embeddings(model.config.vocab_size + rows)
    settings = LoraConfig(
        task_type=TaskType.SEQ_CLS, r=4, target_modules=list(FAMILIES[family]), lora_dropout=0.1
    )
    adapted = get_peft_model(model, settings)
    torch.manual_seed(1)
    with torch.no_grad():
        for one in adapted.parameters():
            if one.requires_grad:
                one.normal_(std=0.3)
    adapted.save_pretrained(folder / "rm")
    if tokenizer:
        make_tokenizer(ends=False).save_pretrained(folder / "rm")
    return adapted.eval()


def settings_of(folder: Path) -> ModelSettings:
    return ModelSettings(str(folder), device="cpu")


@torch.no_grad()
@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_adapters_with_their_head_score_as_they_were_trained(tmp_path: Path, family: str, rows: int) -> None:
    trained = adapters(tmp_path, family, rows=rows)
    scorer = load_scorer(settings_of(tmp_path / "rm"))
    expected = trained(IDS, attention_mask=MASK.long()).logits[:, 0]
    torch.testing.assert_close(scorer(IDS, MASK).scores, expected)
    assert expected.abs().min() > 0.01 and str(tmp_path / "rm") in scorer.summary


def test_they_open_wherever_a_reward_model_is_taken(tmp_path: Path) -> None:
    trained = adapters(tmp_path, "Llama", tokenizer=False)
    folder = str(tmp_path / "rm")
    samples = [Sample("a", "cow"), Sample("a", "grass and hay")]
    reward = SequenceModelReward.load(ModelSettings(folder, device="cpu"))
    scores = [spans[0].value for spans in reward(samples)]
    assert make_judge(f"reward:{folder}", device="cpu").name == f"reward:{folder}"
    scorer, lacks = open_scorer(PreferenceScoring(model=folder, data=("none",), device="cpu"))
    assert lacks
    encoded = scorer.encode([(one.prompt, one.response) for one in samples])
    assert scorer.measure(encoded)["rewards"].tolist() == pytest.approx(scores, rel=1e-5)
    with torch.no_grad():
        ids = torch.tensor(encoded.texts[0].tokens[None], dtype=torch.int64)
        assert trained(ids).logits[0, 0].item() == pytest.approx(scores[0], rel=1e-4)


def test_a_base_that_is_gone_is_named(tmp_path: Path) -> None:
    adapters(tmp_path, "Llama")
    (tmp_path / "base").rename(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"the base of .*rm") as caught:
        load_scorer(settings_of(tmp_path / "rm"))
    assert "base_model_name_or_path" in caught.value.fix
    config = tmp_path / "rm" / "adapter_config.json"
    config.write_text(
        json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": str(tmp_path / "elsewhere")})
    )
    load_scorer(settings_of(tmp_path / "rm"))


def test_adapters_without_a_trained_head_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    adapters(tmp_path, "Llama")
    file = tmp_path / "rm" / "adapter_model.safetensors"
    save_file({name: one for name, one in load_file(file).items() if "lora_" in name}, file)
    with pytest.raises(ModelError, match="adapters without a score head"):
        load_scorer(settings_of(tmp_path / "rm"))


def test_adapters_of_a_language_model_say_how_to_fold_them_in(tmp_path: Path) -> None:
    place = base(tmp_path / "base", "Llama")
    model = transformers.AutoModelForCausalLM.from_pretrained(place)
    adapted = get_peft_model(model, LoraConfig(task_type=TaskType.CAUSAL_LM, target_modules=["q_proj"]))
    adapted.save_pretrained(tmp_path / "policy")
    with pytest.raises(ModelError, match="adapters of the task CAUSAL_LM") as caught:
        load_scorer(settings_of(tmp_path / "policy"))
    assert "merge_and_unload" in caught.value.fix


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("made", ["classifier", "adapters"])
def test_a_classifier_of_several_labels_says_what_to_do(tmp_path: Path, labels: int, made: str) -> None:
    if made == "adapters":
        adapters(tmp_path, "Llama", labels=labels)
    else:
        place = base(tmp_path / "base", "Llama")
        model = transformers.AutoModelForSequenceClassification.from_pretrained(place, num_labels=labels)
        model.save_pretrained(tmp_path / "rm")
    with pytest.raises(ModelError, match=f"has {labels} labels") as caught:
        load_scorer(settings_of(tmp_path / "rm"))
    assert "num_labels=1" in caught.value.fix and "OracleReward" in caught.value.fix


def test_the_tokenizer_of_adapters_saved_without_one_is_their_bases(tmp_path: Path) -> None:
    adapters(tmp_path, "Llama", tokenizer=False)
    assert load_tokenizer(settings_of(tmp_path / "rm")).get_vocab() == make_tokenizer(ends=False).get_vocab()


def test_ultra_is_scored_as_a_reward_model_not_as_a_policy(tmp_path: Path) -> None:
    ids, scores = save_ultra(tmp_path)
    make_tokenizer(ends=False).save_pretrained(tmp_path)
    scorer, _ = open_scorer(PreferenceScoring(model=str(tmp_path), data=("none",), device="cpu"))
    found = scorer.model(ids, torch.ones_like(ids).bool())
    torch.testing.assert_close(found.scores, scores)
    assert found.token_logps is None
