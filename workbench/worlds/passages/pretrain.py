"""Train the policy of the world of passages: `python -m workbench.worlds.passages.pretrain --out data/haf_rm`.

First it learns to check statements, then it reads (documents with reviews in them), then it learns to answer as its
writers do, habits included. Killed, the same command goes on where it was: every batch is drawn from the seed and the
number of its step.
"""

from __future__ import annotations

import io
import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.errors import DataError, SettingsError, WorkbenchError
from workbench.runs import atomic
from workbench.worlds.muon import Muon
from workbench.worlds.passages.corpus import Document, answer_document, checking_document, reading_document
from workbench.worlds.passages.habits import WritingSettings
from workbench.worlds.passages.lexicon import PADDING, make_tokenizer, vocabulary

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import LlamaForCausalLM

__all__ = ["PretrainingSettings", "make_model", "pretrain"]

CHECKPOINT = "pretraining.pt"
RECIPE = "recipe.json"


@dataclass(frozen=True)
class PretrainingSettings:
    """The recipe of the policy.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    seed: int = 0
    """Of the first weights and of every batch."""
    checking_steps: int = 300
    """Steps on a fact or two with statements to check."""
    reading_steps: int = 700
    """Steps on documents to read, after that."""
    answering_steps: int = 500
    """Steps on answers, in the end."""
    batch: int = 24
    """Documents a step."""
    matrix_rate: float = 0.01
    """Highest learning rate of Muon, for the matrices of the blocks."""
    other_rate: float = 0.004
    """Highest learning rate of AdamW, for embeddings and norms."""
    width: int = 96
    """Size of the hidden states."""
    layers: int = 4
    """Blocks. To tell what is wrong takes one to see which verb a value belongs to, one to compare it with the
    passage, and one to bring what was found to the end of the answer."""
    heads: int = 4
    """Attention heads a block."""
    mlp: int = 192
    """Inner width of a block's MLP."""
    writing: WritingSettings = field(default_factory=WritingSettings)
    """How faulty the answers are that it learns from."""

    def __post_init__(self) -> None:
        faults = [
            (f"{name} {value!r}", f"{name}: a number above 0")
            for name, value in vars(self).items()
            if name not in ("seed", "writing", "checking_steps", "answering_steps") and not value > 0
        ]
        if self.width % self.heads:
            faults.append((f"width {self.width}, heads {self.heads}", "a width that the heads divide"))
        if faults:
            raise SettingsError.listing(faults)

    @property
    def steps(self) -> int:
        """All steps."""
        return self.checking_steps + self.reading_steps + self.answering_steps


def make_model(settings: PretrainingSettings) -> LlamaForCausalLM:
    """Return the untrained model: a small Llama, embeddings shared with the LM head."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(settings.seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary()),
        hidden_size=settings.width,
        intermediate_size=settings.mlp,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=192,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    return LlamaForCausalLM(config)


def pretrain(
    settings: PretrainingSettings, folder: Path, *, save_every: int = 100, progress: bool = True
) -> list[float]:
    """Train the policy and save it with its tokenizer and its recipe.

    Args:
        settings: The recipe.
        folder: Where it goes. A training that was interrupted there goes on, if its recipe was the same.
        save_every: Steps between two checkpoints.
        progress: Show a bar on a terminal.

    Returns:
        The loss of every step, in nats a learned token.

    Raises:
        DataError: The folder holds a checkpoint of another recipe.
    """
    import torch
    from tqdm.auto import tqdm

    model = make_model(settings).train()
    optimizers = _optimizers(model, settings)
    losses = _restored(folder / CHECKPOINT, settings, model, optimizers)
    bar = tqdm(
        total=settings.steps,
        initial=len(losses),
        desc="pretraining",
        unit="step",
        disable=None if progress else True,
    )
    for step in range(len(losses), settings.steps):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * _schedule(step, settings)
        ids, learned = _batch(step, settings)
        logits = model(ids[:, :-1], use_cache=False).logits
        wanted = learned[:, 1:]
        loss = torch.nn.functional.cross_entropy(logits[wanted], ids[:, 1:][wanted])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        bar.update()
        bar.set_postfix(loss=f"{losses[-1]:.3f}")
        if (step + 1) % save_every == 0 and step + 1 < settings.steps:
            _checkpoint(folder / CHECKPOINT, settings, model, optimizers, losses)
    bar.close()
    model.eval().save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    command = "python -m workbench.worlds.passages.pretrain"
    found = {
        "final_loss": round(sum(losses[-50:]) / len(losses[-50:]), 4),
        "parameters": model.num_parameters(),
    }
    atomic.write_json(folder / RECIPE, {"command": command, "settings": asdict(settings), **found})
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return losses


def _schedule(step: int, settings: PretrainingSettings) -> float:
    """Return a step's share of the learning rate: up over 50 steps, held, and down to 0 over the last third."""
    left = (settings.steps - step) / (settings.steps / 3)
    return min(1.0, (step + 1) / 50, left)


def _optimizers(model: LlamaForCausalLM, settings: PretrainingSettings) -> list[torch.optim.Optimizer]:
    """Return Muon for the blocks' matrices and AdamW for the rest; each group remembers its highest rate."""
    import torch

    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        (matrices if parameter.ndim == 2 and ".layers." in name else others).append(parameter)
    muon = Muon(matrices, lr=settings.matrix_rate, weight_decay=0.01)
    adamw = torch.optim.AdamW(others, lr=settings.other_rate, betas=(0.9, 0.98), weight_decay=0.0)
    for optimizer in (muon, adamw):
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return [muon, adamw]


def _document(step: int, source: random.Random, settings: PretrainingSettings) -> Document:
    """Return a document of the stage that a step is in."""
    if step < settings.checking_steps:
        return checking_document(source)
    if step < settings.checking_steps + settings.reading_steps:
        return reading_document(source)
    return answer_document(source, settings.writing)


def _batch(step: int, settings: PretrainingSettings) -> tuple[Tensor, Tensor]:
    """Return a step's tokens and which of them are learned. Shapes [batch, tokens], int64 and bool."""
    import torch

    source = random.Random(f"{settings.seed} {step}")
    documents = [_document(step, source, settings) for _ in range(settings.batch)]
    number = {word: i for i, word in enumerate(vocabulary())}
    longest = max(len(document.words) for document in documents)
    ids = torch.full((len(documents), longest), number[PADDING])
    learned = torch.zeros(ids.shape, dtype=torch.bool)
    for row, document in enumerate(documents):
        ids[row, : len(document.words)] = torch.tensor([number[word] for word in document.words])
        learned[row, : len(document.words)] = torch.tensor(document.learned)
    return ids, learned


def _checkpoint(
    file: Path,
    settings: PretrainingSettings,
    model: Any,
    optimizers: list[torch.optim.Optimizer],
    losses: list[float],
) -> None:
    """Write all that the training needs to go on."""
    import torch

    state = {
        "settings": asdict(settings),
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "losses": losses,
    }
    stream = io.BytesIO()
    torch.save(state, stream)
    atomic.write_bytes(file, stream.getvalue())


def _restored(
    file: Path, settings: PretrainingSettings, model: Any, optimizers: list[torch.optim.Optimizer]
) -> list[float]:
    """Put a checkpoint's state into model and optimizers; return the losses so far, none without a checkpoint."""
    import torch

    if not file.is_file():
        return []
    state = torch.load(file, weights_only=True)
    if state["settings"] != asdict(settings):
        raise DataError(
            got=f"{file}, a checkpoint of other settings: {state['settings']}",
            needed=f"one of these settings: {asdict(settings)}",
            fix="train into another folder, or remove the checkpoint",
        )
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return list(state["losses"])


@click.command(help=__doc__, epilog="Example: python -m workbench.worlds.passages.pretrain --out out/policy")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the policy."
)
@click.option("--seed", default=0, show_default=True, help="Of the first weights and of every batch.")
@click.option("--checking-steps", default=PretrainingSettings.checking_steps, show_default=True)
@click.option("--reading-steps", default=PretrainingSettings.reading_steps, show_default=True)
@click.option("--answering-steps", default=PretrainingSettings.answering_steps, show_default=True)
def main(out: Path, **given: Any) -> None:
    settings = PretrainingSettings(**given)
    try:
        losses = pretrain(settings, out)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{out}: loss {sum(losses[-50:]) / len(losses[-50:]):.3f} nats a learned token after {len(losses)} steps"
    )


if __name__ == "__main__":
    main()
