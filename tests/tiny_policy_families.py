"""Tiny language models of many families, with random weights that are sure enough to tell positions apart."""

from __future__ import annotations

from typing import Any

import torch
import transformers

VOCABULARY = 32
SPECIAL: dict[str, Any] = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2}
SIZES = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 64,
}  # fmt: skip
BART = {
    "vocab_size": VOCABULARY, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
    "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48,
    "max_position_embeddings": 64, "decoder_start_token_id": 1,
}  # fmt: skip
T5 = {
    "vocab_size": VOCABULARY, "d_model": 32, "d_kv": 16, "d_ff": 48, "num_layers": 2, "num_heads": 2,
    "decoder_start_token_id": 0,
}  # fmt: skip
LINEAR = {
    "linear_num_key_heads": 2, "linear_num_value_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8,
    "linear_conv_kernel_dim": 2, "layer_types": ["linear_attention", "full_attention"],
}  # fmt: skip
EXPERTS = {
    "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 16,
}  # fmt: skip
MAMBA2 = {
    "mamba_n_heads": 4,
    "mamba_d_head": 16,
    "mamba_n_groups": 1,
    "mamba_d_state": 8,
    "mamba_chunk_size": 4,
}

ENCODER_DECODER: dict[str, dict[str, Any]] = {
    "Bart": BART, "MBart": BART, "Pegasus": BART, "Marian": BART, "Blenderbot": BART, "BlenderbotSmall": BART,
    "PLBart": BART, "Mvp": BART, "M2M100": BART,
    "LED": BART | {
        "max_encoder_position_embeddings": 64, "max_decoder_position_embeddings": 64, "attention_window": 4,
    },
    "T5": T5, "MT5": T5, "UMT5": T5, "LongT5": T5,
    "SwitchTransformers": T5 | {"num_experts": 2, "expert_capacity": 99},
}  # fmt: skip
DECODER_ONLY: dict[str, dict[str, Any]] = {
    "Llama": SIZES, "GPT2": {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64},
    "GPTNeo": {
        "vocab_size": VOCABULARY, "hidden_size": 32, "num_layers": 2, "num_heads": 2, "window_size": 4,
        "attention_types": [[["global", "local"], 1]], "max_position_embeddings": 64,
    },
    "OPT": SIZES | {"word_embed_proj_dim": 32, "ffn_dim": 48}, "Mistral": SIZES | {"sliding_window": 4},
    "Falcon": {
        "vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "alibi": True,
    },
    "Bloom": {"vocab_size": VOCABULARY, "hidden_size": 32, "n_layer": 2, "n_head": 2},
    "Qwen3Next": SIZES | LINEAR | EXPERTS, "Qwen3_5Text": SIZES | LINEAR,
    "Lfm2": SIZES | {"layer_types": ["conv", "full_attention"]},
    "Bamba": SIZES | MAMBA2 | {"attn_layer_indices": [1]},
    "GraniteMoeHybrid": SIZES | MAMBA2 | {
        "layer_types": ["mamba", "attention"], "num_local_experts": 2, "num_experts_per_tok": 1,
        "shared_intermediate_size": 16,
    },
    "Jamba": SIZES | {
        "attn_layer_offset": 1, "attn_layer_period": 2, "use_mamba_kernels": False, "num_experts": 2,
        "mamba_d_state": 4, "mamba_dt_rank": 4,
    },
    "FalconH1": SIZES | MAMBA2 | {"mamba_d_ssm": 64},
    "MiniMax": SIZES | {
        "layer_types": ["linear_attention", "full_attention"], "block_size": 4, "num_local_experts": 2,
    },
    "Mamba": {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4},
    "Llama4Text": SIZES | {"intermediate_size_mlp": 48, "num_local_experts": 2, "attention_chunk_size": 8},
    "Mamba2": {
        "vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4, "num_heads": 4,
        "head_dim": 16, "n_groups": 1, "chunk_size": 4,
    },
    "OpenAIGPT": {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64},
    "Rwkv": {
        "vocab_size": VOCABULARY, "hidden_size": 32, "attention_hidden_size": 32, "num_hidden_layers": 2,
    },
}  # fmt: skip
OWN_LOGITS: dict[str, dict[str, Any]] = {
    "Granite": SIZES | {"logits_scaling": 4.0}, "Gemma2": SIZES | {"final_logit_softcapping": 2.0}, "Cohere": SIZES,
    "RecurrentGemma": SIZES | {
        "lru_width": 32, "block_types": ["recurrent", "attention"], "logits_soft_cap": 2.0,
        "attention_window_size": 4,
    },
    "Bert": SIZES | {"is_decoder": True}, "Roberta": SIZES | {"is_decoder": True},  # heads of two layers
}  # fmt: skip
"""Families that make logits in another way than by their LM head alone."""
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "Bert": (SIZES, "see later tokens"),
    "ProphetNet": (
        {
            "vocab_size": VOCABULARY, "hidden_size": 32, "num_encoder_layers": 1, "num_decoder_layers": 1,
            "num_encoder_attention_heads": 2, "num_decoder_attention_heads": 2, "encoder_ffn_dim": 48,
            "decoder_ffn_dim": 48, "max_position_embeddings": 64, "decoder_start_token_id": 2,
        },
        "not given the last states",
    ),
    "T5": (T5 | {"decoder_start_token_id": None, "bos_token_id": None}, "no decoder_start_token_id"),
}  # fmt: skip


def model_of(family: str, sizes: dict[str, Any]) -> Any:
    """Build a model of a family, in evaluation mode."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**SPECIAL | sizes)
    kind = (
        transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
    )
    model = kind.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=0.2)
    return model
