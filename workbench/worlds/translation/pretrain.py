"""Train a pocket model of translation: `python -m workbench.worlds.translation.pretrain policy --out FOLDER`.

The `policy` is a small T5 that translates as its writers do, habits included. The `reader` is a small Llama that
reads translations with reviewers' marks: the body that reward models are made of. Killed, the same command goes on
where it was: every batch is drawn from the seed and the number of its step.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.core.errors import SettingsError, WorkbenchError
from workbench.worlds.pretraining import Rates, final_loss, learned_loss, padded, save, train
from workbench.worlds.translation.corpus import draw_example, draw_review
from workbench.worlds.translation.habits import TranslationWritingSettings
from workbench.worlds.translation.words import END, make_tokenizer, vocabulary

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

__all__ = ["MODELS", "TranslationPretrainingSettings", "make_model", "pretrain"]

MODELS = ("policy", "reader")
PAD_ID = 0


@dataclass(frozen=True)
class TranslationPretrainingSettings:
    """The recipe of a pocket model.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    model: str = "policy"
    """One of `MODELS`."""
    seed: int = 0
    """Of the first weights and of every batch."""
    steps: int = 1500
    """In all."""
    short_steps: int = 400
    """The first ones, in which a sentence is a single clause; only the reader's."""
    batch: int = 48
    """Sentences a step."""
    matrix_rate: float = 0.01
    """Highest learning rate of Muon, for the matrices of the blocks."""
    other_rate: float = 0.004
    """Highest learning rate of AdamW, for embeddings and norms."""
    width: int = 96
    """Size of the hidden states."""
    layers: int = 2
    """Blocks; of the policy, in the encoder and in the decoder each."""
    heads: int = 4
    """Attention heads a block."""
    mlp: int = 192
    """Inner width of a block's MLP."""
    writing: TranslationWritingSettings = field(default_factory=TranslationWritingSettings)
    """How faulty the translations are that it learns from."""

    def __post_init__(self) -> None:
        faults = [
            (f"{name} {value!r}", f"{name}: a number above 0")
            for name, value in vars(self).items()
            if name not in ("model", "seed", "writing", "short_steps") and not value > 0
        ]
        if self.model not in MODELS:
            faults.append((f"model {self.model!r}", f"model: one of {', '.join(MODELS)}"))
        if self.width % self.heads:
            faults.append((f"width {self.width}, heads {self.heads}", "a width that the heads divide"))
        if faults:
            raise SettingsError.listing(faults)


def make_model(settings: TranslationPretrainingSettings) -> PreTrainedModel:
    """Return the untrained model: a small T5 or Llama, embeddings shared with the LM head."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

    torch.manual_seed(settings.seed)
    tokenizer = make_tokenizer()
    shared: dict[str, Any] = {
        "vocab_size": len(vocabulary()),
        "pad_token_id": PAD_ID,
        "eos_token_id": tokenizer.eos_token_id,
    }
    if settings.model == "policy":
        shared["decoder_start_token_id"] = PAD_ID
        return T5ForConditionalGeneration(
            T5Config(
                **shared,
                d_model=settings.width,
                d_kv=settings.width // settings.heads,
                d_ff=settings.mlp,
                num_layers=settings.layers,
                num_heads=settings.heads,
                dropout_rate=0.0,
            )
        )
    return LlamaForCausalLM(
        LlamaConfig(
            **shared,
            hidden_size=settings.width,
            intermediate_size=settings.mlp,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            num_key_value_heads=settings.heads,
            max_position_embeddings=128,
            tie_word_embeddings=True,
            bos_token_id=None,
        )
    )


def pretrain(
    settings: TranslationPretrainingSettings, folder: Path, *, save_every: int = 100, progress: bool = True
) -> list[float]:
    """Train a model and save it with its tokenizer and its recipe.

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
    translates = settings.model == "policy"
    losses = train(
        model,
        lambda step: (_examples if translates else _reviews)(step, settings),
        steps=settings.steps,
        rates=Rates(matrices=settings.matrix_rate, others=settings.other_rate, warmup=50, decay=1 / 3),
        folder=folder,
        recipe=recipe,
        loss=_translation_loss if translates else learned_loss,
        save_every=save_every,
        progress=progress,
    )
    command = f"python -m workbench.worlds.translation.pretrain {settings.model}"
    save(model, make_tokenizer(), folder, command=command, recipe=recipe, losses=losses)
    return losses


def _translation_loss(model: PreTrainedModel, sources: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of -log p over the tokens of the translations. Takes [texts, tokens] int64 each."""
    labels = targets.masked_fill(targets == PAD_ID, -100)
    loss: Tensor = model(input_ids=sources, attention_mask=(sources != PAD_ID).long(), labels=labels).loss
    return loss


def _examples(step: int, settings: TranslationPretrainingSettings) -> tuple[Tensor, Tensor]:
    """Return a step's sentences and their translations as tokens. Shapes [batch, tokens], int64, padded with 0."""
    source = random.Random(f"{settings.seed} {step}")
    examples = [draw_example(source, settings.writing) for _ in range(settings.batch)]
    return (
        _tokens([example.spanish.split() for example in examples]),
        _tokens([[*example.english.split(), END] for example in examples]),
    )


def _reviews(step: int, settings: TranslationPretrainingSettings) -> tuple[Tensor, Tensor]:
    """Return a step's reviews as tokens, and which of them are learned. Shapes [batch, tokens], int64 and bool."""
    source = random.Random(f"{settings.seed} {step}")
    clauses = 1 if step < settings.short_steps else None
    reviews = [draw_review(source, settings.writing, clauses=clauses) for _ in range(settings.batch)]
    return padded([(_numbers(review.words), review.learned) for review in reviews])


def _tokens(texts: list[list[str]]) -> Tensor:
    return padded([(_numbers(words), [True] * len(words)) for words in texts])[0]


@cache
def _number() -> dict[str, int]:
    return {word: i for i, word in enumerate(vocabulary())}


def _numbers(words: list[str] | tuple[str, ...]) -> list[int]:
    number = _number()
    return [number[word] for word in words]


@click.command(
    help=__doc__, epilog="Example: python -m workbench.worlds.translation.pretrain policy --out out/policy"
)
@click.argument("model", type=click.Choice(MODELS))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the model."
)
@click.option("--seed", default=0, show_default=True, help="Of the first weights and of every batch.")
@click.option("--steps", default=TranslationPretrainingSettings.steps, show_default=True)
@click.option("--layers", default=TranslationPretrainingSettings.layers, show_default=True)
def main(out: Path, **given: Any) -> None:
    try:
        losses = pretrain(TranslationPretrainingSettings(**given), out)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: loss {final_loss(losses):.4f} nats a learned token after {len(losses)} steps")


if __name__ == "__main__":
    main()
