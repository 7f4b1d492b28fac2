"""Tiny checkpoints of the models that the large profiles name, in the files that their repositories have.

Of each configuration on the Hub the sizes are cut and nothing else; tokenizers come as each repository has them.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
import transformers
from hub_configs import CONFIGS
from hub_files import write_tokenizer
from hub_server import Repository

from workbench.models import ModelSettings, load_tokenizer

__all__ = ["save_checkpoint", "tiny_repository"]

CUT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_decoder_layers": 2,
    "num_heads": 4, "attention_window": [16, 16], "position_buckets": 8,
}  # fmt: skip


def save_checkpoint(name: str, folder: Path, kind: str, **changes: object) -> ModelSettings:
    """Save a tiny checkpoint in its repository's files; `kind` is a class of transformers that has its weights."""
    write_tokenizer(name, folder)
    said = CONFIGS[name]
    (folder / "config.json").write_text(json.dumps(said))
    tokens = len(load_tokenizer(ModelSettings(str(folder))))
    said = said | {key: value for key, value in CUT.items() if key in said} | {"vocab_size": tokens + 4}
    if said.get("pad_token_id", 0) > tokens:
        said["pad_token_id"] = tokens
    for key in ("bos_token_id", "eos_token_id"):
        if said.get(key, 0) > tokens:
            said[key] = 2
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(**said, **changes)
    model = getattr(transformers, kind)(config)
    if "num_labels" in changes and "Ultra" not in name:
        said |= changes
    if "Ultra" in name:
        weights = {key.replace("score.", "regression_head."): one for key, one in model.state_dict().items()}
        _write_shards(weights, folder)
    elif said["model_type"] in ("mt5", "longformer"):
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    else:
        model.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(said))
    return ModelSettings(str(folder), device="cpu")


def _write_shards(weights: dict[str, torch.Tensor], folder: Path) -> None:
    """Write torch's own files, two of them with an index, as UltraRM has them."""
    names = list(weights)
    parts = {"pytorch_model-00001-of-00002.bin": names[::2], "pytorch_model-00002-of-00002.bin": names[1::2]}
    for file, some in parts.items():
        torch.save({name: weights[name] for name in some}, folder / file)
    where = {name: file for file, some in parts.items() for name in some}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))


def tiny_repository(name: str, kind: str) -> Repository:
    """Return a tiny checkpoint as a repository of the Hub; see `save_checkpoint`."""
    with tempfile.TemporaryDirectory() as place:
        save_checkpoint(name, Path(place), kind, **({"num_labels": 1} if "SequenceCl" in kind else {}))
        if name.startswith("hkunlp/"):
            _make_encoder(Path(place))
        files = [file for file in Path(place).rglob("*") if file.is_file()]
        return Repository({str(file.relative_to(place)): file.read_bytes() for file in files})


def _make_encoder(folder: Path) -> None:
    """Write what INSTRUCTOR has beside its T5: the parts of an encoder, the last of them a projection."""
    width, parts = CUT["d_model"], ("Transformer", "Pooling", "Dense", "Normalize")
    places = ("", "1_Pooling", "2_Dense", "3_Normalize")
    modules = [
        {"idx": n, "name": str(n), "path": place, "type": f"sentence_transformers.models.{part}"}
        for n, (part, place) in enumerate(zip(parts, places, strict=True))
    ]
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
    dense = {
        "in_features": width, "out_features": 8, "bias": False,
        "activation_function": "torch.nn.modules.linear.Identity",
    }  # fmt: skip
    for place, config in (("1_Pooling", pooling), ("2_Dense", dense)):
        (folder / place).mkdir()
        (folder / place / "config.json").write_text(json.dumps(config))
    torch.save({"linear.weight": torch.randn(8, width)}, folder / "2_Dense" / "pytorch_model.bin")
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(
        json.dumps({"max_seq_length": 512, "do_lower_case": False})
    )
