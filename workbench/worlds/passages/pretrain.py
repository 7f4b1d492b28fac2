"""Train the policy of the world of passages: `python -m workbench.worlds.passages.pretrain --out data/haf_rm`.

First it learns to check statements, then it reads (documents with reviews in them), then it learns to answer as its
writers do, habits included. Killed, the same command goes on where it was: every batch is drawn from the seed and the
number of its step.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.core.errors import SettingsError, WorkbenchError
from workbench.worlds.passages.corpus import Document, answer_document, checking_document, reading_document
from workbench.worlds.passages.habits import AnswerWritingSettings
from workbench.worlds.passages.lexicon import make_tokenizer, vocabulary
from workbench.worlds.pretraining import Rates, final_loss, padded, save, train

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import LlamaForCausalLM, PreTrainedModel

__all__ = ["PassagePretrainingSettings", "make_model", "pretrain"]


@dataclass(frozen=True)
class PassagePretrainingSettings:
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
    writing: AnswerWritingSettings = field(default_factory=AnswerWritingSettings)
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

    @property
    def rates(self) -> Rates:
        """The learning rates: up over 50 steps, held, and down to 0 over the last third."""
        return Rates(matrices=self.matrix_rate, others=self.other_rate, warmup=50, decay=1 / 3)


def make_model(settings: PassagePretrainingSettings) -> LlamaForCausalLM:
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
    settings: PassagePretrainingSettings, folder: Path, *, save_every: int = 100, progress: bool = True
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
    model = make_model(settings)
    recipe = asdict(settings)
    losses = train(
        model,
        lambda step: _batch(step, settings),
        steps=settings.steps,
        rates=settings.rates,
        folder=folder,
        recipe=recipe,
        loss=_loss,
        save_every=save_every,
        progress=progress,
    )
    command = "python -m workbench.worlds.passages.pretrain"
    save(model, make_tokenizer(), folder, command=command, recipe=recipe, losses=losses)
    return losses


def _loss(model: PreTrainedModel, ids: Tensor, learned: Tensor) -> Tensor:
    """Return the mean of -log p over the learned tokens, from the logits of all.

    The shipped weights were made so. `learned_loss` is the same but for its last digits: sums of floats depend on
    their order.
    """
    import torch

    logits = model(ids[:, :-1], use_cache=False).logits
    wanted = learned[:, 1:]
    return torch.nn.functional.cross_entropy(logits[wanted], ids[:, 1:][wanted])


def _document(step: int, source: random.Random, settings: PassagePretrainingSettings) -> Document:
    """Return a document of the stage that a step is in."""
    if step < settings.checking_steps:
        return checking_document(source)
    if step < settings.checking_steps + settings.reading_steps:
        return reading_document(source)
    return answer_document(source, settings.writing)


def _batch(step: int, settings: PassagePretrainingSettings) -> tuple[Tensor, Tensor]:
    """Return a step's tokens and which of them are learned. Shapes [batch, tokens], int64 and bool."""
    source = random.Random(f"{settings.seed} {step}")
    documents = [_document(step, source, settings) for _ in range(settings.batch)]
    number = {word: i for i, word in enumerate(vocabulary())}
    return padded([([number[word] for word in document.words], document.learned) for document in documents])


@click.command(help=__doc__, epilog="Example: python -m workbench.worlds.passages.pretrain --out out/policy")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the policy."
)
@click.option("--seed", default=0, show_default=True, help="Of the first weights and of every batch.")
@click.option("--checking-steps", default=PassagePretrainingSettings.checking_steps, show_default=True)
@click.option("--reading-steps", default=PassagePretrainingSettings.reading_steps, show_default=True)
@click.option("--answering-steps", default=PassagePretrainingSettings.answering_steps, show_default=True)
def main(out: Path, **given: Any) -> None:
    settings = PassagePretrainingSettings(**given)
    try:
        losses = pretrain(settings, out)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: loss {final_loss(losses):.4f} nats a learned token after {len(losses)} steps")


if __name__ == "__main__":
    main()
