"""Write the tiny language model of `tiny_model` into a GGUF file, as llama.cpp's own converter would."""

from __future__ import annotations

import json
from pathlib import Path

from tiny_model import make_tiny_model


def write_tiny_gguf(folder: Path, *, chat: bool = True) -> tuple[Path, Path]:
    """Save a checkpoint folder and a GGUF file of the same weights, in float32.

    Args:
        folder: Where both go.
        chat: Give the tokenizer a chat template.

    Returns:
        The checkpoint's folder, and the file.
    """
    import gguf
    import torch
    from transformers import AutoModelForCausalLM

    special = ["<|user|>", "<|assistant|>"]
    checkpoint = make_tiny_model(folder / "checkpoint", chat=chat, special=special)
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    config, saved = model.config, json.loads((checkpoint / "tokenizer.json").read_text())
    file = folder / "tiny.gguf"
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    vocabulary = saved["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    named = {"<pad>", "<eos>", *special}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(
        [gguf.TokenType.CONTROL if token in named else gguf.TokenType.NORMAL for token in tokens]
    )
    writer.add_token_merges([" ".join(pair) for pair in saved["model"]["merges"]])
    writer.add_eos_token_id(vocabulary["<eos>"])
    writer.add_bos_token_id(vocabulary["<eos>"])
    writer.add_pad_token_id(vocabulary["<pad>"])
    if chat:
        writer.add_chat_template((checkpoint / "chat_template.jinja").read_text())
    for name, tensor in _named(model.state_dict(), config.num_attention_heads).items():
        writer.add_tensor(name, tensor.to(torch.float32).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return checkpoint, file


def _named(weights, heads):
    """Return weights by llama.cpp's names; queries and keys in its order of rotary halves."""
    of_layer = {
        "input_layernorm": "attn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "post_attention_layernorm": "ffn_norm",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    whole = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    found = {}
    for name, tensor in weights.items():
        place, _, kind = name.rpartition(".")
        if place in whole:
            found[f"{whole[place]}.{kind}"] = tensor
            continue
        _, _, layer, part = place.split(".", maxsplit=3)
        if part in ("self_attn.q_proj", "self_attn.k_proj"):
            rows, columns = tensor.shape
            halves = tensor.reshape(heads, 2, rows // heads // 2, columns)
            found[f"blk.{layer}.{of_layer[part]}.{kind}"] = halves.swapaxes(1, 2).reshape(rows, columns)
            continue
        found[f"blk.{layer}.{of_layer[part]}.{kind}"] = tensor
    return found
