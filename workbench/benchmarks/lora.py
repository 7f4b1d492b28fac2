"""What each way to save in a training step with adapters brings, beside the plain way: one model, one batch."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.core.errors import SettingsError

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.models import RewardModel

__all__ = ["WAYS", "Way", "WaySpeed", "measure_ways", "random_batches"]


@dataclass(frozen=True)
class Way:
    """How a reward model is held while it trains."""

    name: str
    """What it adds to the way before it."""
    dtype: str = "float32"
    """See `ModelSettings.dtype`."""
    upper: bool = False
    """Adapters on the last layers alone."""
    share_prompts: bool = False
    """See `ModelSettings.share_prompts`."""
    once: bool = False
    """Frozen layers computed once for each text; see `workbench.models.frozen_layers`."""


_PLAIN = Way("plain: float32, adapters on all layers")
WAYS = (
    _PLAIN,
    replace(_PLAIN, name="+ native number type", dtype="native"),
    replace(_PLAIN, name="+ adapters on the last layers", dtype="native", upper=True),
    replace(_PLAIN, name="+ shared prompts", dtype="native", upper=True, share_prompts=True),
    Way("+ frozen layers computed once", dtype="native", upper=True, share_prompts=True, once=True),
)
"""Each has what stands before it."""


@dataclass(frozen=True)
class WaySpeed:
    """What a way takes, in seconds of processor time on a CPU, of wall time on a GPU."""

    way: Way
    first_s: float
    """The first epoch's step: what is computed once is computed there."""
    hybrid_s: float
    """A later step of the hybrid loss: rewards and log-probabilities, forward and backward."""
    standard_s: float
    """The same of the reward loss alone."""
    score_s: float
    """Rewards and log-probabilities of the same texts, without gradients."""


def random_batches(
    vocabulary: int, pairs: int, micro_batch: int, *, prompt: int, response: tuple[int, int], seed: int = 0
) -> list[dict[str, Tensor]]:
    """Return pairs of random tokens as micro-batches, chosen first.

    Args:
        vocabulary: Tokens are drawn from 10 on, below it.
        pairs: How many.
        micro_batch: Pairs of each.
        prompt: Tokens of a prompt.
        response: Shortest and longest response.
        seed: Of the draw.
    """
    import numpy as np

    from workbench.models.encoding import EncodedText
    from workbench.training.pairs import EncodedPair, collate_pairs

    drawn = random.Random(seed)

    def some(count: int) -> list[int]:
        return [drawn.randrange(10, vocabulary) for _ in range(count)]

    rows = []
    for row in range(pairs):
        begun = some(prompt)
        texts = [
            EncodedText(
                np.array([*begun, *some(drawn.randint(*response))], dtype=np.int32),
                prompt,
            )
            for _ in range(2)
        ]
        rows.append(EncodedPair(texts[0], texts[1], row))
    return [collate_pairs(rows[start : start + micro_batch]) for start in range(0, pairs, micro_batch)]


def measure_ways(
    name: str,
    *,
    device: str,
    layers: int,
    pairs: int,
    micro_batch: int,
    rounds: int,
    threads: int,
    say: Callable[[str], None],
) -> list[WaySpeed]:
    """Measure each of `WAYS` on the same pairs, one after the other in one process.

    Args:
        name: A causal language model.
        device: cpu or cuda.
        layers: How many of the last layers carry adapters where not all do.
        pairs: Of a step.
        micro_batch: Pairs at a time.
        rounds: Steps of which the fastest counts.
        threads: Of arithmetic, on the CPU.
        say: Told each figure as it is known.

    Raises:
        ModelError: The model cannot be loaded.
        SettingsError: It has no layer below those that carry adapters.
    """
    import torch

    from workbench.models import LoraSettings, ModelSettings, RewardModel
    from workbench.models.frozen_layers import compute_in_whole, computes_frozen_once

    torch.set_num_threads(threads)
    found = []
    for way in WAYS:
        held = ModelSettings(name, device=device, dtype=way.dtype, share_prompts=way.share_prompts)
        torch.manual_seed(0)
        model = RewardModel.load(held, lora=LoraSettings(layers=layers if way.upper else None), init_std=0.1)
        if way.once and not computes_frozen_once(model.body):
            raise SettingsError(
                got=f"{layers} layers with adapters: {model.summary}",
                needed="frozen layers below them that can be computed once",
                fix="name fewer by --layers, or another model",
            )
        if not way.once:
            compute_in_whole(model.body)
        batches = random_batches(
            model.reading.vocabulary, pairs, micro_batch, prompt=96, response=(32, 96)
        )  # as in HH
        first = _step(model, batches, hybrid=True)
        speed = WaySpeed(
            way,
            first,
            min(_step(model, batches, hybrid=True) for _ in range(rounds)),
            min(_step(model, batches, hybrid=False) for _ in range(rounds)),
            min(_score(model, batches) for _ in range(rounds)),
        )
        say(f"  {way.name}: {speed.hybrid_s:.2f} s a hybrid step")
        found.append(speed)
    return found


def _step(model: RewardModel, batches: Sequence[dict[str, Tensor]], *, hybrid: bool) -> float:
    """Return the seconds of one step, its gradients thrown away."""
    model.train()
    began = _now(model)
    for batch in batches:
        scores, logps = model(**_given(model, batch), with_logps=hybrid)
        (scores.sum() + (logps.sum() * 1e-3 if logps is not None else 0)).backward()
    seconds = _now(model) - began
    model.zero_grad()
    return seconds


def _score(model: RewardModel, batches: Sequence[dict[str, Tensor]]) -> float:
    import torch

    model.eval()
    began = _now(model)
    with torch.no_grad():
        for batch in batches:
            model(**_given(model, batch))
    return _now(model) - began


def _given(model: RewardModel, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: batch[name].to(model.device) for name in ("input_ids", "attention_mask", "response_mask")}


def _now(model: RewardModel) -> float:
    """Return the time: of a GPU once it is done, else what this process has computed."""
    import torch

    if model.device.type != "cuda":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()
