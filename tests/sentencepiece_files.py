"""Tokenizers as Google and the makers of Llama ship them: a SentencePiece file, and no `tokenizer.json`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

TEXTS = (
    "translate Spanish to English: la casa es grande y el debate continúa",
    "the house is big, and the debate goes on; we thank the Commission",
    "Human: what is the question? Assistant: this is the answer.",
    "question: who sang it? context: the song was sung by two people in 1985",
)


def spiece(
    texts: Iterable[str] = TEXTS, *, llama: bool = False, deberta: bool = False, marks: Sequence[str] = ()
) -> bytes:
    """Train a small model: pad, end and unknown as T5 numbers them, or as Llama or DeBERTa does."""
    import sentencepiece

    written = io.BytesIO()
    places: dict[str, Any] = (
        {"unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1}
        if llama
        else {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
    )
    if deberta:
        places = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3}
        places |= {"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text for text in texts for _ in range(4)]),
        model_writer=written,
        vocab_size=400 if llama else 90,
        model_type="bpe" if llama else "unigram",
        byte_fallback=llama,
        hard_vocab_limit=False,
        minloglevel=2,
        user_defined_symbols=list(marks),
        **places,
    )
    return written.getvalue()


def write_mt5_tokenizer(folder: Path) -> None:
    """Write the files that google/mt5-base has of its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    marks = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    (folder / "spiece.model").write_bytes(spiece())
    (folder / "special_tokens_map.json").write_text(json.dumps(marks))
    about = {
        **marks,
        "extra_ids": 0,
        "additional_special_tokens": None,
        "special_tokens_map_file": "/somebody's/cache/mt5",
        "tokenizer_file": None,
        "name_or_path": "google/mt5-base",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


def write_llama_tokenizer(folder: Path, gaps: Sequence[str] = ()) -> None:
    """Write the files that openbmb/UltraRM-13b has of its tokenizer, or a CodeLlama with marks of gaps."""
    folder.mkdir(parents=True, exist_ok=True)
    marks = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer.model").write_bytes(spiece(llama=True, marks=gaps))
    (folder / "special_tokens_map.json").write_text(json.dumps(marks))
    about = {**marks, "tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
