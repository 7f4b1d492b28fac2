"""Texts of a model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.core.bars import Bar
from workbench.core.terminal import short
from workbench.generators.asking import replies
from workbench.generators.completion import (
    FENCE,
    OPENED_FENCE,
    Completion,
    Prompt,
    estimated_tokens,
    texts_in_order,
)
from workbench.generators.endpoint import Endpoint, key, shown_url
from workbench.generators.manners import Learned
from workbench.generators.prompts import fim_family
from workbench.generators.reply import Reply
from workbench.generators.settings import GenerationSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["OpenAIText"]

MAX_STOPS = 4  # the API takes no more
ANSWER_SETTINGS = ("style", "temperature", "top_p", "max_new_tokens", "stop", "seed")


class OpenAIText:
    """A model behind an `Endpoint`. Chat goes to `/chat/completions`, the other styles to `/completions`.

    The endpoint does not say how it counts tokens. Budgets go by a guess on the high side, or by the tokenizer that
    is named.

    Args:
        model: The model's name at the endpoint.
        settings: How it is asked.
        tokenizer: A name on the Hub or a folder whose tokenizer counts.
        fenced: Open a code block behind a prompt that is continued, and end where the model closes it.
        left_out: Options that are not sent, such as `temperature` or `seed`.
        progress: Show a bar on a terminal's stderr.

    Raises:
        GeneratorError: There is no key. Later: the key or the model is refused, or the endpoint cannot be
            reached or answers nothing. A prompt that it refuses alone has a completion that is missing.
    """

    def __init__(
        self,
        model: str,
        settings: GenerationSettings | None = None,
        *,
        tokenizer: str | None = None,
        fenced: bool = False,
        left_out: Collection[str] = (),
        progress: bool = True,
    ) -> None:
        self.model_name, self.settings, self.progress = model, settings or GenerationSettings(), progress
        self.name = f"openai:{model}"
        self.style = "chat" if self.settings.style == "auto" else self.settings.style
        self._counting, self._fenced, self._left_out = tokenizer, fenced, frozenset(left_out)
        self._learned = Learned()
        key()  # missing, it should not be found out after the first hour

    @property
    def fingerprint(self) -> str:
        """Endpoint, model and settings."""
        chosen = {key: value for key, value in asdict(self.settings).items() if key in ANSWER_SETTINGS}
        return f"{self.name} {shown_url()} {chosen | {'style': self.style}}"

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes, by the tokenizer that was named, or else a guess."""
        if self._words is None:
            return estimated_tokens(text)
        return len(self._words(text, add_special_tokens=False)["input_ids"])

    @cached_property
    def _words(self) -> PreTrainedTokenizerBase | None:
        from workbench.generators.loading import load_words

        return None if self._counting is None else load_words(self._counting, self.settings)

    def complete(self, prompts: Sequence[str | Prompt]) -> list[str]:
        """Return what the model writes to each prompt, in order.

        Raises:
            GeneratorError: See the class; also one of the prompts is refused.
        """
        return texts_in_order(self.as_known(prompts), len(prompts))

    def as_known(self, prompts: Sequence[str | Prompt]) -> Iterator[tuple[int, Completion]]:
        """Yield the place of each prompt with its text as it comes, `concurrency` requests under way at once."""
        asked = [Prompt.of(prompt) for prompt in prompts]
        endpoint = Endpoint(
            self.model_name,
            retries=self.settings.retries,
            timeout_s=self.settings.timeout_s,
            learned=self._learned,
        )

        def ask(place: int) -> Reply:
            return self._reply(endpoint, asked[place])

        hidden = None if self.progress else True  # None: hidden where stderr is no terminal
        coming = replies(endpoint, ask, range(len(asked)), concurrency=self.settings.concurrency)
        with Bar(total=len(asked), desc=short(self.name), unit="answer", disable=hidden) as bar:
            for place, reply in coming:
                bar.update()
                yield place, Completion(reply.text, reply.ended, reply.said)

    def _reply(self, endpoint: Endpoint, prompt: Prompt) -> Reply:
        """Ask for one text, in a thread."""
        settings = self.settings
        options: dict[str, Any] = {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "max_tokens": settings.max_new_tokens,
            "seed": settings.seed if prompt.seed is None else prompt.seed,
        }
        options = {name: value for name, value in options.items() if name not in self._left_out}
        stops = list(settings.stop)
        if self.style != "chat":
            stops += [*([FENCE] if self._fenced else []), *prompt.stop]
        if stops:
            options["stop"] = stops[:MAX_STOPS]
        if self.style == "chat":
            return endpoint.chat(prompt.turns, **options)
        return endpoint.complete(**self._continued(prompt), **options)

    def _continued(self, prompt: Prompt) -> dict[str, str]:
        """Return what is to be continued; a gap is written with the model's marks where they are known."""
        if self.style == "completion":
            return {"prompt": prompt.text + (OPENED_FENCE if self._fenced else "")}
        after, family = prompt.after or "", fim_family(self.model_name)
        if family is None:  # the endpoint's own way to fill a gap
            return {"prompt": prompt.text, "suffix": after}
        return {"prompt": family.prompt(prompt.text, after)}
