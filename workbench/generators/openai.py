"""Texts of a model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.core.bars import Bar
from workbench.core.terminal import short
from workbench.generators.address import environment_key, environment_url
from workbench.generators.asking import replies
from workbench.generators.completion import (
    FENCE,
    OPENED_FENCE,
    Completion,
    Prompt,
    estimated_tokens,
    texts_in_order,
)
from workbench.generators.endpoint import Endpoint
from workbench.generators.manners import Learned, Manners
from workbench.generators.prompts import fim_family
from workbench.generators.reply import Reply
from workbench.generators.settings import ANSWER_SETTINGS, GenerationSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["OpenAIText"]

MAX_STOPS = 4  # the API takes no more
MAX_SAMPLES = 128  # of one request; the API takes no more
AT_ONCE = 8  # requests, where nothing is set


class OpenAIText:
    """A model behind an `Endpoint`. Chat goes to `/chat/completions`, the other styles to `/completions`.

    The endpoint does not say how it counts tokens. Budgets go by a guess on the high side, or by the tokenizer that
    is named.

    The samples of a prompt are asked for by one request (`n`), whose seed is that of the first; where the endpoint
    does not take `n`, each by one of its own. At temperature 0 they always are.

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
        self._counting, self._fenced, self._left_out = tokenizer, fenced, frozenset(left_out)
        self._learned = Learned()
        self._check_address()

    def _check_address(self) -> None:
        environment_key()  # missing, it should not be found out after the first hour

    @cached_property
    def style(self) -> str:
        """How it is asked: `completion`, `insertion` or `chat`, which is the default."""
        return "chat" if self.settings.style == "auto" else self.settings.style

    @property
    def fingerprint(self) -> str:
        """Endpoint, model and settings."""
        chosen = {key: value for key, value in asdict(self.settings).items() if key in ANSWER_SETTINGS}
        return f"{self.name} {environment_url()} {chosen | {'style': self.style}}"

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
        hidden = None if self.progress else True  # None: hidden where stderr is no terminal
        with Bar(total=len(asked), desc=short(self.name), unit="answer", disable=hidden) as bar:
            for place, reply in self._replies(asked):
                bar.update()
                yield place, Completion(reply.text, reply.ended, reply.said)

    def _endpoint(self) -> Endpoint:
        """Return the endpoint, with connections of its own."""
        return Endpoint(
            self.model_name,
            retries=self.settings.retries,
            timeout_s=self.settings.timeout_s,
            learned=self._learned,
        )

    def _at_once(self, samples: int) -> int:
        """Return how many requests are under way at once, each for so many samples."""
        return self.settings.concurrency or AT_ONCE

    def _replies(self, asked: Sequence[Prompt]) -> Iterator[tuple[int, Reply]]:
        """Yield each prompt's place with its reply; samples of a prompt share a request, or follow each other."""
        requests = self._requests(asked)
        while requests:
            endpoint, left = self._endpoint(), list[range]()

            def ask(places: range, endpoint: Endpoint = endpoint) -> Reply:
                return self._reply(endpoint, asked[places[0]], len(places))

            concurrency = self._at_once(max(map(len, requests)))
            for places, reply in replies(endpoint, ask, self._whole(requests, left), concurrency=concurrency):
                came = [reply] * len(places) if reply.is_missing else [reply, *reply.others][: len(places)]
                yield from zip(places, came, strict=False)
                if len(came) == 1 < len(places):  # `n` was ignored, or refused
                    self._learned.add(Manners(one_sample=True), f"{endpoint.shown}, {self.model_name}")
                left.append(places[len(came) :])
            alone = sorted(place for places in left for place in places)
            requests = [range(place, place + 1) for place in alone]

    def _requests(self, asked: Sequence[Prompt]) -> list[range]:
        """Return the places that share a request: neighbours that differ in their seeds alone."""
        found: list[range] = []
        most = 1 if self.settings.temperature == 0 or self._learned.manners.one_sample else MAX_SAMPLES
        for place, prompt in enumerate(asked):
            last = found[-1] if found else range(0)
            same = last and replace(prompt, seed=None) == replace(asked[last[0]], seed=None)
            if same and len(last) < most:
                found[-1] = range(last[0], place + 1)
            else:
                found.append(range(place, place + 1))
        return found

    def _whole(self, requests: Sequence[range], left: list[range]) -> Iterator[range]:
        """Yield requests; once it is known that one brings one sample, those for several are left."""
        for places in requests:
            if len(places) > 1 and self._learned.manners.one_sample:
                left.append(places)
            else:
                yield places

    def _reply(self, endpoint: Endpoint, prompt: Prompt, samples: int) -> Reply:
        """Ask for the samples of one prompt, in a thread."""
        options = self._options(prompt, samples)
        if self.style == "chat":
            return endpoint.chat(prompt.turns, **options)
        return endpoint.complete(**self._continued(prompt), **options)

    def _options(self, prompt: Prompt, samples: int) -> dict[str, Any]:
        """Return what a request says besides the prompt."""
        settings = self.settings
        options: dict[str, Any] = {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "max_tokens": settings.max_new_tokens,
            "seed": settings.seed if prompt.seed is None else prompt.seed,
        }
        options = {name: value for name, value in options.items() if name not in self._left_out}
        if samples > 1:
            options["n"] = samples
        if stops := self._stops(prompt):
            options["stop"] = stops[:MAX_STOPS]
        return options

    def _stops(self, prompt: Prompt) -> list[str]:
        if self.style == "chat":
            return list(self.settings.stop)
        return [*self.settings.stop, *([FENCE] if self._fenced else []), *prompt.stop]

    def _continued(self, prompt: Prompt) -> dict[str, str]:
        """Return what is to be continued; a gap is written with the model's marks where they are known."""
        if self.style == "completion":
            return {"prompt": prompt.text + (OPENED_FENCE if self._fenced else "")}
        after, family = prompt.after or "", fim_family(self.model_name)
        if family is None:  # the endpoint's own way to fill a gap
            return {"prompt": prompt.text, "suffix": after}
        return {"prompt": family.prompt(prompt.text, after)}
