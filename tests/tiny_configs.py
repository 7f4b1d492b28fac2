"""Tiny configurations of unlike families of transformers, with random weights far from zero."""

from __future__ import annotations

from typing import Any

import torch
import transformers

SPECIAL: dict[str, Any] = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
LLAMA: dict[str, Any] = {
    "vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256, "initializer_range": 0.2, **SPECIAL,
}  # fmt: skip
BERT = {name: value for name, value in LLAMA.items() if name not in ("num_key_value_heads", "head_dim")}
GPT = {"vocab_size": 96, "n_embd": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.2, **SPECIAL}
OPT = {
    "vocab_size": 96, "hidden_size": 32, "ffn_dim": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "word_embed_proj_dim": 32, "max_position_embeddings": 256, "init_std": 0.2, **SPECIAL,
}  # fmt: skip
BART = {
    "vocab_size": 96, "d_model": 32, "decoder_layers": 2, "decoder_attention_heads": 4, "decoder_ffn_dim": 48,
    "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 48, "max_position_embeddings": 256,
    "init_std": 0.2, "is_decoder": True, **SPECIAL,
}  # fmt: skip
MAMBA = {
    "vocab_size": 96,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "state_size": 8,
    "initializer_range": 0.2,
    **SPECIAL,
}
MOE = {"moe_intermediate_size": 16, "num_experts_per_tok": 2, "shared_expert_intermediate_size": 16}
HYBRID = {
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}

CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama": ("Llama", LLAMA),
    "tied Qwen2": ("Qwen2", LLAMA | {"tie_word_embeddings": True}),
    "Mistral, window": ("Mistral", LLAMA | {"sliding_window": 20}),
    "GPT2": ("GPT2", GPT | {"n_positions": 256}),
    "GPTNeo": (
        "GPTNeo",
        {
            "vocab_size": 96, "hidden_size": 32, "num_layers": 2, "num_heads": 4,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 20, "max_position_embeddings": 256, "initializer_range": 0.2, **SPECIAL,
        },
    ),
    "GPTJ": ("GPTJ", GPT | {"n_positions": 256, "rotary_dim": 4}),
    "GPTNeoX": ("GPTNeoX", BERT),
    "OPT": ("OPT", OPT),
    "Falcon": ("Falcon", BERT | {"new_decoder_architecture": True, "num_kv_heads": 2}),
    "Falcon, alibi": ("Falcon", BERT | {"alibi": True, "multi_query": False}),
    "Bloom": ("Bloom", GPT | {"hidden_size": 32}),
    "XGLM": ("XGLM", {**BART, "num_layers": 2, "attention_heads": 4, "ffn_dim": 48}),
    "BioGpt": ("BioGpt", BERT),
    "Bart": ("Bart", BART),
    "Bert": ("Bert", BERT | {"is_decoder": True}),
    "Roberta": ("Roberta", BERT | {"is_decoder": True}),
    "Cohere": ("Cohere", LLAMA | {"logit_scale": 0.25}),
    "Granite": ("Granite", LLAMA | {"logits_scaling": 4.0}),
    "Gemma2": ("Gemma2", LLAMA | {"final_logit_softcapping": 30.0, "sliding_window": 20}),
    "FalconH1": (
        "FalconH1",
        LLAMA
        | {
            "lm_head_multiplier": 0.25, "mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_d_state": 8,
            "mamba_n_groups": 1,
        },
    ),
    "RecurrentGemma": (
        "RecurrentGemma",
        LLAMA | {"logits_soft_cap": 30.0, "lru_width": 32, "attention_window_size": 20, "num_hidden_layers": 3},
    ),
    "Mamba": ("Mamba", MAMBA | {"time_step_rank": 4}),
    "Mamba2": ("Mamba2", MAMBA | {"num_heads": 8, "head_dim": 8, "n_groups": 1, "chunk_size": 8}),
    "Lfm2": ("Lfm2", LLAMA | {"layer_types": ["conv", "full_attention"]}),
    "Qwen3Next": ("Qwen3Next", LLAMA | HYBRID | MOE | {"num_experts": 4}),
    "Qwen2Moe": ("Qwen2Moe", LLAMA | MOE | {"num_experts": 4}),
    "Mixtral": ("Mixtral", LLAMA | {"num_local_experts": 4, "num_experts_per_tok": 2}),
    "GptOss": ("GptOss", LLAMA | {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 20}),
    "DeepseekV3": (
        "DeepseekV3",
        {name: value for name, value in LLAMA.items() if name != "head_dim"}
        | MOE
        | {
            "n_routed_experts": 4, "n_shared_experts": 1, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1,
            "q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8,
            "num_key_value_heads": 4,
        },
    ),
    "Llama4": (
        "Llama4Text",
        LLAMA | {"intermediate_size_mlp": 48, "num_local_experts": 2, "attention_chunk_size": 24},
    ),
}  # fmt: skip


def tiny(name: str, **changes: Any) -> Any:
    """Return a causal language model of a family, in evaluation mode."""
    family, sizes = CONFIGS[name]
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**sizes | changes)
    return transformers.AutoModelForCausalLM.from_config(config).eval()
