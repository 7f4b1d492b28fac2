"""The reference's log-probabilities of a data set: computed once, kept on disk, continued where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.core.bars import Bar
from workbench.models.encoding import EncodedText, collate
from workbench.models.modes import evaluation_mode
from workbench.models.token_logps import sequence_logps
from workbench.models.weights_mark import weights_mark
from workbench.store import atomic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.models.reward_model import RewardModel
    from workbench.training.pairs import EncodedPairs

__all__ = ["policy_mark", "reference_logps"]

FORMAT = "1"
VALUE = np.dtype("<f8")


def policy_mark(model: RewardModel, *, adapters: bool = False) -> str:
    """Return a fingerprint of a model's weights that any training of them changes; see `weights_mark`.

    Args:
        model: The model.
        adapters: Cover also what is not part of the reference: adapters and scalar head.
    """
    prefix = (
        getattr(getattr(model.policy, "base_model", None), "prefix", "lora_") if model.has_adapters else None
    )
    named = model.named_parameters()
    return weights_mark(
        (name, parameter)
        for name, parameter in named
        if adapters or not (name.startswith("reward_head.") or (prefix is not None and f".{prefix}" in name))
    )


def reference_logps(
    model: RewardModel,
    pairs: EncodedPairs,
    *,
    cache: Path | None = None,
    batch: int = 8,
    bf16: bool = False,
    progress: bool = True,
    process: int = 0,
    processes: int = 1,
) -> NDArray[np.float64]:
    """Return the log-probability of each response under the policy as it was before training.

    Adapters are off where there are some. Written to the cache as it comes; interrupted, it continues there. The
    cache is keyed by weights and tokens, so that trainings that share both share it.

    Args:
        model: Not trained yet, or with adapters.
        pairs: The responses.
        cache: A folder, that all processes see; None: nothing is kept.
        batch: Responses at a time.
        bf16: Compute in bfloat16 by autocast, as training will.
        progress: Show a progress bar.
        process: This process's number, from 0.
        processes: How many share the work. Each must call this, with a cache.

    Returns:
        Sums over each response's tokens, in the order of `pairs.texts`. Shape [2 * pairs].
    """
    texts = list(pairs.texts())
    # longest first: a batch holds like lengths, and memory is short at once or never
    order = sorted(range(len(texts)), key=lambda number: (-len(texts[number].tokens), number))
    if cache is None:
        blocks = _blocks(
            model, [texts[number] for number in order], batch=batch, bf16=bf16, progress=progress
        )
        return _in_order(order, np.concatenate(list(blocks)))
    said = f"{FORMAT} {policy_mark(model)} {pairs.mark()} bf16={bf16}"
    name = f"reference-{hashlib.sha256(said.encode()).hexdigest()[:16]}"
    final = cache / f"{name}.f64"
    parts = [cache / f"{name}-{number}-of-{processes}.part" for number in range(processes)]
    first = process == 0
    # Another training that shares the cache waits from here on, and then finds the file. The first process locks for
    # all of its training.
    with atomic.lock(cache / f"{name}.lock") if first else nullcontext():
        _wait(processes)
        if not final.exists():
            share = [texts[number] for number in order[process::processes]]
            _continue(parts[process], model, share, batch=batch, bf16=bf16, progress=progress and first)
            _wait(processes)
            if first:
                logps = np.empty(len(texts))
                for number, part in enumerate(parts):
                    logps[number::processes] = np.fromfile(part, VALUE)
                atomic.write_bytes(final, _in_order(order, logps).astype(VALUE).tobytes())
                for part in parts:
                    part.unlink()
        _wait(processes)
    return np.fromfile(final, VALUE)


def _continue(
    path: Path, model: RewardModel, texts: list[EncodedText], *, batch: int, bf16: bool, progress: bool
) -> None:
    """Append the log-probabilities that a file still lacks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with path.open("r+b") as file:
        done = path.stat().st_size // VALUE.itemsize
        done -= (
            done % batch
        )  # a kill may have cut the last value; and batches of the same texts give the same bits
        file.truncate(done * VALUE.itemsize)
        file.seek(0, 2)
        for block in _blocks(model, texts, batch=batch, bf16=bf16, progress=progress, done=done):
            file.write(block.astype(VALUE).tobytes())
            file.flush()


@torch.no_grad()
def _blocks(
    model: RewardModel,
    texts: list[EncodedText],
    *,
    batch: int,
    bf16: bool,
    progress: bool,
    done: int = 0,
) -> Iterator[NDArray[np.float64]]:
    """Yield the log-probabilities of the texts from a given one on, some at a time."""
    bar = Bar(total=len(texts), initial=done, desc="reference", unit="response", disable=not progress)
    with bar, _reference(model), torch.autocast(model.device.type, torch.bfloat16, enabled=bf16):
        for start in range(done, len(texts), batch):
            given = collate(texts[start : start + batch]).to(model.device)
            token_logps: torch.Tensor = model(*given).token_logps
            yield sequence_logps(token_logps, given.response_mask).double().cpu().numpy()
            bar.update(len(given.input_ids))


def _reference(model: RewardModel) -> AbstractContextManager[None]:
    """Make the model its own reference: adapters off where there are some, in evaluation mode."""
    return model.as_reference() if model.has_adapters else evaluation_mode(model)


def _in_order(order: list[int], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put values that follow an order back into that of the texts."""
    found = np.empty(len(values))
    found[order] = values
    return found


def _wait(processes: int) -> None:
    """Wait until all processes are here."""
    if processes > 1:
        torch.distributed.barrier()
