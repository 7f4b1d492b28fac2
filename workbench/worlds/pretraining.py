"""How a tiny model is trained from scratch: counted steps, two optimizers, and no step lost to a kill."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError
from workbench.models.pickles import read_state
from workbench.models.quiet import late_bars
from workbench.store import atomic
from workbench.worlds.muon import Muon

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "CHECKPOINT",
    "RECIPE",
    "Batch",
    "Loss",
    "Rates",
    "final_loss",
    "learned_loss",
    "padded",
    "save",
    "train",
]

CHECKPOINT = "pretraining.pt"
"""Name of the file that an unfinished training keeps in its folder."""
RECIPE = "recipe.json"
"""Name of the file that says how the weights beside it were made."""

Batch = Callable[[int], "tuple[Tensor, Tensor]"]
"""From a step's number to what its loss takes. For `learned_loss`: tokens, [texts, tokens] int64, and which of them
are learned, bool; texts are padded on the right, so that no attention mask is needed."""

Loss = Callable[["PreTrainedModel", "Tensor", "Tensor"], "Tensor"]
"""From a model and the two tensors of a batch to the mean of -log p over the learned tokens, in nats."""

BLOCKS = (".layers.", ".block.")
"""In the names of parameters of a decoder-only model's blocks, and of an encoder-decoder's."""


@dataclass(frozen=True)
class Rates:
    """The highest learning rates."""

    matrices: float = 0.01
    """Of Muon, for the matrices of the blocks."""
    others: float = 0.01
    """Of AdamW, for embeddings and norms."""
    warmup: int = 20
    """Steps on which they rise."""
    decay: float = 0.3
    """Share of the steps, at the end, over which they fall to nothing."""

    def share(self, step: int, steps: int) -> float:
        """Return a step's share of them, from 0 to 1."""
        return min(1.0, (step + 1) / self.warmup, (steps - step) / (steps * self.decay))


def learned_loss(model: PreTrainedModel, ids: Tensor, learned: Tensor) -> Tensor:
    """Return the mean of -log p over the learned tokens; only their logits are computed."""
    import torch

    states = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    wanted = learned[:, 1:]
    return torch.nn.functional.cross_entropy(model.lm_head(states[wanted]), ids[:, 1:][wanted])


def train(
    model: PreTrainedModel,
    batch: Batch,
    *,
    steps: int,
    rates: Rates,
    folder: Path,
    recipe: Mapping[str, Any],
    loss: Loss = learned_loss,
    save_every: int = 100,
    progress: bool = True,
) -> list[float]:
    """Train a model to write the learned tokens.

    Args:
        model: Untrained; it is changed.
        batch: Gives each step its texts, and the same ones at every try.
        steps: How many.
        rates: The learning rates.
        folder: Keeps a checkpoint while the training is under way.
        recipe: All that the result depends on, as plain values: a checkpoint of another recipe is refused.
        loss: What is minimized, in nats.
        save_every: Steps between two checkpoints.
        progress: Show a bar on a terminal.

    Returns:
        The loss of every step, in nats a learned token.

    Raises:
        DataError: The folder holds a checkpoint of another recipe.
    """
    import torch

    from workbench.core.bars import Bar

    file = folder / CHECKPOINT
    optimizers = _optimizers(model.train(), rates)
    losses = _restored(file, recipe, model, optimizers)
    shown = None if progress else True
    bar = Bar(total=steps, initial=len(losses), desc="pretraining", unit="step", disable=shown)
    for step in range(len(losses), steps):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rates.share(step, steps)
        found = loss(model, *batch(step))
        found.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(float(found.detach()))
        bar.update()
        bar.set_postfix(loss=f"{losses[-1]:.3f}")
        if (step + 1) % save_every == 0 or step + 1 == steps:
            _keep(file, recipe, model, optimizers, losses)
    bar.close()
    model.eval()
    return losses


def save(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    *,
    command: str,
    recipe: Mapping[str, Any],
    losses: Sequence[float],
) -> None:
    """Save a trained model with its tokenizer and its recipe; its checkpoint is no longer needed and goes.

    Args:
        model: Trained.
        tokenizer: The model's.
        folder: Where the training was.
        command: Makes these weights again.
        recipe: What the training was given.
        losses: What it returned.
    """
    with late_bars():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    found = {"final_loss": round(final_loss(losses), 4), "parameters": model.num_parameters()}
    atomic.write_json(folder / RECIPE, {"command": command, "settings": recipe, **found})
    (folder / CHECKPOINT).unlink(missing_ok=True)


def final_loss(losses: Sequence[float]) -> float:
    """Return the mean of the last 50 losses."""
    last = losses[-50:]
    return sum(last) / len(last)


def padded(texts: Sequence[tuple[Sequence[int], Sequence[bool]]]) -> tuple[Tensor, Tensor]:
    """Return a batch of texts, given as their tokens and which of them are learned.

    Token 0 fills the rows up. Any would do: it stands after a text, where no token of the text attends to it, and is
    not learned.
    """
    import torch

    longest = max(len(ids) for ids, _ in texts)
    ids = torch.zeros(len(texts), longest, dtype=torch.int64)
    learned = torch.zeros(len(texts), longest, dtype=torch.bool)
    for row, (tokens, wanted) in enumerate(texts):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        learned[row, : len(tokens)] = torch.tensor(wanted)
    return ids, learned


def _optimizers(model: PreTrainedModel, rates: Rates) -> list[torch.optim.Optimizer]:
    """Return Muon for the blocks' matrices and AdamW for the rest; each group remembers its highest rate."""
    import torch

    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        # T5 keeps its table of relative positions, an embedding, in its first block
        in_block = any(part in name for part in BLOCKS) and "relative_attention_bias" not in name
        (matrices if parameter.ndim == 2 and in_block else others).append(parameter)
    adamw = torch.optim.AdamW(others, lr=rates.others, betas=(0.9, 0.98), weight_decay=0.0)
    optimizers = [Muon(matrices, lr=rates.matrices, weight_decay=0.01), adamw]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def _keep(
    file: Path,
    recipe: Mapping[str, Any],
    model: PreTrainedModel,
    optimizers: list[torch.optim.Optimizer],
    losses: list[float],
) -> None:
    """Write all that the training needs to go on."""
    import torch

    state = {
        "recipe": dict(recipe),
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "losses": losses,
    }
    stream = io.BytesIO()
    torch.save(state, stream)
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(file, stream.getvalue())


def _restored(
    file: Path, recipe: Mapping[str, Any], model: PreTrainedModel, optimizers: list[torch.optim.Optimizer]
) -> list[float]:
    """Put a checkpoint's state into model and optimizers; return the losses so far, none without a checkpoint."""
    if not file.is_file():
        return []
    state = read_state(file)
    if state["recipe"] != dict(recipe):
        raise DataError(
            got=f"{file}, a checkpoint of another recipe: {state['recipe']}",
            needed=f"one of this recipe: {dict(recipe)}",
            fix="train into another folder, or remove the checkpoint",
        )
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return list(state["losses"])
