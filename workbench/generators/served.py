"""Texts of a model that an engine serves on this machine: it is started when first asked, and always ended."""

from __future__ import annotations

import json
import sys
import weakref
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from workbench.core.errors import GeneratorError
from workbench.generators.completion import Completion, Prompt
from workbench.generators.endpoint import Endpoint
from workbench.generators.manners import Learned, Manners
from workbench.generators.openai import OpenAIText
from workbench.generators.prompts import fim_family
from workbench.generators.reply import Reply
from workbench.generators.serving.engines import choose_engine
from workbench.generators.serving.lease import Launch, Lease
from workbench.generators.settings import LOADED_ANSWER_SETTINGS, GenerationSettings
from workbench.models.catalog import model_state

__all__ = ["ServedText"]

WEEK_S = 7 * 86400.0
"""Answers wait for each other in the engine, however long: one that has ended, or works no more, is noticed."""


class ServedText(OpenAIText):
    """A model that vLLM, `transformers serve` or llama.cpp's `llama-server` serves here.

    The engine is started with the first text, and shared with all on this machine who serve the same. It is ended
    with its last user: when that closes this, forgets it, or ends, even by `kill -9`. Requests that are under way at
    once are as many as the engine works on, and the samples of a prompt are asked for together.

    Args:
        spec: `MODEL`, or `MODEL@vllm`, `MODEL@transformers`, `MODEL@llama.cpp`; without an engine the first of them
            that is installed.
        settings: How it is asked; its weights are loaded as `quantize`, `dtype`, `device` and `revision` say.
        fenced: Open a code block behind a prompt that is continued, and end where the model closes it.
        left_out: Options that are not sent.
        progress: Show a bar on a terminal's stderr; and say on stderr that an engine starts, and what it is at.

    Raises:
        SettingsError: There is no such engine, or it cannot do what the settings say.
        GeneratorError: It is not installed. Later: it does not start, or ends while it answers; its log is shown.
        ModelError: It cannot serve a model of this kind.
    """

    def __init__(
        self,
        spec: str,
        settings: GenerationSettings | None = None,
        *,
        fenced: bool = False,
        left_out: Collection[str] = (),
        progress: bool = True,
    ) -> None:
        model, self._engine = choose_engine(spec)
        super().__init__(model, settings, fenced=fenced, left_out=left_out, progress=progress)
        start = self._engine.found()
        assert start is not None
        self._source = model
        self._serving = self._engine.serve(start, model, self.settings)
        self.model_name, self.name = self._serving.model, f"served:{spec}"
        self._counting = self._serving.tokenizer
        self._learned = Learned(Manners(one_sample=not self._serving.takes_n))
        self._lease: Lease | None = None

    def _check_address(self) -> None:
        """Nothing is there yet."""

    @property
    def fingerprint(self) -> str:
        """Model, engine and settings; for a folder also its files' sizes and times of change."""
        chosen = {key: value for key, value in asdict(self.settings).items() if key in LOADED_ANSWER_SETTINGS}
        return f"served:{self._source}@{self._engine.name} {chosen} {model_state(self._source)}"

    @property
    def engine(self) -> str:
        """The engine's name."""
        return self._engine.name

    @property
    def launch(self) -> Launch:
        """How the engine is started."""
        return self._serving.launch

    @property
    def capacity(self) -> int:
        """How many samples the engine works on at once."""
        return self._serving.capacity

    @property
    def lease(self) -> Lease:
        """The engine in use; it is started where it does not run."""
        if self._lease is None or not self._lease.runs():
            self.close()
            self._lease = Lease(self.launch, self._say)
            weakref.finalize(self, self._lease.close)
        return self._lease

    def close(self) -> None:
        """Use the engine no longer; asked again, it is started again."""
        if self._lease is not None:
            self._lease.close()
            self._lease = None

    def as_known(self, prompts: Sequence[str | Prompt]) -> Iterator[tuple[int, Completion]]:
        """Yield the place of each prompt with its text as it comes."""
        if not prompts:
            return
        if self._serving.needs_config:
            self._ends  # noqa: B018 - read here once, and not by each thread
        lease, _ = self.lease, self.style
        try:
            yield from super().as_known(prompts)
        except KeyboardInterrupt:
            self.close()  # else this process would wait for the answers that are under way
            raise
        except GeneratorError as error:
            if not lease.runs():
                raise lease.ended() from error
            said = f"runs, and does not answer: {error.got}"
            raise lease.failure(
                said, "see its log, and change the settings or the model that it names"
            ) from error

    def _endpoint(self) -> Endpoint:
        return Endpoint(
            self.model_name,
            retries=self.settings.retries,
            timeout_s=WEEK_S,
            learned=self._learned,
            address=self.lease.address,
            runs=self.lease.runs,
        )

    def _at_once(self, samples: int) -> int:
        return self.settings.concurrency or -(-self.capacity // samples)

    @cached_property
    def style(self) -> str:
        """How it is asked: `completion`, `insertion` or `chat`; by default chat where there is a chat template."""
        if self.settings.style != "auto":
            return self.settings.style
        words = self._words
        return "completion" if words is not None and not getattr(words, "chat_template", None) else "chat"

    def _reply(self, endpoint: Endpoint, prompt: Prompt, samples: int) -> Reply:
        # a running batch of transformers goes on behind stop texts, and its `generate` keeps the text itself
        with self._lease.asked() if self._lease is not None else nullcontext():
            return super()._reply(endpoint, prompt, samples).cut(self._stops(prompt))

    def _continued(self, prompt: Prompt) -> dict[str, str]:
        if self.style == "insertion" and fim_family(self._source) is None:
            raise GeneratorError(
                got=f"{self._source}, whose marks for gaps are not known here",
                needed="a model that was trained to fill gaps, such as StarCoder or Qwen2.5-Coder",
                fix="set style='completion'",
            )
        return super()._continued(prompt)

    def _options(self, prompt: Prompt, samples: int) -> dict[str, Any]:
        options = super()._options(prompt, samples)
        if self._serving.needs_config:
            # without these words it takes the likeliest token at any temperature, where the checkpoint does
            config = {"do_sample": self.settings.temperature > 0, "top_k": 0, "eos_token_id": self._ends}
            options["extra_body"] = {"generation_config": json.dumps(config)}
        return options

    @cached_property
    def _ends(self) -> list[int]:
        """Tokens that end a text, as a model that is loaded here has them."""
        from transformers import AutoConfig, GenerationConfig

        from workbench.models.stopping import stop_token_ids

        tokenizer: Any = self._words  # first: where the model is missing it says so in plain words
        revision, source = self.settings.revision or "main", str(self._serving.tokenizer)
        try:
            generation: Any = GenerationConfig.from_pretrained(source, revision=revision)
        except OSError:  # a checkpoint without one
            generation = None
        config = AutoConfig.from_pretrained(source, revision=revision)
        model: Any = SimpleNamespace(config=config, generation_config=generation)
        return list(stop_token_ids(model, tokenizer, chat=self.style == "chat"))

    def _say(self, text: str) -> None:
        if self.progress:
            print(f"{self.name}: {text}", file=sys.stderr, flush=True)
