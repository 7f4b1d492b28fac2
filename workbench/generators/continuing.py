"""What a loaded causal language model writes after prompts, each text as soon as it ends."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.core.errors import GeneratorError
from workbench.generators.batching import RunningBatch, can_join
from workbench.generators.prompts import FillInTheMiddle
from workbench.generators.reasoning import is_tag
from workbench.generators.sampling import draw, uniform_numbers
from workbench.generators.settings import GenerationSettings
from workbench.generators.stopping import StopTexts
from workbench.models.generation_config import whole_distribution
from workbench.models.stopping import TurnEnd, stop_token_ids, turn_end

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["LoadedGenerator", "Written", "continue_prompts", "loaded_model"]


@dataclass(frozen=True)
class LoadedGenerator:
    """A loaded model and how it is asked."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    settings: GenerationSettings
    ends: frozenset[int]
    """Tokens that end a text, and are no part of it."""
    stops: StopTexts
    """Texts that do."""


@dataclass(frozen=True)
class Written:
    """What a model wrote after one prompt."""

    row: int
    """Which prompt."""
    text: str
    cut: bool
    """Whether it reached the limit of its length, and might have gone on."""


def loaded_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    settings: GenerationSettings,
    *,
    chat: bool,
    stops: Sequence[str] = (),
    family: FillInTheMiddle | None = None,
) -> LoadedGenerator:
    """Put a model beside all by which its answers end.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        settings: How it is asked.
        chat: Whether it is asked by its chat template, which then says how a turn ends.
        stops: Texts of the prompt's style that end an answer.
        family: The marks by which it fills a gap.
    """
    turn = turn_end(tokenizer) if chat else TurnEnd()
    vocabulary = tokenizer.get_vocab() if family else {}
    ends = set(stop_token_ids(model, tokenizer, chat=chat))
    ends |= {vocabulary[token] for token in (family.ends if family else ()) if token in vocabulary}
    texts = StopTexts(tokenizer, (*settings.stop, *stops, *turn.texts))
    return LoadedGenerator(model, tokenizer, settings, frozenset(ends), texts)


def continue_prompts(
    ready: LoadedGenerator,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    *,
    tokens_written: Callable[[int], object] = lambda count: None,
) -> Iterator[Written]:
    """Yield the text that the model writes after each prompt, as soon as it ends.

    `batch_size` prompts are worked on at once, those with the most tokens first. When a text ends its row leaves the
    batch, and the next prompt takes its place: nobody waits for the longest text.

    Args:
        ready: The model.
        prompts: Token ids. What the context does not hold is cut off on the left, with a warning.
        seeds: One a prompt; without effect at temperature 0.
        tokens_written: Called after each step with the number of tokens that it wrote.

    Returns:
        Texts without end tokens, and up to the first stop text. The model's own generation settings (a repetition
        penalty, say) are left aside: those of `ready` are all there are.
    """
    prompts = _fitting(prompts, ready)
    order = sorted(range(len(prompts)), key=lambda place: -len(prompts[place]))
    rows = (_Row(place, prompts[place], _uniforms(ready.settings, seeds[place])) for place in order)
    write = _continuously if can_join(ready.model) else _batch_by_batch
    yield from write(ready, rows, tokens_written)


@dataclass
class _Row:
    """One text on its way."""

    place: int
    prompt: Sequence[int]
    uniforms: Sequence[float]
    tokens: list[int] = field(default_factory=list)

    def ended(self, ready: LoadedGenerator) -> Written | None:
        """Return the text, where the newest token ends it."""
        at_token = self.tokens[-1] in ready.ends
        if at_token or ready.stops.end(self.tokens):
            return self.written(ready, self.tokens[: len(self.tokens) - at_token], cut=False)
        if len(self.tokens) == ready.settings.max_new_tokens:
            return self.written(ready, self.tokens, cut=True)
        return None

    def written(self, ready: LoadedGenerator, tokens: list[int], *, cut: bool) -> Written:
        return Written(self.place, ready.stops.before(_decoded(ready.tokenizer, tokens)), cut)


def _continuously(
    ready: LoadedGenerator, waiting: Iterable[_Row], tokens_written: Callable[[int], object]
) -> Iterator[Written]:
    """Write with a batch that is filled again as rows end."""
    import torch

    left, batch = deque(waiting), RunningBatch(ready.model)
    rows: list[_Row] = []
    logits: Tensor | None = None
    while left or rows:
        new = [left.popleft() for _ in range(min(len(left), ready.settings.batch_size - len(rows)))]
        if new:
            read = batch.add([row.prompt for row in new])
            logits = read if logits is None or not rows else torch.cat([logits, read])
            rows += new
        assert logits is not None
        tokens = _chosen(logits, rows, ready.settings)
        tokens_written(len(rows))
        for row, token in zip(rows, tokens.tolist(), strict=True):
            row.tokens.append(token)
        texts = [row.ended(ready) for row in rows]
        yield from (text for text in texts if text is not None)
        going = [number for number, text in enumerate(texts) if text is None]
        if len(going) < len(rows):
            batch.keep(going)
            rows, tokens = [rows[number] for number in going], tokens[going]
        logits = batch.step(tokens) if rows else None


def _batch_by_batch(
    ready: LoadedGenerator, waiting: Iterable[_Row], tokens_written: Callable[[int], object]
) -> Iterator[Written]:
    """Write with a model whose batches cannot change, by transformers' own loop: texts come when a batch ends."""
    import torch
    from transformers import GenerationConfig

    left, settings = deque(waiting), ready.settings
    pad = min(ready.ends, default=0)
    config = GenerationConfig(
        max_new_tokens=settings.max_new_tokens, do_sample=False, pad_token_id=pad, eos_token_id=None
    )
    while left:
        rows = [left.popleft() for _ in range(min(len(left), settings.batch_size))]
        width, device = max(len(row.prompt) for row in rows), ready.model.device
        ids = [[pad] * (width - len(row.prompt)) + list(row.prompt) for row in rows]
        mask = [[0] * (width - len(row.prompt)) + [1] * len(row.prompt) for row in rows]
        texts: dict[int, Written] = {}

        def choose(so_far: Tensor, scores: Tensor, rows: list[_Row] = rows) -> Tensor:
            """Leave only the token that was drawn."""
            chosen = _chosen(scores, rows, settings)[:, None]
            return torch.full_like(scores, -torch.inf).scatter(-1, chosen, 0.0)

        def end(
            so_far: Tensor, scores: Any, rows: list[_Row] = rows, texts: dict[int, Written] = texts, **_: Any
        ) -> Tensor:
            tokens_written(len(rows) - len(texts))
            for row, token in zip(rows, so_far[:, -1].tolist(), strict=True):
                row.tokens.append(token)
                text = row.ended(ready) if row.place not in texts else None
                if text is not None:
                    texts[row.place] = text
            return torch.tensor([row.place in texts for row in rows], device=so_far.device)

        with torch.inference_mode(), whole_distribution(ready.model):
            generate: Any = ready.model.generate
            generate(
                input_ids=torch.tensor(ids, device=device),
                attention_mask=torch.tensor(mask, device=device),
                generation_config=config,
                logits_processor=[choose],
                stopping_criteria=[end],
            )
        yield from texts.values()


def _chosen(logits: Tensor, rows: Sequence[_Row], settings: GenerationSettings) -> Tensor:
    """Return each row's next token. Shape [rows], int64."""
    import torch

    with torch.inference_mode():
        if settings.temperature == 0:
            return logits.argmax(dim=-1)
        numbers = torch.tensor([row.uniforms[len(row.tokens)] for row in rows], device=logits.device)
        return draw(logits, numbers, temperature=settings.temperature, top_p=settings.top_p)


def _uniforms(settings: GenerationSettings, seed: int) -> list[float]:
    return uniform_numbers(seed, settings.max_new_tokens) if settings.temperature > 0 else []


def _decoded(tokenizer: PreTrainedTokenizerBase, tokens: list[int]) -> str:
    """Return the text of tokens without special ones, but for those that mark reasoning."""
    special = set(tokenizer.all_special_ids)
    marks = {token for token in special & set(tokens) if is_tag(str(tokenizer.convert_ids_to_tokens(token)))}
    if marks:  # without them nobody could tell the reasoning from the answer
        tokens = [token for token in tokens if token not in special - marks]
    text = tokenizer.decode(tokens, skip_special_tokens=not marks, clean_up_tokenization_spaces=False)
    return str(text)


def _fitting(prompts: Sequence[Sequence[int]], ready: LoadedGenerator) -> list[list[int]]:
    """Cut prompts on the left to what the model's context holds besides an answer; warn when that happens.

    A prompt without a token becomes the one that begins or ends texts: there is nothing else to continue.
    """
    tokenizer, most = ready.tokenizer, ready.settings.max_new_tokens
    context = getattr(ready.model.config, "max_position_embeddings", None)
    room = context - most if context else max([1, *map(len, prompts)])
    if room < 1:
        raise GeneratorError(
            got=f"max_new_tokens {most} for a model whose context is {context} tokens",
            needed="room for the prompt besides the answer",
            fix="set a smaller max_new_tokens",
        )
    if any(len(prompt) > room for prompt in prompts):
        warnings.warn(
            f"prompts longer than {room} tokens lose their beginning: the context is {context}", stacklevel=2
        )
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    return [list(prompt[-room:]) or [first or 0] for prompt in prompts]
