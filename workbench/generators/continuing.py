"""What a loaded causal language model writes after prompts, each text as soon as it ends."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.core.errors import GeneratorError
from workbench.generators.in_step import Outlet, in_step
from workbench.generators.prompts import FillInTheMiddle
from workbench.generators.reasoning import is_tag
from workbench.generators.sampling import SeededSampling
from workbench.generators.settings import GenerationSettings
from workbench.generators.stopping import StopTexts
from workbench.models.stopping import TurnEnd, stop_token_ids, turn_end

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["LoadedModel", "Written", "continue_prompts", "loaded_model"]


@dataclass(frozen=True)
class LoadedModel:
    """A loaded model and how it is asked."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    settings: GenerationSettings
    ends: list[int]
    stops: tuple[str, ...]


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
) -> LoadedModel:
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
    settings = replace(settings, stop=(*settings.stop, *turn.texts))
    vocabulary = tokenizer.get_vocab() if family else {}
    ends = set(stop_token_ids(model, tokenizer, chat=chat))
    ends |= {vocabulary[token] for token in (family.ends if family else ()) if token in vocabulary}
    return LoadedModel(model, tokenizer, settings, sorted(ends), tuple(stops))


def continue_prompts(
    ready: LoadedModel, prompts: Sequence[list[int]], seeds: Sequence[int]
) -> Iterator[Written]:
    """Yield the text that the model writes after each prompt, as soon as it ends.

    Args:
        ready: The model.
        prompts: Token ids, padded on the left to one batch; what the context does not hold is cut off on the left,
            with a warning.
        seeds: One a prompt; without effect at temperature 0.
    """
    prompts = _fitting(prompts, ready.model, ready.settings.max_new_tokens)
    return in_step(lambda outlet: _generate(ready, prompts, seeds, outlet))


def _generate(
    ready: LoadedModel, prompts: Sequence[list[int]], seeds: Sequence[int], outlet: Outlet[Written]
) -> None:
    """Let the model write, and hand each text over when it ends."""
    import torch
    from transformers import GenerationConfig

    model, tokenizer, settings, ends = ready.model, ready.tokenizer, ready.settings, ready.ends
    stops = [*ready.stops, *settings.stop]
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else (ends or [0])[0]
    width = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts], device=model.device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=model.device)
    processors = []
    if settings.temperature > 0:
        processors.append(
            SeededSampling(
                seeds,
                prompt_length=width,
                max_new_tokens=settings.max_new_tokens,
                temperature=settings.temperature,
                top_p=settings.top_p,
                device=model.device,
            )
        )
    # The model's own generation settings (a repetition penalty, say) are left aside: ours are all there are.
    config = GenerationConfig(
        max_new_tokens=settings.max_new_tokens,
        do_sample=False,
        eos_token_id=ends or None,
        pad_token_id=pad,
    )
    rows = _Rows(ready, outlet, StopTexts(tokenizer, stops, prompt_length=width) if stops else None, width)
    with torch.inference_mode():
        generate: Any = model.generate
        written = generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=config,
            logits_processor=processors,
            stopping_criteria=[rows],
        )
    for row in range(len(prompts)):
        if row not in rows.ended:
            rows.hand_over(row, written[row, width:], cut=True)


class _Rows:
    """A stopping criterion of `generate` that hands each row's text over when the row ends."""

    def __init__(
        self, ready: LoadedModel, outlet: Outlet[Written], stops: StopTexts | None, prompt_length: int
    ) -> None:
        self._ready, self._outlet, self._stops, self._start = ready, outlet, stops, prompt_length
        self.ended: set[int] = set()

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Tell which rows have ended at a text; those that end at a token `generate` finds itself.

        Args:
            input_ids: (rows, tokens so far), int64.
            scores: Not looked at.

        Returns:
            (rows,) bool, on the same device.
        """
        import torch

        self._outlet.check()
        last = input_ids[:, -1]
        at_token = torch.isin(last, torch.tensor(self._ready.ends, device=last.device, dtype=last.dtype))
        at_text = self._stops(input_ids, scores) if self._stops else torch.zeros_like(at_token)
        for row, (by_token, by_text) in enumerate(zip(at_token.tolist(), at_text.tolist(), strict=True)):
            if (by_token or by_text) and row not in self.ended:
                end = input_ids.shape[1] - by_token  # the token that ends an answer is no part of it
                self.ended.add(row)
                self.hand_over(row, input_ids[row, self._start : end], cut=False)
        return at_text

    def hand_over(self, row: int, tokens: torch.Tensor, *, cut: bool) -> None:
        """Hand over a row's text, without special tokens but those that mark reasoning."""
        text = _decoded(self._ready.tokenizer, tokens.tolist())
        self._outlet.put(Written(row, _before_first(text, self._ready.settings.stop), cut))


def _decoded(tokenizer: PreTrainedTokenizerBase, tokens: list[int]) -> str:
    special = set(tokenizer.all_special_ids)
    marks = {token for token in special & set(tokens) if is_tag(str(tokenizer.convert_ids_to_tokens(token)))}
    if marks:  # without them nobody could tell the reasoning from the answer
        tokens = [token for token in tokens if token not in special - marks]
    text = tokenizer.decode(tokens, skip_special_tokens=not marks, clean_up_tokenization_spaces=False)
    return str(text)


def _before_first(text: str, stops: Iterable[str]) -> str:
    """Cut a text before the first of the user's stop texts."""
    for stop in stops:
        text = text.split(stop, maxsplit=1)[0]
    return text


def _fitting(prompts: Sequence[list[int]], model: PreTrainedModel, max_new_tokens: int) -> list[list[int]]:
    """Cut prompts on the left to what the model's context holds besides an answer; warn when that happens."""
    context = getattr(model.config, "max_position_embeddings", None)
    room = context - max_new_tokens if context else max(map(len, prompts))
    if room < 1:
        raise GeneratorError(
            got=f"max_new_tokens {max_new_tokens} for a model whose context is {context} tokens",
            needed="room for the prompt besides the answer",
            fix="set a smaller max_new_tokens",
        )
    if any(len(prompt) > room for prompt in prompts):
        warnings.warn(
            f"prompts longer than {room} tokens lose their beginning: the context is {context}", stacklevel=2
        )
    return [prompt[-room:] for prompt in prompts]
