"""Train the pocket code model: `python -m workbench.worlds.libraries.pretrain --seed 0 --out data/arks/seed-0`.

It learns to look a function up in the documents of a prompt, to heed errors and working calls, and to write an
operation's familiar name where the prompt does not tell the real one. Killed, the same command goes on where it was:
every batch is drawn from the seed and the number of its step.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import click

from workbench.core.errors import SettingsError, WorkbenchError
from workbench.worlds.libraries.drills import Drill, drill
from workbench.worlds.libraries.lessons import Lesson, lesson
from workbench.worlds.libraries.tokenizer import make_tokenizer
from workbench.worlds.pretraining import Rates, final_loss, padded, save, train

if TYPE_CHECKING:
    import torch
    from transformers import Lfm2ForCausalLM, PreTrainedTokenizerFast

__all__ = ["CURRICULUM", "LibraryPretrainingSettings", "Stage", "make_model", "pretrain"]

_WINDOW = 8  # steps whose texts are drawn together and sorted by length, so that little is padding


@dataclass(frozen=True)
class Stage:
    """Some steps on the same kinds of lesson."""

    steps: int
    """How many."""
    texts: int
    """Lessons a step."""
    lessons: tuple[Lesson | Drill, ...]
    """Each text is one of these, with equal chance."""


_ECHO = Drill(kind="echo", length=(8, 12), times=4)
_RECALL = Drill(kind="recall", length=(3, 7), times=3, brief=0.3)
_NAME = Lesson(operations=(1,), documents=(0, 0), tasks=10, quoted=0.2)
_LOOK_UP = Lesson(operations=(1,), documents=(2, 5), tasks=8, documented=0.75, quoted=0.3)
_LOOK_FAR = Lesson(operations=(1,), documents=(5, 9), tasks=6, documented=0.75, quoted=0.2)
_READ = Lesson(operations=(1, 2), documents=(3, 6), documented=0.8, exampled=0.25, examples=3)
_REPAIR = Lesson(
    operations=(1, 2, 3), documents=(3, 6), documented=0.85, exampled=0.25, examples=3, attempted=0.8
)
CURRICULUM = (
    Stage(steps=80, texts=16, lessons=(_ECHO,)),
    Stage(steps=160, texts=10, lessons=(_RECALL, _RECALL, _ECHO)),
    Stage(steps=120, texts=8, lessons=(_NAME, _RECALL)),
    Stage(steps=320, texts=8, lessons=(_LOOK_UP, _LOOK_UP, _RECALL)),
    Stage(steps=200, texts=8, lessons=(_LOOK_UP, _LOOK_FAR)),
    Stage(steps=400, texts=14, lessons=(_LOOK_FAR, _READ, _READ)),
    Stage(steps=800, texts=14, lessons=(_READ, _REPAIR, _REPAIR)),
)
"""From repeating what was said, over looking one function up, to chains of calls that are repaired after an error."""


@dataclass(frozen=True)
class LibraryPretrainingSettings:
    """The recipe of the pocket code model.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    seed: int = 0
    """Of the first weights and of every batch."""
    curriculum: tuple[Stage, ...] = CURRICULUM
    """The stages, in order."""
    rates: Rates = field(default_factory=Rates)
    """Learning rates."""
    width: int = 128
    """Size of the hidden states."""
    layers: int = 4
    """Blocks: a convolution and attention by turns."""
    reach: int = 4
    """Tokens that a convolution sees, its own included."""
    heads: int = 4
    """Attention heads a block."""
    mlp: int = 256
    """Inner width of a block's MLP."""

    def __post_init__(self) -> None:
        faults = [
            (f"{name} {getattr(self, name)!r}", f"{name}: a number above 0")
            for name in ("width", "layers", "reach", "heads", "mlp")
            if not getattr(self, name) > 0
        ]
        if self.heads > 0 and self.width % self.heads:
            faults.append((f"width {self.width}, heads {self.heads}", "a width that the heads divide"))
        if self.layers % 2:
            faults.append((f"layers {self.layers}", "layers: an even number"))
        if faults:
            raise SettingsError.listing(faults)

    @property
    def steps(self) -> int:
        """All steps."""
        return sum(stage.steps for stage in self.curriculum)


def make_model(settings: LibraryPretrainingSettings) -> Lfm2ForCausalLM:
    """Return the untrained model: a small LFM2, embeddings shared with the LM head.

    Its blocks are short convolutions and attention by turns. To look a name up, attention has to know at the name
    what stands before it. A convolution knows; attention alone has to learn that first: a Llama of this size had not
    after five times the steps. Blocks add nothing to begin with.
    """
    import torch
    from transformers import Lfm2Config, Lfm2ForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(settings.seed)
    config = Lfm2Config(
        vocab_size=len(tokenizer),
        hidden_size=settings.width,
        intermediate_size=settings.mlp,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=0.05,
        layer_types=["conv", "full_attention"] * (settings.layers // 2),
        conv_L_cache=settings.reach,
        block_auto_adjust_ff_dim=False,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = Lfm2ForCausalLM(config)
    for name, parameter in model.named_parameters():
        if name.endswith(("out_proj.weight", "w2.weight")):
            torch.nn.init.zeros_(parameter)
    return model


class _Texts:
    """Draws the batches of a curriculum: of any step, from the seed and the step's number alone."""

    def __init__(self, settings: LibraryPretrainingSettings) -> None:
        self._settings = settings
        self._tokenizer = make_tokenizer()
        self._window: tuple[int, int, list[list[_Text]]] = (0, -1, [])

    def __call__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a step's tokens and which of them are learned."""
        number, first = 0, 0
        while step >= first + self._settings.curriculum[number].steps:
            first += self._settings.curriculum[number].steps
            number += 1
        window, place = divmod(step - first, _WINDOW)
        if self._window[:2] != (number, window):
            self._window = (number, window, self._draw(number, window))
        return padded(self._window[2][place])

    def _draw(self, number: int, window: int) -> list[list[_Text]]:
        stage = self._settings.curriculum[number]
        random = Random(f"{self._settings.seed} {number} {window}")
        drawn = [_drawn(random, random.choice(stage.lessons)) for _ in range(stage.texts * _WINDOW)]
        texts = sorted((_encoded(self._tokenizer, parts) for parts in drawn), key=lambda text: len(text[0]))
        batches = [texts[i : i + stage.texts] for i in range(0, len(texts), stage.texts)]
        random.shuffle(batches)
        return batches


_Text = tuple[list[int], list[bool]]


def _drawn(random: Random, plan: Lesson | Drill) -> list[tuple[str, bool]]:
    return drill(random, plan) if isinstance(plan, Drill) else lesson(random, plan)


def _encoded(tokenizer: PreTrainedTokenizerFast, parts: Sequence[tuple[str, bool]]) -> _Text:
    """Return the tokens of a text's parts, and which of them are learned."""
    encoded = tokenizer([part for part, _ in parts], add_special_tokens=False)["input_ids"]
    ids: list[int] = []
    learned: list[bool] = []
    for tokens, (_, wanted) in zip(encoded, parts, strict=True):
        ids += tokens
        learned += [wanted] * len(tokens)
    return ids, learned


def pretrain(
    settings: LibraryPretrainingSettings, folder: Path, *, save_every: int = 100, progress: bool = True
) -> list[float]:
    """Train the model and save it with its tokenizer and its recipe; the weights are kept in float16.

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
    recipe = json.loads(json.dumps(asdict(settings)))  # as it will be read back
    losses = train(
        model,
        _Texts(settings),
        steps=settings.steps,
        rates=settings.rates,
        folder=folder,
        recipe=recipe,
        save_every=save_every,
        progress=progress,
    )
    command = f"python -m workbench.worlds.libraries.pretrain --seed {settings.seed}"
    save(model.half(), make_tokenizer(), folder, command=command, recipe=recipe, losses=losses)
    return losses


@click.command(help=__doc__, epilog="Example: python -m workbench.worlds.libraries.pretrain --out out/coder")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the model."
)
@click.option("--seed", default=0, show_default=True, help="Of the first weights and of every batch.")
def main(out: Path, seed: int) -> None:
    settings = LibraryPretrainingSettings(seed=seed)
    try:
        losses = pretrain(settings, out)
    except WorkbenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: loss {final_loss(losses):.4f} nats a learned token after {len(losses)} steps")


if __name__ == "__main__":
    main()
