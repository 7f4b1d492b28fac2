"""The configurations of the models that the large profiles name, as they stand on the Hub: sizes and all."""

from typing import Any

_LLAMA: dict[str, Any] = {
    "hidden_act": "silu", "initializer_range": 0.02, "rms_norm_eps": 1e-05, "bos_token_id": 1, "eos_token_id": 2,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
_CODE_LLAMA = _LLAMA | {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8192, "intermediate_size": 22016,
    "num_hidden_layers": 48, "num_attention_heads": 64, "num_key_value_heads": 8, "vocab_size": 32000,
    "max_position_embeddings": 16384, "rope_theta": 1000000,
}  # fmt: skip
_MISTRAL = _LLAMA | {
    "architectures": ["MistralForCausalLM"], "model_type": "mistral", "hidden_size": 4096,
    "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "vocab_size": 32000, "max_position_embeddings": 32768, "rope_theta": 1000000.0, "sliding_window": None,
}  # fmt: skip
_QWEN = {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864,
    "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 151936,
    "max_position_embeddings": 32768, "tie_word_embeddings": True, "rope_theta": 1000000.0, "rms_norm_eps": 1e-06,
    "use_sliding_window": False, "torch_dtype": "bfloat16", "bos_token_id": 151643, "eos_token_id": 151643,
}  # fmt: skip
_T5 = {
    "is_encoder_decoder": True, "d_kv": 64, "relative_attention_num_buckets": 32, "pad_token_id": 0,
    "eos_token_id": 1, "decoder_start_token_id": 0, "layer_norm_epsilon": 1e-06, "dropout_rate": 0.1,
}  # fmt: skip
_ROBERTA = {
    "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "vocab_size": 50265,
    "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1, "layer_norm_eps": 1e-05,
}  # fmt: skip

CONFIGS: dict[str, dict[str, Any]] = {
    "mistralai/Mistral-7B-Instruct-v0.2": _MISTRAL,
    "mistralai/Mistral-7B-v0.1": _MISTRAL | {"sliding_window": 4096, "rope_theta": 10000.0},
    "codellama/CodeLlama-34b-Instruct-hf": _CODE_LLAMA,
    "codellama/CodeLlama-34b-Python-hf": _CODE_LLAMA,
    "codellama/CodeLlama-13b-hf": _CODE_LLAMA | {
        "hidden_size": 5120, "intermediate_size": 13824, "num_hidden_layers": 40, "num_attention_heads": 40,
        "num_key_value_heads": 40, "vocab_size": 32016,
    },
    "openbmb/UltraRM-13b": _LLAMA | {
        "architectures": ["LlamaRewardModel"], "model_type": "llama", "hidden_size": 5120,
        "intermediate_size": 13824, "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 40,
        "vocab_size": 32001, "max_position_embeddings": 2048, "pad_token_id": 32000,
    },
    "Qwen/Qwen2.5-0.5B": _QWEN,
    "Qwen/Qwen2.5-0.5B-Instruct": _QWEN | {"eos_token_id": 151645},
    "Qwen/Qwen2.5-Coder-0.5B": _QWEN,
    "Qwen/Qwen2.5-Coder-0.5B-Instruct": _QWEN | {"eos_token_id": 151645},
    "HuggingFaceTB/SmolLM2-135M-Instruct": _LLAMA | {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576,
        "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
        "vocab_size": 49152, "max_position_embeddings": 8192, "tie_word_embeddings": True, "rope_theta": 100000,
        "pad_token_id": 2,
    },
    "google-t5/t5-large": _T5 | {
        "architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "d_model": 1024, "d_ff": 4096,
        "num_layers": 24, "num_heads": 16, "vocab_size": 32128, "n_positions": 512, "output_past": True,
    },
    "hkunlp/instructor-large": _T5 | {
        "architectures": ["T5EncoderModel"], "model_type": "t5", "d_model": 1024, "d_ff": 4096, "num_layers": 24,
        "num_heads": 16, "vocab_size": 32128, "n_positions": 512,
    },
    "google/mt5-base": _T5 | {
        "architectures": ["MT5ForConditionalGeneration"], "model_type": "mt5", "d_model": 768, "d_ff": 2048,
        "num_layers": 12, "num_decoder_layers": 12, "num_heads": 12, "vocab_size": 250112,
        "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "tokenizer_class": "T5Tokenizer",
    },
    "allenai/longformer-base-4096": _ROBERTA | {
        "model_type": "longformer", "num_hidden_layers": 12, "max_position_embeddings": 4098,
        "attention_window": [512] * 12, "attention_mode": "longformer", "sep_token_id": 2,
    },
    "distilbert/distilroberta-base": _ROBERTA | {
        "architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "num_hidden_layers": 6,
        "max_position_embeddings": 514,
    },
    "OpenAssistant/reward-model-deberta-v3-large-v2": {
        "architectures": ["DebertaV2ForSequenceClassification"], "model_type": "deberta-v2", "hidden_size": 1024,
        "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16, "vocab_size": 128100,
        "max_position_embeddings": 512, "relative_attention": True, "position_buckets": 256, "type_vocab_size": 0,
        "pos_att_type": ["p2c", "c2p"], "max_relative_positions": -1, "norm_rel_ebd": "layer_norm",
        "share_att_key": True, "position_biased_input": False, "pad_token_id": 0, "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0}, "pooler_dropout": 0, "pooler_hidden_act": "gelu", "layer_norm_eps": 1e-07,
    },
}  # fmt: skip
"""By name."""
