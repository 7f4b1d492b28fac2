"""Answers of a causal language model that runs on this machine, by `transformers`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from workbench.core.errors import GeneratorError
from workbench.datasets.ds1000 import Problem
from workbench.generators.answer import CUT, STOPPED, Answer, in_order, wanted
from workbench.generators.answers import extract_answer
from workbench.generators.continuing import continue_prompts, loaded_model
from workbench.generators.loading import load_model
from workbench.generators.progress import AnswerBar
from workbench.generators.prompts import (
    FillInTheMiddle,
    chat_messages,
    completion_prompt,
    fim_family,
    solution_slot,
    stop_texts,
)
from workbench.generators.reasoning import OPENED, opens_reasoning
from workbench.generators.sampling import sample_seed
from workbench.generators.settings import GenerationSettings
from workbench.models.catalog import model_state
from workbench.models.chat import chat_text

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["HuggingFaceGenerator"]

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
        """Yield the model's answers in order. See `Generator.generate`."""
        asked = list(problems)
        yield from in_order(self.as_known(asked, samples=samples, skip=skip), wanted(asked, samples, skip))

    def as_known(
        self, problems: Iterable[Problem], *, samples: int = 1, skip: Collection[tuple[int, int]] = ()
    ) -> Iterator[Answer]:
        """Yield each of the model's answers as it ends, in any order."""
        pairs = list(wanted(problems, samples, skip))
        if not pairs:
            return
        self._loaded = self._loaded or load_model(self.model_name, self.settings)
        tokenizer = self._loaded[1]
        style, family = self._style(tokenizer)
        chat = style == "chat"
        ready = loaded_model(*self._loaded, self.settings, chat=chat, stops=stop_texts(style), family=family)
        drafts = chat and opens_reasoning(chat_text(tokenizer, chat_messages(pairs[0][0])))
        prompts = [_encode(problem, style, family, tokenizer) for problem, _ in pairs]
        seeds = [sample_seed(self.settings.seed, problem.problem_id, sample) for problem, sample in pairs]
        with AnswerBar(self.name, len(pairs), shown=self.progress) as bar:
            for written in continue_prompts(ready, prompts, seeds, tokens_written=bar.wrote):
                problem, sample = pairs[written.row]
                text = OPENED + written.text if drafts else written.text
                code = extract_answer(text, problem, style)
                bar.answered()
                yield Answer(problem.problem_id, sample, code, CUT if written.cut else STOPPED)

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


def _encode(
    problem: Problem, style: str, family: FillInTheMiddle | None, tokenizer: PreTrainedTokenizerBase
) -> list[int]:
    """Return the tokens of a prompt."""
    if style == "chat":
        text = chat_text(tokenizer, chat_messages(problem))
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
