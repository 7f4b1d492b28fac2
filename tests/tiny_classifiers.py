"""Make tiny classifiers with random weights: of tokens and of sequences, looking both ways or back only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "initializer_range": 0.5,
    "max_position_embeddings": 1024,
    "pad_token_id": 0,
}


def make_tokenizer(*, ends: bool = True) -> transformers.PreTrainedTokenizerFast:
    """Return a byte-level tokenizer that puts `<s>` and `</s>` around a text, or nothing."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(["The cow eats grass. Hay is dried grass, and cows moo."], trainer)
    if ends:
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
        )
    names = {"bos_token": "<s>", "cls_token": "<s>"} if ends else {}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", sep_token="</s>", **names
    )


def save_classifier(
    folder: Path, *, task: str = "TokenClassification", family: str = "Roberta", labels: tuple[str, ...] = ()
) -> Path:
    """Save a classifier with its tokenizer; return the folder.

    Args:
        folder: Where.
        task: `TokenClassification`, `SequenceClassification`, `CausalLM` or `MaskedLM`.
        family: `Roberta` looks both ways, `Llama` back only.
        labels: Their names in order; of a sequence classifier one, without a name.
    """
    tokenizer = make_tokenizer(ends=family == "Roberta")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    named: dict[str, Any] = {"num_labels": 1}
    if labels:
        named = {"id2label": dict(enumerate(labels)), "label2id": {name: k for k, name in enumerate(labels)}}
    config = getattr(transformers, f"{family}Config")(**SIZES, vocab_size=len(tokenizer), **named)
    getattr(transformers, f"AutoModelFor{task}").from_config(config).save_pretrained(folder)
    return folder


def save_ultra(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Save a tiny checkpoint as UltraRM has it; return two texts and their scores."""
    torch.manual_seed(0)
    model = transformers.LlamaForSequenceClassification(
        transformers.LlamaConfig(
            vocab_size=320, hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
            initializer_range=0.3, num_labels=1, pad_token_id=0,
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    weights["regression_head.weight"] = weights.pop("score.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": ["LlamaRewardModel"]}
    for name in ("id2label", "label2id"):
        config.pop(name, None)
    (folder / "config.json").write_text(json.dumps(config))
    ids = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])
    return ids, model.eval()(ids).logits[:, 0].detach()
