"""Models as code generators of the active loop: on this machine, behind an endpoint, or recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError, GeneratorError, SettingsError
from workbench.datasets.coding_problem import CodeGenerator
from workbench.datasets.jsonl import Faults, read_objects
from workbench.generators.answer import CUT, STOPPED
from workbench.generators.manners import Learned
from workbench.generators.progress import AnswerBar
from workbench.generators.reasoning import OPENED, opens_reasoning
from workbench.generators.settings import GenerationSettings
from workbench.models.chat import chat_text
from workbench.retrieval.completion import Completion, texts_in_order
from workbench.store.journal import content_key

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from workbench.generators.reply import Reply

__all__ = ["HuggingFaceCode", "OpenAICode", "RecordedCode", "estimated_tokens", "make_code_generator"]

_KINDS = "hf:NAME-OR-PATH, openai:MODEL, recorded:FILE.jsonl"
_OPENED = "\n```\n"  # what a model without a chat template continues
_STOP = "```"


class HuggingFaceCode:
    """A causal language model on this machine; loaded with the first answer.

    A chat model gets a prompt as the user's turn. Another one continues it, with a code block opened.

    Args:
        model: A name on the Hub or a folder with a checkpoint and its tokenizer.
        settings: How it is asked. The temperature is 0, as in the paper, whatever is set.
        progress: Show a bar on a terminal's stderr.

    Raises:
        SettingsError: The style is insertion, which a prompt with documents has no place for.
    """

    def __init__(
        self, model: str, settings: GenerationSettings | None = None, *, progress: bool = True
    ) -> None:
        self.model_name, self.name, self._progress = model, f"hf:{model}", progress
        self.settings = _greedy(settings)
        self._tokenizer: PreTrainedTokenizerBase | None = None
        self._model: PreTrainedModel | None = None

    @property
    def fingerprint(self) -> str:
        """Model and settings; for a folder also its files' sizes and times of change."""
        from workbench.generators.huggingface import ANSWER_SETTINGS
        from workbench.models.catalog import model_state

        chosen = {key: value for key, value in asdict(self.settings).items() if key in ANSWER_SETTINGS}
        return f"{self.name} {chosen} {model_state(self.model_name)}"

    def count_tokens(self, text: str) -> int:
        """Return how many of the model's tokens a text takes."""
        return len(self._words()(text, add_special_tokens=False)["input_ids"])

    def complete(self, prompts: Sequence[str]) -> list[str]:
        """Return the likeliest answers. See `CodeGenerator.complete`.

        Raises:
            GeneratorError: The model cannot be found or loaded, or has no chat template where one is asked for.
        """
        return texts_in_order(self.as_known(prompts), len(prompts))

    def as_known(self, prompts: Sequence[str]) -> Iterator[tuple[int, Completion]]:
        """Yield the place of each prompt with its answer, as soon as that ends. See `complete`."""
        from workbench.generators.continuing import continue_prompts, loaded_model
        from workbench.generators.loading import load_model

        chat = self._is_chat()
        if self._model is None:
            self._model, self._tokenizer = load_model(self.model_name, self.settings)
        stop = self.settings.stop if chat else (*self.settings.stop, _STOP)
        ready = loaded_model(self._model, self._words(), replace(self.settings, stop=stop), chat=chat)
        encoded = [self._encoded(prompt, chat) for prompt in prompts]
        drafts = chat and bool(prompts) and opens_reasoning(self._text(prompts[0]))
        with AnswerBar(self.name, len(encoded), shown=self._progress) as bar:
            for written in continue_prompts(ready, encoded, [0] * len(encoded), tokens_written=bar.wrote):
                text = OPENED + written.text if drafts else written.text
                bar.answered()
                yield written.row, Completion(text, CUT if written.cut else STOPPED)

    def _words(self) -> PreTrainedTokenizerBase:
        """Return the tokenizer, which is enough to count; a run whose answers are all known needs no model."""
        if self._tokenizer is None:
            from workbench.models.loading import ModelSettings, load_tokenizer

            self._tokenizer = load_tokenizer(ModelSettings(self.model_name, revision=self.settings.revision))
        return self._tokenizer

    def _is_chat(self) -> bool:
        has_template = bool(getattr(self._words(), "chat_template", None))
        if self.settings.style == "chat" and not has_template:
            raise GeneratorError(
                got=f"{self.model_name} has no chat template",
                needed="a chat model",
                fix="set style='completion'",
            )
        return has_template and self.settings.style != "completion"

    def _encoded(self, prompt: str, chat: bool) -> list[int]:
        tokenizer = self._words()
        if not chat:
            return list(tokenizer(prompt + _OPENED)["input_ids"])
        return list(tokenizer(self._text(prompt), add_special_tokens=False)["input_ids"])  # it wrote them

    def _text(self, prompt: str) -> str:
        """Return a prompt as the chat template writes it."""
        return chat_text(self._words(), [{"role": "user", "content": prompt}])


class OpenAICode:
    """A model behind an OpenAI-compatible endpoint; see `workbench.generators.endpoint.Endpoint`.

    The endpoint does not say how it counts tokens. Budgets go by a guess on the high side, or by the tokenizer
    that is named.

    Args:
        model: The model's name at the endpoint.
        settings: How it is asked. The temperature is 0, whatever is set.
        tokenizer: A name on the Hub or a folder whose tokenizer counts.

    Raises:
        GeneratorError: There is no key.
        SettingsError: The style is insertion.
    """

    def __init__(
        self, model: str, settings: GenerationSettings | None = None, *, tokenizer: str | None = None
    ) -> None:
        from workbench.generators.endpoint import key

        self.model_name, self.name = model, f"openai:{model}"
        self.settings = _greedy(settings)
        self._counting, self._learned = tokenizer, Learned()
        self._tokenizer: PreTrainedTokenizerBase | None = None
        key()  # missing, it should not be found out after the first hour

    @property
    def fingerprint(self) -> str:
        """Endpoint, model and settings."""
        from workbench.generators.endpoint import shown_url
        from workbench.generators.openai import ANSWER_SETTINGS

        chosen = {key: value for key, value in asdict(self.settings).items() if key in ANSWER_SETTINGS}
        return f"{self.name} {shown_url()} {chosen}"

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes, by the tokenizer that was named, or else a guess."""
        if self._counting is None:
            return estimated_tokens(text)
        if self._tokenizer is None:
            from workbench.models.loading import ModelSettings, load_tokenizer

            self._tokenizer = load_tokenizer(ModelSettings(self._counting))
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def complete(self, prompts: Sequence[str]) -> list[str]:
        """Return the answers, `concurrency` requests under way at once. See `CodeGenerator.complete`.

        Raises:
            GeneratorError: The key, the model or one of the prompts is refused, or the endpoint cannot be reached.
        """
        return texts_in_order(self.as_known(prompts), len(prompts))

    def as_known(self, prompts: Sequence[str]) -> Iterator[tuple[int, Completion]]:
        """Yield the place of each prompt with its answer as it comes; one that is refused alone has none.

        Raises:
            GeneratorError: The key or the model is refused, or the endpoint cannot be reached.
        """
        from workbench.generators.asking import replies
        from workbench.generators.endpoint import Endpoint

        settings = self.settings
        options: dict[str, Any] = {
            "temperature": 0,
            "max_tokens": settings.max_new_tokens,
            "seed": settings.seed,
        }
        options |= {"stop": list(settings.stop)} if settings.stop else {}

        def ask(place: int) -> Reply:
            if settings.style == "completion":
                more = {**options, "stop": [*settings.stop, _STOP]}
                return endpoint.complete(prompts[place] + _OPENED, **more)
            return endpoint.chat([{"role": "user", "content": prompts[place]}], **options)

        endpoint = Endpoint(
            self.model_name,
            retries=settings.retries,
            timeout_s=settings.timeout_s,
            learned=self._learned,
        )
        for place, reply in replies(endpoint, ask, range(len(prompts)), concurrency=settings.concurrency):
            yield place, Completion(reply.text, reply.ended, reply.said)


class RecordedCode:
    """Answers that were made elsewhere, looked up by their prompts: a JSON-lines file of `prompt` and `answer`.

    The trace of an earlier run is such a file; there answers may say how they `ended`, and what an endpoint `said`.

    Args:
        path: The file.

    Raises:
        DataError: It is missing, or lines are malformed; all are listed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self.name = f"recorded:{self.path.name}"
        faults, self._answers = Faults(str(self.path)), dict[str, Completion]()
        for number, row in read_objects(self.path, faults):
            if isinstance(row.get("prompt"), str) and isinstance(row.get("answer"), str):
                self._answers[row["prompt"]] = Completion(
                    row["answer"], row.get("ended"), row.get("said") or ""
                )
            else:
                faults.add(f"line {number}", "no prompt or no answer")
        faults.raise_if_any('lines like {"prompt": "...", "answer": "..."}', "correct these lines")

    @property
    def fingerprint(self) -> str:
        """The file's content, as a digest."""
        answers = [[prompt, *one.row().values()] for prompt, one in sorted(self._answers.items())]
        return f"recorded:{content_key(answers)}"

    def count_tokens(self, text: str) -> int:
        """Return a guess on the high side."""
        return estimated_tokens(text)

    def complete(self, prompts: Sequence[str]) -> list[str]:
        """Return the recorded answers. See `CodeGenerator.complete`.

        Raises:
            DataError: The file has no answer to some of the prompts.
        """
        return [completion.text for _, completion in self.as_known(prompts)]

    def as_known(self, prompts: Sequence[str]) -> Iterator[tuple[int, Completion]]:
        """Yield the place of each prompt with its answer. See `complete`."""
        lacking = [prompt for prompt in prompts if prompt not in self._answers]
        if lacking:
            raise DataError(
                got=f"{self.path}: no answer to {len(lacking)} of {len(prompts)} prompts: {lacking[0][:200]!r}",
                needed="an answer to every prompt, word for word",
                fix="record with the same problems, documents and settings",
            )
        yield from enumerate(self._answers[prompt] for prompt in prompts)


def estimated_tokens(text: str) -> int:
    """Guess how many tokens a text takes: a mark is one, and each four letters of a word are."""
    return len(re.findall(r"\w{1,4}|[^\w\s]|\n", text))


def make_code_generator(spec: str, settings: GenerationSettings | None = None) -> CodeGenerator:
    """Make a code generator of the words a user types.

    Args:
        spec: `hf:NAME-OR-PATH`, `openai:MODEL` or `recorded:FILE.jsonl`.
        settings: How a model is asked; see the kinds.

    Raises:
        SettingsError: There is no such kind, or nothing after the colon.
        DataError: A recorded file is missing or malformed.
        GeneratorError: An endpoint's key is missing.
    """
    kind, _, rest = spec.partition(":")
    if kind not in ("hf", "openai", "recorded") or not rest:
        raise SettingsError(f"generator {spec!r}", f"one of {_KINDS}", "name a kind and what it needs")
    if kind == "hf":
        return HuggingFaceCode(rest, settings)
    return OpenAICode(rest, settings) if kind == "openai" else RecordedCode(rest)


def _greedy(settings: GenerationSettings | None) -> GenerationSettings:
    chosen = replace(settings or GenerationSettings(), temperature=0.0)
    if chosen.style == "insertion":
        raise SettingsError("style 'insertion'", "auto, completion or chat", "correct the style")
    return chosen
