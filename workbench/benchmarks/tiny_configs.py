"""Tiny models of every family of transformers: its default configuration, shrunk by what its numbers are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["VOCABULARY", "tiny_configs"]

VOCABULARY, LAYERS = 128, 4
"""Tokens of a tiny model, and its layers at most: enough for each kind that a family has."""
SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
_RULES: tuple[tuple[str, int], ...] = (
    (r"vocab", VOCABULARY),
    (r"index_topk", 64),  # of fewer than a text has, the choice would hang on ties
    (r"period|interval|_step$|_freq$|every", 2),
    (r"offset|first_k_dense|num_dense_layers|nextn", 1),
    (r"(k|key|kv|query)[a-z_]*(heads|groups)|num_kv|multi_query_group", 2),
    (r"head_dim|head_size|d_kv|kv_channels|d_head|rope_dim|rotary_dim|key_dim|head_width", 8),
    (r"heads?$|head_count", 4),
    (r"rank", 16),
    (r"per_tok|selected_experts|topk|top_k$|n_group$|shared_experts|num_groups|n_groups|_k$", 1),
    (r"experts$|num_local_experts", 4),
    (r"layers?$|num_blocks|depth|num_layers|hidden_layers", 2),
    (r"window|chunk|block_size|radius", 16),
    (r"position|n_ctx|max_seq|context_len|seq_len|max_length", 256),
    (r"ffn|intermediate|inner|feed_?forward|d_ff|mlp|lru_width", 64),
    (r"hidden_size|d_model|n_embd|_dim$|width|embedding_size|units|^dim$|_size$|proj|d_ssm", 32),
    (r"state|conv|kernel|patch", 4),
)
"""What a number is set to that is larger, by the first pattern that is in its name."""


def tiny_configs(kind: Any) -> Iterator[Any]:
    """Yield configurations of a family that may do, the likeliest first; each may fail when a model is made of it.

    Args:
        kind: Its configuration's class.

    Raises:
        Exception: Whatever the class raises that cannot be made at all.
    """
    whole, refusal = kind(), None
    for changes in _VARIANTS:
        try:
            found = kind(**_shrunk(whole, changes))
        except Exception as error:  # whatever a family checks its numbers by
            refusal = refusal or error
        else:
            yield found
    if refusal:
        raise refusal


_VARIANTS: tuple[dict[str, Any], ...] = (
    {}, {"kv": 4}, {"head_dim": 16}, {"none": 1}, {"none": 1, "kv": 4}, {"head_dim": 16, "none": 1},
    {"kv": 4, "head_dim": 32}, {"width": 64}, {"width": 64, "head_dim": 16}, {"layers": 3},
    {"layers": 4, "head_dim": 16},
    *({"mix": mix, "head_dim": width} for mix in (("mamba", "attention"), ("conv", "full_attention"),
      ("linear_attention", "full_attention")) for width in (8, 16)),
)  # fmt: skip
"""What may have to be otherwise: heads of keys and values, width of a head, numbers that are left to others."""


def _shrunk(config: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that make a configuration tiny."""
    values = config.to_dict()
    deep = next((values[name] for name in _DEPTHS if isinstance(values.get(name), int)), 0)
    kept = _kept_layers(values, deep)
    found: dict[str, Any] = {}
    for name, value in values.items():
        part = config.__dict__.get(name)
        if hasattr(part, "to_dict"):
            found[name] = _shrunk(part, changes) | {"model_type": part.model_type}
        elif isinstance(value, list | tuple) and deep and len(value) == deep:
            mixed = "mix" in changes and "type" in name and len(set(value)) == 1
            found[name] = list(changes["mix"]) if mixed else [value[place] for place in kept]
            if (
                all(type(one) is int for one in value)
                and (small := _small(name, values, changes)) is not None
            ):
                found[name] = [min(one, small) for one in found[name]]
        elif name in SPECIAL:
            found[name] = SPECIAL[name]
        elif name.endswith(("token_id", "token_index")):
            found[name] = min(value, 3 + len(name) % 20) if type(value) is int else value
        elif name == "is_decoder":
            found[name] = not values.get("is_encoder_decoder")
        elif value is None and "none" in changes and re.search(r"head_dim|key_value_heads|per_tok$", name):
            found[name] = _small(name, values, changes)
        elif value is None and "mix" in changes and re.search(r"layer_types|block_type", name):
            found[name] = list(changes["mix"])
        elif value is None and "mix" in changes and re.search(r"layer_(indices|ids|idx)", name):
            found[name] = [1]
        elif type(value) is int and (small := _small(name, values, changes)) is not None:
            found[name] = changes.get("layers", len(kept)) if name in _DEPTHS else min(value, small)
    if values.get("is_encoder_decoder"):
        found["decoder_start_token_id"] = SPECIAL["decoder_start_token_id"]
    return found


_DEPTHS = (
    "num_hidden_layers",
    "n_layer",
    "num_layers",
    "n_layers",
    "num_blocks",
    "decoder_layers",
    "encoder_layers",
)


def _kept_layers(values: Mapping[str, Any], deep: int) -> list[int]:
    """Return the places of some layers: the first of each kind that lists of a value a layer tell apart."""
    lists = [
        value for value in values.values() if isinstance(value, list | tuple) and deep and len(value) == deep
    ]
    kinds = list(zip(*lists, strict=True)) if lists else [()] * deep
    firsts = sorted({str(kind): place for place, kind in reversed(list(enumerate(kinds)))}.values())[:LAYERS]
    rest = [place for place in range(deep) if place not in firsts]
    return sorted([*firsts, *rest[: max(0, 2 - len(firsts))]]) or [0, 0]


def _small(name: str, values: Mapping[str, Any], changes: Mapping[str, Any]) -> int | None:
    """Return what a number becomes; None: it stays."""
    for pattern, small in _RULES:
        if re.search(pattern, name):
            if "heads" in pattern and small == 2:
                heads = values.get("num_attention_heads") or values.get("n_head")
                return changes.get("kv", 4 if values[name] == heads else 2)
            if small == 8 and "head_dim" in pattern:
                return changes.get("head_dim", 8)
            if small == 32 and "width" in changes:
                return changes["width"]
            return small
    return None
