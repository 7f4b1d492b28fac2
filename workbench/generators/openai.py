"""Answers of a model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from workbench.core.terminal import short
from workbench.datasets.ds1000 import Problem
from workbench.generators.answer import Answer, in_order, wanted
from workbench.generators.answers import extract_answer
from workbench.generators.asking import replies
from workbench.generators.endpoint import Endpoint, key, shown_url
from workbench.generators.manners import Learned
from workbench.generators.prompts import (
    chat_messages,
    completion_prompt,
    fim_family,
    solution_slot,
    stop_texts,
)
from workbench.generators.reply import Reply
from workbench.generators.sampling import sample_seed
from workbench.generators.settings import GenerationSettings

__all__ = ["OpenAIGenerator"]

MAX_STOPS = 4  # the API takes no more
ANSWER_SETTINGS = ("style", "temperature", "top_p", "max_new_tokens", "stop", "seed")


class OpenAIGenerator:
    """A model behind an `Endpoint`. Chat goes to `/chat/completions`, the other styles to `/completions`.

    Args:
        model: The model's name at the endpoint.
        settings: How it is asked.
        progress: Show a bar on a terminal's stderr.

    Raises:
        GeneratorError: There is no key. Later: the key or the model is refused, or the endpoint cannot be
            reached or answers nothing. A prompt that it refuses alone is an answer that is missing.
    """

    def __init__(
        self, model: str, settings: GenerationSettings | None = None, *, progress: bool = True
    ) -> None:
        self.model_name, self.settings, self.progress = model, settings or GenerationSettings(), progress
        self.name = f"openai:{model}"
        self.style = "chat" if self.settings.style == "auto" else self.settings.style
        self._learned = Learned()
        key()  # missing, it should not be found out after the first hour

    @property
    def fingerprint(self) -> str:
        """Endpoint, model and settings."""
        chosen = {key: value for key, value in asdict(self.settings).items() if key in ANSWER_SETTINGS}
        return f"openai:{self.model_name} {shown_url()} {chosen | {'style': self.style}}"

    def generate(
        self, problems: Iterable[Problem], *, samples: int = 1, skip: Collection[tuple[int, int]] = ()
    ) -> Iterator[Answer]:
        """Yield the model's answers in order. See `Generator.generate`."""
        asked = list(problems)
        yield from in_order(self.as_known(asked, samples=samples, skip=skip), wanted(asked, samples, skip))

    def as_known(
        self, problems: Iterable[Problem], *, samples: int = 1, skip: Collection[tuple[int, int]] = ()
    ) -> Iterator[Answer]:
        """Yield the model's answers as they come, `concurrency` requests under way at once."""
        from workbench.core.bars import Bar

        endpoint = Endpoint(
            self.model_name,
            retries=self.settings.retries,
            timeout_s=self.settings.timeout_s,
            learned=self._learned,
        )

        def ask(one: tuple[Problem, int]) -> Reply:
            return self._reply(endpoint, *one)

        hidden = None if self.progress else True  # None: hidden where stderr is no terminal
        coming = replies(
            endpoint, ask, wanted(problems, samples, skip), concurrency=self.settings.concurrency
        )
        for (problem, sample), reply in Bar(coming, desc=short(self.name), unit="answer", disable=hidden):
            # Here and not in the thread, since silencing the parser's warnings is not for threads.
            code = extract_answer(reply.text, problem, self.style)
            yield Answer(problem.problem_id, sample, code, reply.ended, reply.said)

    def _reply(self, endpoint: Endpoint, problem: Problem, sample: int) -> Reply:
        """Ask for one answer, in a thread."""
        settings = self.settings
        options: dict[str, Any] = {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "max_tokens": settings.max_new_tokens,
            "seed": sample_seed(settings.seed, problem.problem_id, sample),
        }
        stops = [*settings.stop, *stop_texts(self.style)][:MAX_STOPS]
        if stops:
            options["stop"] = stops
        if self.style == "chat":
            return endpoint.chat(chat_messages(problem), **options)
        return endpoint.complete(**self._completion(problem), **options)

    def _completion(self, problem: Problem) -> dict[str, str]:
        """Return the prompt of a completion; a gap is written with the model's marks where they are known."""
        if self.style == "completion":
            return {"prompt": completion_prompt(problem)}
        slot, family = solution_slot(problem), fim_family(self.model_name)
        if family is None:  # the endpoint's own way to fill a gap
            return {"prompt": slot.prefix, "suffix": slot.suffix}
        return {"prompt": family.prompt(slot.prefix, slot.suffix)}
