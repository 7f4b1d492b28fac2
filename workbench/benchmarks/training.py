"""What a hybrid training step costs, against the standard one and against TRL's two trainers, side by side."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import RunError, SettingsError

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

__all__ = [
    "ARMS",
    "CONFIGS",
    "TrainingCase",
    "TrainingSpeed",
    "make_case",
    "measure_training",
    "word_tokenizer",
    "write_checkpoint",
]

ARMS = ("hybrid", "standard", "trl-reward", "trl-dpo")


@dataclass(frozen=True)
class TrainingCase:
    """A model and the batches that all arms train on."""

    name: str
    """Its key in `CONFIGS`."""
    pairs: int
    """Pairs a step."""
    prompt_tokens: int
    """Length of every prompt."""
    response_tokens: tuple[int, int]
    """Shortest and longest response."""
    quantize: bool
    """NF4 with LoRA on the MLP projections, instead of training every weight in float32."""
    checkpointing: bool
    """Compute activations again in the backward pass."""


CONFIGS = {
    "small": TrainingCase("small", 8, 64, (32, 64), quantize=False, checkpointing=False),
    "mistral-7b": TrainingCase("mistral-7b", 4, 128, (192, 384), quantize=True, checkpointing=True),
}


@dataclass(frozen=True)
class TrainingSpeed:
    """What the four arms took, and what they could have taken."""

    seconds: dict[str, float]
    """Median seconds a step, by arm."""
    peak_bytes: dict[str, int]
    """Peak memory by arm: of the process, or on a GPU of what was allocated there."""
    limit_ratio: float
    """Arithmetic of body and LM head on the response's tokens, over that of the body alone."""
    pairs: int
    """Pairs a step."""

    @property
    def of_both(self) -> float:
        """Hybrid step over TRL's RewardTrainer and DPOTrainer together, which do the same work apart."""
        return self.seconds["hybrid"] / (self.seconds["trl-reward"] + self.seconds["trl-dpo"])

    @property
    def of_limit(self) -> float:
        """Hybrid step over RewardTrainer's times `limit_ratio`."""
        return self.seconds["hybrid"] / (self.seconds["trl-reward"] * self.limit_ratio)

    @property
    def of_reward_memory(self) -> float:
        """Peak memory of the hybrid arm over RewardTrainer's."""
        return self.peak_bytes["hybrid"] / self.peak_bytes["trl-reward"]


def model_config(name: str) -> PretrainedConfig:
    """Return the configuration of a case's model: 6 layers x 256 with a vocabulary of 32,000, or Mistral 7B."""
    from transformers import LlamaConfig, MistralConfig

    special: dict[str, Any] = {"pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1}
    if name == "mistral-7b":
        return MistralConfig(sliding_window=None, **special)
    return LlamaConfig(
        vocab_size=32_000,
        hidden_size=256,
        intermediate_size=688,
        num_hidden_layers=6,
        num_attention_heads=8,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        **special,
    )


def head_over_body(config: PretrainedConfig, lengths: Sequence[tuple[int, int]]) -> float:
    """Return `(body + LM head on response tokens) / body`, counted in multiplications of a forward pass.

    The backward pass doubles both alike.

    Args:
        config: Of a Llama-like model.
        lengths: Tokens of prompt and of response, of each sequence.
    """
    width, layers = config.hidden_size, config.num_hidden_layers
    heads = config.num_attention_heads
    grouped = (config.num_key_value_heads or heads) * (getattr(config, "head_dim", None) or width // heads)
    a_token = layers * (2 * width * width + 2 * width * grouped + 3 * width * config.intermediate_size)
    body = sum((p + r) * a_token + layers * width * (p + r) ** 2 for p, r in lengths)
    head = sum(r for _, r in lengths) * width * config.vocab_size
    return (body + head) / body


def make_case(case: TrainingCase, vocabulary: int, steps: int, seed: int = 0) -> list[dict[str, str]]:
    """Return pairs of random words, one word a token, for a number of steps.

    Returns:
        `prompt`, `chosen` and `rejected` texts; the responses begin with a space.
    """
    drawn = random.Random(seed)

    def words(count: int) -> str:
        return " ".join(f"w{drawn.randrange(2, vocabulary)}" for _ in range(count))

    def response() -> str:
        return " " + words(drawn.randint(*case.response_tokens))

    return [
        {"prompt": words(case.prompt_tokens), "chosen": response(), "rejected": response()}
        for _ in range(steps * case.pairs)
    ]


def word_tokenizer(vocabulary: int) -> PreTrainedTokenizerBase:
    """Return a tokenizer that knows one word a token: `w2`, `w3`, ...; 0 is padding, 1 the end."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<pad>": 0, "<eos>": 1} | {f"w{i}": i for i in range(2, vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")


def write_checkpoint(name: str, folder: Path, device: str) -> PretrainedConfig:
    """Save a model of a case's shape with random weights, and a tokenizer that knows one word a token.

    Args:
        name: A key of `CONFIGS`.
        folder: Where it goes; 14 GB for Mistral 7B.
        device: Where the weights are drawn.
    """
    import torch
    from transformers import AutoModelForCausalLM

    config = model_config(name)
    word_tokenizer(config.vocab_size).save_pretrained(folder)
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(
            config, dtype=torch.bfloat16 if CONFIGS[name].quantize else torch.float32
        )
    model.save_pretrained(folder)
    return config


def measure_training(
    name: str, folder: Path, *, device: str, steps: int, rounds: int, threads: int, say: Callable[[str], None]
) -> TrainingSpeed:
    """Train the four arms in turn, each in a process of its own, several rounds over.

    Args:
        name: A key of `CONFIGS`.
        folder: An empty folder for the model and the data.
        device: cpu or cuda.
        steps: Steps an arm and round; the first two do not count.
        rounds: How often all arms run; the median is over all of an arm's steps.
        threads: Of arithmetic, on the CPU.
        say: Told each figure as it is known.

    Raises:
        SettingsError: TRL is not installed, or there is no such case.
        RunError: An arm failed.
    """
    _check(name)
    case = CONFIGS[name]
    say(f"writing {name} with random weights")
    config = write_checkpoint(name, folder / "model", device)
    rows = make_case(case, config.vocab_size, steps)
    (folder / "pairs.json").write_text(json.dumps(rows))
    taken: dict[str, list[float]] = {arm: [] for arm in ARMS}
    peaks: dict[str, int] = dict.fromkeys(ARMS, 0)
    for number in range(rounds):
        for arm in ARMS:
            said = _run_arm(arm, name, folder, device, threads)
            taken[arm] += said["seconds"][2:]
            peaks[arm] = max(peaks[arm], said["peak_bytes"])
            median = statistics.median(said["seconds"][2:])
            say(
                f"  round {number + 1}, {arm}: {median:.3f} s a step, peak {said['peak_bytes'] / 2**30:.2f} GiB"
            )
    lengths = [
        (case.prompt_tokens, len(row[side].split())) for row in rows for side in ("chosen", "rejected")
    ]
    medians = {arm: statistics.median(values) for arm, values in taken.items()}
    return TrainingSpeed(medians, peaks, head_over_body(config, lengths), case.pairs)


def _run_arm(arm: str, name: str, folder: Path, device: str, threads: int) -> dict[str, Any]:
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "workbench.benchmarks.training_arm",
            arm,
            name,
            str(folder),
            device,
            str(threads),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise RunError(
            got=f"{arm}: exit status {ran.returncode}\n{ran.stderr[-2_000:]}",
            needed="an arm that trains",
            fix="see its last words above; where memory ran out, take a smaller case",
        )
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return said


def _check(name: str) -> None:
    from importlib.util import find_spec

    if name not in CONFIGS:
        raise SettingsError(f"config {name!r}", f"one of {', '.join(CONFIGS)}", "name one of them")
    if find_spec("trl") is None:
        raise SettingsError(
            "no TRL in this environment",
            "trl, whose trainers are the comparison",
            "make bench-setup",
        )
