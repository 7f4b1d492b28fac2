"""Answers of a causal language model that runs on this machine, by `transformers`."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.datasets.ds1000 import Problem
from workbench.errors import GeneratorError
from workbench.generators.answer import Answer, wanted
from workbench.generators.answers import extract_answer
from workbench.generators.loading import load_model
from workbench.generators.prompts import (
    FillInTheMiddle,
    chat_messages,
    completion_prompt,
    fim_family,
    solution_slot,
    stop_texts,
)
from workbench.generators.sampling import SeededSampling, sample_seed
from workbench.generators.settings import GenerationSettings
from workbench.generators.stopping import StopTexts
from workbench.terminal import short

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["HuggingFaceGenerator", "LoadedModel", "continue_prompts", "end_tokens", "model_state"]

# Prompts are sorted by length among this many batches: less padding, and little work is lost by a kill.
BATCHES_SORTED = 4
ANSWER_SETTINGS = (
    "style",
    "temperature",
    "top_p",
    "max_new_tokens",
    "stop",
    "seed",
    "quantize",
    "dtype",
    "revision",
)


class HuggingFaceGenerator:
    """A local model. It is loaded with the first answer.

    At temperature 0, or by a seed of its own for each answer, an answer does not depend on what it is batched
    with (but for rounding in the model's own arithmetic, which batching may change at low precision).

    Args:
        model: A name on the Hub or a folder with a checkpoint and its tokenizer.
        settings: How it is asked.
        progress: Show a bar on a terminal's stderr.

    Raises:
        GeneratorError: On the first answer: the model cannot be found or loaded, or cannot do what is asked.
    """

    def __init__(
        self, model: str, settings: GenerationSettings | None = None, *, progress: bool = True
    ) -> None:
        self.model_name, self.settings, self.progress = model, settings or GenerationSettings(), progress
        self.name = f"hf:{model}"
        self._loaded: tuple[PreTrainedModel, PreTrainedTokenizerBase] | None = None

    @property
    def fingerprint(self) -> str:
        """Model and settings; for a folder also its files' sizes and times of change."""
        chosen = {key: value for key, value in asdict(self.settings).items() if key in ANSWER_SETTINGS}
        return f"hf:{self.model_name} {chosen} {model_state(self.model_name)}"

    def generate(
        self, problems: Iterable[Problem], *, samples: int = 1, skip: Collection[tuple[int, int]] = ()
    ) -> Iterator[Answer]:
        """Yield the model's answers. See `Generator.generate`."""
        from tqdm.auto import tqdm

        pairs = list(wanted(problems, samples, skip))
        if not pairs:
            return
        self._loaded = self._loaded or load_model(self.model_name, self.settings)
        tokenizer = self._loaded[1]
        style, family = self._style(tokenizer)
        ready = LoadedModel(
            *self._loaded, self.settings, end_tokens(*self._loaded, family), stop_texts(style)
        )
        size = self.settings.batch_size
        hidden = None if self.progress else True  # None: hidden where stderr is no terminal
        with tqdm(total=len(pairs), desc=short(self.name), unit="answer", disable=hidden) as bar:
            for start in range(0, len(pairs), size * BATCHES_SORTED):
                window = pairs[start : start + size * BATCHES_SORTED]
                prompts = [_encode(problem, style, family, tokenizer) for problem, _ in window]
                order = sorted(range(len(window)), key=lambda i: -len(prompts[i]))
                texts: dict[int, str] = {}
                for first in range(0, len(order), size):
                    rows = order[first : first + size]
                    seeds = [
                        sample_seed(self.settings.seed, window[i][0].problem_id, window[i][1]) for i in rows
                    ]
                    batch = [prompts[i] for i in rows]
                    texts.update(zip(rows, continue_prompts(ready, batch, seeds), strict=True))
                    bar.update(len(rows))
                for i, (problem, sample) in enumerate(window):
                    yield Answer(problem.problem_id, sample, extract_answer(texts[i], problem, style))

    def _style(self, tokenizer: PreTrainedTokenizerBase) -> tuple[str, FillInTheMiddle | None]:
        """Return the prompt style, and for insertion the model's marks; refuse one it was not made for."""
        style, has_template = self.settings.style, bool(getattr(tokenizer, "chat_template", None))
        if style == "auto":
            return ("chat" if has_template else "completion"), None
        if style == "chat" and not has_template:
            raise GeneratorError(
                got=f"{self.model_name} has no chat template",
                needed="a chat model",
                fix="set style='completion'",
            )
        family = fim_family(self.model_name, tokenizer.get_vocab()) if style == "insertion" else None
        if style == "insertion" and family is None:
            raise GeneratorError(
                got=f"{self.model_name} has none of the fill-in-the-middle tokens known here",
                needed="a model that was trained to fill gaps, such as StarCoder or Qwen2.5-Coder",
                fix="set style='completion'",
            )
        return style, family


def model_state(model: str) -> list[tuple[str, int, int]]:
    """Return the name, size and time of change of each file of a checkpoint's folder; nothing for a Hub name."""
    folder = Path(model).expanduser()
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def _encode(
    problem: Problem, style: str, family: FillInTheMiddle | None, tokenizer: PreTrainedTokenizerBase
) -> list[int]:
    """Return the tokens of a prompt."""
    if style == "chat":
        text = tokenizer.apply_chat_template(
            chat_messages(problem), tokenize=False, add_generation_prompt=True
        )
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])  # the template wrote them
    if family is None:
        return list(tokenizer(completion_prompt(problem))["input_ids"])
    slot = solution_slot(problem)

    def marked(mark: str, text: str) -> list[int]:
        # By name, since some tokenizers (CodeLlama's) do not find their marks in a text.
        content = tokenizer(text, add_special_tokens=False)["input_ids"]
        return [tokenizer.convert_tokens_to_ids(mark), *content]

    parts = [marked(family.before, slot.prefix), marked(family.after, slot.suffix)]
    first, second = reversed(parts) if family.suffix_first else parts
    # What the tokenizer itself puts before every text (a beginning-of-sequence token, or nothing).
    start = tokenizer("")["input_ids"][:1] if tokenizer.bos_token_id in tokenizer("")["input_ids"] else []
    return [*start, *first, *second, *([tokenizer.convert_tokens_to_ids(family.gap)] if family.gap else [])]


@dataclass(frozen=True)
class LoadedModel:
    """A loaded model and how it is asked."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    settings: GenerationSettings
    ends: list[int]
    stops: tuple[str, ...]


def continue_prompts(ready: LoadedModel, prompts: Sequence[list[int]], seeds: Sequence[int]) -> list[str]:
    """Return the text that the model writes after each prompt, padded on the left to one batch.

    Args:
        ready: The model.
        prompts: Token ids; what the context does not hold is cut off on the left, with a warning.
        seeds: One a prompt; without effect at temperature 0.
    """
    import torch
    from transformers import GenerationConfig

    model, tokenizer, settings, ends = ready.model, ready.tokenizer, ready.settings, ready.ends
    stops = [*ready.stops, *settings.stop]
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else (ends or [0])[0]
    prompts = _fitting(prompts, model, settings.max_new_tokens)
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
    with torch.inference_mode():
        generate: Any = model.generate
        written = generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=config,
            logits_processor=processors,
            stopping_criteria=[StopTexts(tokenizer, stops, prompt_length=width)] if stops else None,
        )
    texts = tokenizer.batch_decode(
        written[:, width:], skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return [_before_first(text, settings.stop) for text in texts]


def _before_first(text: str, stops: Iterable[str]) -> str:
    """Cut a text before the first of the user's stop texts."""
    for stop in stops:
        text = text.split(stop, maxsplit=1)[0]
    return text


def end_tokens(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, family: FillInTheMiddle | None
) -> list[int]:
    """Return the ids of the tokens that end an answer."""
    known = model.generation_config.eos_token_id if model.generation_config else None
    ends = {tokenizer.eos_token_id} | set(known if isinstance(known, list) else [known])
    if family:
        vocabulary = tokenizer.get_vocab()
        ends |= {vocabulary.get(token) for token in family.ends}
    return sorted(token for token in ends if token is not None)


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
