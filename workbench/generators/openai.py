"""Answers of a model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from workbench.datasets.ds1000 import Problem
from workbench.generators.answer import Answer, wanted
from workbench.generators.answers import extract_answer
from workbench.generators.endpoint import Endpoint, key, shown_url
from workbench.generators.prompts import (
    chat_messages,
    completion_prompt,
    fim_family,
    solution_slot,
    stop_texts,
)
from workbench.generators.sampling import sample_seed
from workbench.generators.settings import GenerationSettings
from workbench.terminal import short

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
            reached or gives no answer.
    """

    def __init__(
        self, model: str, settings: GenerationSettings | None = None, *, progress: bool = True
    ) -> None:
        self.model_name, self.settings, self.progress = model, settings or GenerationSettings(), progress
        self.name = f"openai:{model}"
        self.style = "chat" if self.settings.style == "auto" else self.settings.style
        key()  # missing, it should not be found out after the first hour

    @property
    def fingerprint(self) -> str:
        """Endpoint, model and settings."""
        chosen = {key: value for key, value in asdict(self.settings).items() if key in ANSWER_SETTINGS}
        return f"openai:{self.model_name} {shown_url()} {chosen | {'style': self.style}}"

    def generate(
        self, problems: Iterable[Problem], *, samples: int = 1, skip: Collection[tuple[int, int]] = ()
    ) -> Iterator[Answer]:
        """Yield the model's answers, `concurrency` requests under way at once. See `Generator.generate`."""
        from tqdm.auto import tqdm

        hidden = None if self.progress else True  # None: hidden where stderr is no terminal
        pool = ThreadPoolExecutor(self.settings.concurrency, thread_name_prefix="openai")
        endpoint = Endpoint(self.model_name, retries=self.settings.retries, timeout_s=self.settings.timeout_s)
        waiting: deque[tuple[Problem, int, Future[str]]] = deque()
        try:
            with tqdm(desc=short(self.name), unit="answer", disable=hidden) as bar:
                for problem, sample in wanted(problems, samples, skip):
                    waiting.append((problem, sample, pool.submit(self._text, endpoint, problem, sample)))
                    if len(waiting) >= 2 * self.settings.concurrency:  # a slow one does not idle the others
                        yield self._answer(*waiting.popleft())
                        bar.update()
                while waiting:
                    yield self._answer(*waiting.popleft())
                    bar.update()
        finally:  # also where the caller stops early: nobody waits for requests whose answers are not wanted
            for *_, future in waiting:
                future.cancel()
            endpoint.close()
            pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, problem: Problem, sample: int, text: Future[str]) -> Answer:
        """Wait for a text and cut it; here, since silencing the parser's warnings is not for threads."""
        return Answer(problem.problem_id, sample, extract_answer(text.result(), problem, self.style))

    def _text(self, endpoint: Endpoint, problem: Problem, sample: int) -> str:
        """Ask for one answer, in a thread of the pool; empty where the model refuses or calls a tool."""
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
            return endpoint.chat(chat_messages(problem), **options) or ""
        return endpoint.complete(**self._completion(problem), **options) or ""

    def _completion(self, problem: Problem) -> dict[str, str]:
        """Return the prompt of a completion; a gap is written with the model's marks where they are known."""
        if self.style == "completion":
            return {"prompt": completion_prompt(problem)}
        slot, family = solution_slot(problem), fim_family(self.model_name)
        if family is None:  # the endpoint's own way to fill a gap
            return {"prompt": slot.prefix, "suffix": slot.suffix}
        return {"prompt": family.prompt(slot.prefix, slot.suffix)}
