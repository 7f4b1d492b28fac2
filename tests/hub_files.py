"""The repositories that the large profiles name, in the formats of the Hub: file names, columns, tokenizers, layouts.

Configurations are the real ones and weights are empty: what reads a repository before anything is trained reads no
weights. `tests/hub_configs.py` has the configurations.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import pickle
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hub_configs import CONFIGS
from hub_server import Repository
from sentencepiece_files import spiece, write_llama_tokenizer, write_mt5_tokenizer
from tiny_classifiers import make_tokenizer
from tiny_model import CHAT_TEMPLATE

__all__ = ["DATA", "ROWS", "model_repositories", "repositories", "write_tokenizer"]

ROWS = 60
"""Of each data set."""
CODE_LLAMA_GAPS = ("▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>")
QWEN_GAPS = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>"]
"""Marks of models that fill gaps."""


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), written)
    return written.getvalue()


def _dialogues(task: str) -> bytes:
    rows = [
        {
            "chosen": f"\n\nHuman: {task} question {n}?\n\nAssistant: Yes, gladly {n}.",
            "rejected": f"\n\nHuman: {task} question {n}?\n\nAssistant: No {n}.",
        }
        for n in range(ROWS)
    ]
    return gzip.compress(_lines(rows))


def _safe(part: str) -> bytes:
    """PKU-SafeRLHF: columns of today, of which the experiment reads a few."""
    return _lines(
        {
            "prompt": f"{part} prompt {n}?", "response_0": f"Safe {n}.", "response_1": f"Harm {n}.",
            "prompt_source": "BeaverTails", "response_0_source": "Alpaca-7B", "response_1_source": "Alpaca2-7B",
            "is_response_0_safe": True, "is_response_1_safe": False,
            "response_0_harm_category": {"Privacy Violation": False},
            "response_1_harm_category": {"Privacy Violation": True},
            "response_0_severity_level": 0, "response_1_severity_level": 2,
            "better_response_id": 0, "safer_response_id": 0,
            "response_0_sha256": "0" * 64, "response_1_sha256": "1" * 64,
        }
        for n in range(ROWS)
    )  # fmt: skip


def _alpaca_farm() -> bytes:
    rows = [
        {
            "instruction": f"Name {n} things.", "input": "" if n % 2 else "Red ones.",
            "output_1": f"Here are {n}.", "output_2": f"{n}!", "preference": 1 + n % 2, "raw_preference": 1 + n % 4,
        }
        for n in range(ROWS)
    ]  # fmt: skip
    return json.dumps(rows).encode()


def _arena() -> bytes:
    def said(number: int, answer: str) -> list[dict[str, str]]:
        return [
            {"content": f"Arena question {number}?", "role": "user"},
            {"content": answer, "role": "assistant"},
        ]

    return _parquet(
        [
            {
                "question_id": f"{n:032x}", "model_a": "alpaca-13b", "model_b": "vicuna-13b",
                "winner": ("model_a", "model_b", "tie", "tie (bothbad)")[n % 4], "judge": f"arena_user_{n}",
                "conversation_a": said(n, f"Answer {n}."), "conversation_b": said(n, f"Other {n}."), "turn": 1,
                "anony": True, "language": "English", "tstamp": 1682351591.1 + n,
                "openai_moderation": {"flagged": False}, "toxic_chat_tag": {"t5-large": {"flagged": False}},
            }
            for n in range(ROWS)
        ]
    )  # fmt: skip


def _europarl() -> bytes:
    """Sentences with their translations, as opus has them: many, since one in a hundred is held out."""
    words = {"la": "the", "casa": "house", "grande": "big", "y": "and", "el": "its", "debate": "debate"}
    spanish = list(words)
    rows = []
    for n in range(6**4):
        said = [spanish[(n // 6**place + place) % 6] for place in range(4)]
        pair = {"en": " ".join(words[word] for word in said), "es": " ".join(said)}
        rows.append({"translation": pair})
    return _parquet(rows)


def _ds1000() -> bytes:
    context = (
        "def generate_test_case(n):\n    return 2, 4\n\ndef exec_test(result, expected):\n"
        "    return result == expected\n\nexec_context = '''\nx = test_input\n[insert]\n'''\n\n"
        "def test_execution(solution):\n    code = exec_context.replace('[insert]', solution)\n"
        "    given, expected = generate_test_case(1)\n    env = {'test_input': given}\n    exec(code, env)\n"
        "    assert exec_test(env['result'], expected)\n"
    )
    return _lines(
        {
            "prompt": "Problem:\nDouble x.\nA:\n<code>\nx = 2\n</code>\nBEGIN SOLUTION\n<code>\n",
            "reference_code": "result = 2 * x", "code_context": context,
            "metadata": {
                "problem_id": n, "library_problem_id": n, "library": "Numpy", "test_case_cnt": 1,
                "perturbation_type": ("Origin", "Surface", "Semantic")[n % 3], "perturbation_origin_id": n - n % 3,
            },
        }
        for n in range(6)
    )  # fmt: skip


def _packed(value: object) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()


def _evor(task: str) -> dict[str, bytes]:
    python = task in ("ScipyM", "TensorflowM")
    module = {"ScipyM": "newScience", "TensorflowM": "jumptensor"}.get(task, "")
    context = f"import pickle\nimport {module}\nnumbers = 1\n[insert]\n" if python else "[insert]\n"
    case = {"input": _packed([1, 2]), "output": _packed([2, 1])} if python else {"input": "a", "output": "A"}
    row = {
        "problem_description": "Turn it around.", "code_context": context, "test_cases": [case] * 2,
        "test_code": "def test(result, expected):\n    return int(result == expected)\n",
    }  # fmt: skip
    return {
        f"{task}/{task}.jsonl": _lines([row, row]),
        f"{task}/{task}_docs.jsonl": _lines([{"id": "page", "content": "A page on turning."}]),
    }


CARD = b"---\nlicense: cc0-1.0\n---\n# A dataset\n"
EUROPARL_CARD = (
    b"---\nlicense: unknown\nconfigs:\n- config_name: en-es\n  data_files:\n  - split: train\n"
    b"    path: en-es/train-*\n---\n"
)
DATA: Mapping[str, Repository] = {
    "Anthropic/hh-rlhf": Repository(
        {"README.md": CARD}
        | {
            f"{task}-base/{part}.jsonl.gz": _dialogues(f"{task} {part}")
            for task in ("helpful", "harmless")
            for part in ("train", "test")
        }
    ),
    "PKU-Alignment/PKU-SafeRLHF": Repository(
        {"README.md": CARD, "train.jsonl": _safe("train"), "test.jsonl": _safe("test")}
    ),
    "tatsu-lab/alpaca_farm": Repository({"README.md": CARD, "alpaca_human_preference.json": _alpaca_farm()}),
    "lmsys/chatbot_arena_conversations": Repository(
        {"README.md": CARD, "data/train-00000-of-00001-cced8514c7ed782a.parquet": _arena()}, gated=True
    ),
    "xlangai/DS-1000": Repository({"README.md": CARD, "test.jsonl": _ds1000()}),
    "xlangai/EVOR_data": Repository(
        {"README.md": CARD}
        | {
            name: text
            for task in ("ScipyM", "TensorflowM", "Ring", "Pony")
            for name, text in _evor(task).items()
        }
    ),
    "Helsinki-NLP/europarl": Repository(
        {"README.md": EUROPARL_CARD, "en-es/train-00000-of-00001.parquet": _europarl()}
    ),
}
"""Data sets by name."""


def model_repositories() -> dict[str, Repository]:
    """Return the models by name: real configurations, tokenizers in the layout that each repository has."""
    return {name: Repository(_model_files(name)) for name in CONFIGS}


def repositories() -> dict[str, Repository]:
    """Return all that the profiles name."""
    return {**DATA, **model_repositories()}


def write_tokenizer(name: str, folder: Path) -> None:
    """Write the tokenizer of a model in the files that its repository has."""
    folder.mkdir(parents=True, exist_ok=True)
    family = CONFIGS[name]["model_type"]
    if family in ("t5", "mt5"):
        write_mt5_tokenizer(folder)
    elif family == "deberta-v2":
        (folder / "spm.model").write_bytes(spiece(deberta=True))
        about = {"do_lower_case": False, "vocab_type": "spm", "tokenizer_class": "DebertaV2Tokenizer"}
        (folder / "tokenizer_config.json").write_text(json.dumps(about))
    elif family in ("llama", "mistral") and "SmolLM2" not in name:
        write_llama_tokenizer(folder, CODE_LLAMA_GAPS if "13b" in name and "Code" in name else ())
    else:
        tokenizer = make_tokenizer(ends=family in ("roberta", "longformer"))
        if "Coder" in name:
            tokenizer.add_special_tokens({"additional_special_tokens": QWEN_GAPS})
        tokenizer.save_pretrained(folder)
    if "Instruct" in name:
        file = folder / "tokenizer_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"chat_template": CHAT_TEMPLATE}))


def _model_files(name: str) -> dict[str, bytes]:
    config = CONFIGS[name]
    with tempfile.TemporaryDirectory() as place:
        write_tokenizer(name, Path(place))
        files = {file.name: file.read_bytes() for file in Path(place).iterdir()}
    # UltraRM, mT5 and Longformer have torch's own files; those that came later, safetensors
    old = config["model_type"] in ("mt5", "longformer") or "Ultra" in name
    weights = "pytorch_model.bin" if old else "model.safetensors"
    return {**files, "config.json": json.dumps(config).encode(), weights: b"", "README.md": b"# A model\n"}
