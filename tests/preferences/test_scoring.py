"""Scoring from names to files; a classifier from elsewhere is read where transformers trained it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_classifiers import SIZES
from tiny_templates import TEMPLATES, templated

from workbench.models import ModelSettings
from workbench.preferences.scoring import PreferenceScoring, score_preferences
from workbench.rewards import Sample
from workbench.rewards.sequence_model import SequenceModelReward

WORDS = ("cow", "hay", "grass", "moo", "barn")
PAIRS = [
    (f"{one}, {other}?", f"The {one}.", f"The {other}!") for one in WORDS for other in WORDS if one != other
]


def classifier(folder: Path, template: str, *, pad: str = "<pad>") -> Any:
    """Save a classifier that plain transformers trained to tell a full stop, at each text's last token."""
    tokenizer = templated(template, pad=pad)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        **SIZES | {"pad_token_id": tokenizer.pad_token_id, "initializer_range": 0.1},
        vocab_size=len(tokenizer),
        num_labels=1,
    )
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    texts = [conversation(tokenizer, prompt, text) for prompt, *both in PAIRS for text in both]
    batch = tokenizer.pad({"input_ids": texts}, return_tensors="pt")
    lengths = torch.tensor([[len(text)] for text in texts])
    batch["attention_mask"] = (torch.arange(int(lengths.max())) < lengths).long()
    for _ in range(20):
        scores = model(**batch).logits[:, 0]
        optimizer.zero_grad()
        torch.nn.functional.softplus(scores[1::2] - scores[::2]).mean().backward()
        optimizer.step()
    model.save_pretrained(folder)
    return model.eval()


def conversation(tokenizer: Any, prompt: str, response: str) -> list[int]:
    parts = "part" in tokenizer.chat_template
    said = [[{"type": "text", "text": text}] if parts else text for text in (prompt, response)]
    turns = [{"role": role, "content": text} for role, text in zip(("user", "assistant"), said, strict=True)]
    ids: list[int] = tokenizer.apply_chat_template(turns, tokenize=True, return_dict=False)
    return ids


@pytest.mark.parametrize(
    ("name", "pad"),
    [
        *((name, "<pad>") for name in TEMPLATES),
        ("ChatML", "<|im_end|>"),
        ("thinks", "</s>"),
    ],  # ends that also pad
)
def test_scores_are_those_of_plain_transformers(tmp_path: Path, name: str, pad: str) -> None:
    model = classifier(tmp_path / "model", TEMPLATES[name], pad=pad)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        plain = [
            float(model(torch.tensor([conversation(tokenizer, prompt, text)])).logits)
            for prompt, *both in PAIRS
            for text in both
        ]
    data = tmp_path / "pairs.jsonl"
    rows = [dict(zip(("prompt", "chosen", "rejected"), pair, strict=True)) for pair in PAIRS]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    scoring = PreferenceScoring(
        str(tmp_path / "model"), (str(data),), split="all", device="cpu", batch_size=7
    )
    scored = score_preferences(scoring, tmp_path / "scored", progress=False)
    assert scored.reports[-1] == "texts: written, and ended, by the tokenizer's chat template"
    rewards = torch.tensor(scored.table.rewards).flatten().float()
    torch.testing.assert_close(rewards, torch.tensor(plain), atol=1e-4, rtol=1e-4)
    right = [chosen > rejected for chosen, rejected in zip(plain[::2], plain[1::2], strict=True)]
    found_right = scored.table.margin("explicit") > 0
    assert found_right.mean() == sum(right) / len(right) > 0.95

    reward = SequenceModelReward.load(ModelSettings(str(tmp_path / "model"), device="cpu"))
    found = [spans[0].value for spans in reward([Sample(prompt, text) for prompt, text, _ in PAIRS])]
    torch.testing.assert_close(torch.tensor(found), torch.tensor(plain[::2]), atol=1e-4, rtol=1e-4)
