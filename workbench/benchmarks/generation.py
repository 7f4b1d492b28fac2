"""What answers of a local model cost, beside a plain batched `generate` of the same prompts, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from workbench.generators.continuing import LoadedGenerator, continue_prompts, loaded_model
from workbench.generators.loading import load_model
from workbench.generators.settings import GenerationSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["ARMS", "GenerationSpeed", "measure_generation"]

ARMS = ("hf", "hf, stop texts", "plain generate")
STOPS = ("</code>", "# SOLUTION END", "\nEND SOLUTION", "```")
"""Texts that end an answer, as for a completion of DS-1000."""


@dataclass(frozen=True)
class GenerationSpeed:
    """Medians over rounds, by arm: tokens in all, and seconds of wall and of processor time for each token."""

    tokens: dict[str, int]
    wall_s: dict[str, float]
    processor_s: dict[str, float]

    def ratio(self, arm: str) -> tuple[float, float]:
        """Return an arm's wall and processor seconds a token, as multiples of plain `generate`'s."""
        plain = ARMS[-1]
        return self.wall_s[arm] / self.wall_s[plain], self.processor_s[arm] / self.processor_s[plain]


def measure_generation(
    model: str,
    prompts: Sequence[str],
    *,
    max_new_tokens: int,
    batch_size: int,
    rounds: int,
    threads: int,
    device: str,
    dtype: str = "auto",
    say: Callable[[str], object],
) -> GenerationSpeed:
    """Let a model continue texts in each way in turn, greedily.

    Args:
        model: A folder, GGUF file, short name or name on the Hub.
        prompts: Texts; all ways sort them by length.
        max_new_tokens: Longest answer. Plain `generate` goes on until all rows of a batch have ended.
        batch_size: Prompts at once.
        rounds: How often the ways run in turn, after a short one of each that does not count.
        threads: Threads of arithmetic on the CPU.
        device: Where it computes.
        dtype: Number type of its weights.
        say: Told of each measurement.
    """
    import torch

    torch.set_num_threads(threads)
    settings = GenerationSettings(
        temperature=0.0, max_new_tokens=max_new_tokens, batch_size=batch_size, device=device, dtype=dtype
    )
    lm, tokenizer = load_model(model, settings)
    ready = {
        arm: loaded_model(lm, tokenizer, settings, chat=False, stops=stops)
        for arm, stops in zip(ARMS, ((), STOPS), strict=False)
    }
    encoded = [list(tokenizer(prompt)["input_ids"]) for prompt in prompts]
    seconds: dict[str, list[tuple[int, float, float]]] = {arm: [] for arm in ARMS}
    for number in range(rounds + 1):
        asked = encoded if number else encoded[:1]
        for arm in ARMS:
            wall, processor = time.perf_counter(), time.process_time()
            tokens = (
                _ours(ready[arm], asked)
                if arm in ready
                else _plain(lm, asked, settings=settings, ends=sorted(ready[ARMS[0]].ends))
            )
            spent = time.perf_counter() - wall, time.process_time() - processor
            if number:
                seconds[arm].append((tokens, spent[0] / tokens, spent[1] / tokens))
                say(f"  round {number}, {arm}: {tokens} tokens, {spent[0]:.1f} s")
    middle = {arm: [median(column) for column in zip(*rows, strict=True)] for arm, rows in seconds.items()}
    return GenerationSpeed(
        {arm: int(row[0]) for arm, row in middle.items()},
        {arm: row[1] for arm, row in middle.items()},
        {arm: row[2] for arm, row in middle.items()},
    )


def _ours(ready: LoadedGenerator, prompts: Sequence[list[int]]) -> int:
    """Return how many tokens were written, end tokens included."""
    counts: list[int] = []
    for _ in continue_prompts(ready, prompts, [0] * len(prompts), tokens_written=counts.append):
        pass
    return sum(counts)


def _plain(
    model: PreTrainedModel,
    prompts: Sequence[list[int]],
    *,
    settings: GenerationSettings,
    ends: list[int],
) -> int:
    """Return how many tokens plain `generate` wrote, up to and with each row's end token."""
    import torch

    order, total = sorted(prompts, key=len, reverse=True), 0
    pad = ends[0] if ends else 0
    generate: Any = model.generate
    for first in range(0, len(order), settings.batch_size):
        rows = order[first : first + settings.batch_size]
        width = len(rows[0])
        ids = [[pad] * (width - len(row)) + row for row in rows]
        mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        with torch.inference_mode():
            written = generate(
                input_ids=torch.tensor(ids, device=model.device),
                attention_mask=torch.tensor(mask, device=model.device),
                max_new_tokens=settings.max_new_tokens,
                do_sample=False,
                eos_token_id=ends or None,
                pad_token_id=pad,
            )
        for row in written[:, width:].tolist():
            total += next((place for place, token in enumerate(row, start=1) if token in ends), len(row))
    return total
