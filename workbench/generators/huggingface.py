"""Texts of a causal language model that runs on this machine, by `transformers`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from workbench.core.errors import GeneratorError
from workbench.generators.answer import CUT, STOPPED
from workbench.generators.completion import FENCE, OPENED_FENCE, Completion, Prompt, texts_in_order
from workbench.generators.continuing import continue_prompts, loaded_model
from workbench.generators.loading import load_model, load_words
from workbench.generators.progress import AnswerBar
from workbench.generators.prompts import FillInTheMiddle, fim_family
from workbench.generators.reasoning import OPENED, opens_reasoning
from workbench.generators.settings import LOADED_ANSWER_SETTINGS, GenerationSettings
from workbench.models.catalog import model_state
from workbench.models.chat import chat_text
from workbench.models.tokenizing import around_tokens, tokens_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["HuggingFaceText"]


class HuggingFaceText:
    """A local model. It is loaded with the first text; to count tokens its tokenizer is enough.

    At temperature 0, or by a seed of its own for each prompt, a text does not depend on what it is batched with (but
    for rounding in the model's own arithmetic, which batching may change at low precision).

    Args:
        model: A folder with a checkpoint and its tokenizer, a GGUF file, a short name, or a name on the Hub.
        settings: How it is asked.
        fenced: Open a code block behind a prompt that is continued, and end where the model closes it.
        progress: Show a bar on a terminal's stderr.

    Raises:
        GeneratorError: With the first text: the model cannot be found or loaded, or cannot do what is asked.
    """

    def __init__(
        self,
        model: str,
        settings: GenerationSettings | None = None,
        *,
        fenced: bool = False,
        progress: bool = True,
    ) -> None:
        self.model_name, self.settings, self.progress = model, settings or GenerationSettings(), progress
        self.name, self._fenced = f"hf:{model}", fenced
        self._tokenizer: PreTrainedTokenizerBase | None = None
        self._model: PreTrainedModel | None = None

    @property
    def fingerprint(self) -> str:
        """Model and settings; for a folder also its files' sizes and times of change."""
        chosen = {key: value for key, value in asdict(self.settings).items() if key in LOADED_ANSWER_SETTINGS}
        return f"{self.name} {chosen} {model_state(self.model_name)}"

    @property
    def style(self) -> str:
        """How it is asked: `completion`, `insertion` or `chat`.

        Raises:
            GeneratorError: It was not made for the style of the settings.
        """
        style, has_template = self.settings.style, bool(getattr(self._words(), "chat_template", None))
        if style == "auto":
            return "chat" if has_template else "completion"
        if style == "chat" and not has_template:
            raise GeneratorError(
                got=f"{self.model_name} has no chat template",
                needed="a chat model",
                fix="set style='completion'",
            )
        return style

    def count_tokens(self, text: str) -> int:
        """Return how many of the model's tokens a text takes."""
        return len(self._words()(text, add_special_tokens=False)["input_ids"])

    def complete(self, prompts: Sequence[str | Prompt]) -> list[str]:
        """Return what the model writes to each prompt, in order."""
        return texts_in_order(self.as_known(prompts), len(prompts))

    def as_known(self, prompts: Sequence[str | Prompt]) -> Iterator[tuple[int, Completion]]:
        """Yield the place of each prompt with what the model writes to it, as soon as that ends."""
        asked = [Prompt.of(prompt) for prompt in prompts]
        if not asked:
            return
        if self._model is None:
            self._model, self._tokenizer = load_model(self.model_name, self.settings)
        tokenizer, style = self._words(), self.style
        family, chat = self._family(style), style == "chat"
        stops = dict.fromkeys(
            [*([FENCE] if self._fenced else []), *(text for one in asked for text in one.stop)]
        )
        ready = loaded_model(
            self._model,
            tokenizer,
            self.settings,
            chat=chat,
            stops=() if chat else tuple(stops),
            family=family,
        )
        drafts = chat and opens_reasoning(chat_text(tokenizer, asked[0].turns))
        tokens = [self._encoded(one, style, family) for one in asked]
        seeds = [self.settings.seed if one.seed is None else one.seed for one in asked]
        with AnswerBar(self.name, len(asked), shown=self.progress) as bar:
            for written in continue_prompts(ready, tokens, seeds, tokens_written=bar.wrote):
                text = OPENED + written.text if drafts else written.text
                bar.answered()
                yield written.row, Completion(text, CUT if written.cut else STOPPED)

    def _words(self) -> PreTrainedTokenizerBase:
        if self._tokenizer is None:
            self._tokenizer = load_words(self.model_name, self.settings)
        return self._tokenizer

    def _family(self, style: str) -> FillInTheMiddle | None:
        """Return the model's marks, where it is to fill gaps."""
        family = fim_family(self.model_name, self._words().get_vocab()) if style == "insertion" else None
        if style == "insertion" and family is None:
            raise GeneratorError(
                got=f"{self.model_name} has none of the fill-in-the-middle tokens known here",
                needed="a model that was trained to fill gaps, such as StarCoder or Qwen2.5-Coder",
                fix="set style='completion'",
            )
        return family

    def _encoded(self, prompt: Prompt, style: str, family: FillInTheMiddle | None) -> list[int]:
        """Return the tokens of a prompt."""
        tokenizer = self._words()
        if style == "chat":
            # The template writes the special tokens itself.
            text = chat_text(tokenizer, prompt.turns)
            return list(tokenizer(text, add_special_tokens=False)["input_ids"])
        # what the tokenizer itself puts before every text, and nothing that ends one
        start, _ = around_tokens(tokenizer)
        if family is None:
            (tokens,) = tokens_of([prompt.text + (OPENED_FENCE if self._fenced else "")], tokenizer)
            return [*start, *tokens]

        def marked(mark: str, text: str) -> list[int]:
            # By name, since some tokenizers (CodeLlama's) do not find their marks in a text.
            content = tokenizer(text, add_special_tokens=False)["input_ids"]
            return [tokenizer.convert_tokens_to_ids(mark), *content]

        parts = [marked(family.before, prompt.text), marked(family.after, prompt.after or "")]
        first, second = reversed(parts) if family.suffix_first else parts
        gap = marked(family.gap, "") if family.gap else []
        return [*start, *first, *second, *gap]
