"""Keep a model's answers to prompts on disk as they come, and count what was spent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from workbench.errors import GeneratorError
from workbench.retrieval.problem import CodeGenerator
from workbench.runs.journal import Journal, content_key
from workbench.terminal import short

__all__ = ["ResumableCompletions"]


class ResumableCompletions:
    """Wraps a code generator: the same prompt is answered once, in this run or an earlier one.

    Args:
        generator: What answers.
        path: A JSON-lines file, appended to batch by batch; None keeps answers in memory.
        batch: Prompts that the generator is given at once; a kill loses at most so many answers.
        progress: Show a bar on a terminal's stderr.

    Raises:
        DataError: The file cannot be used.
    """

    def __init__(
        self,
        generator: CodeGenerator,
        path: str | Path | None = None,
        *,
        batch: int = 64,
        progress: bool = False,
    ) -> None:
        self.generator, self._batch, self._progress = generator, batch, progress
        self._journal = Journal(path)
        self._tokens: dict[str, int] = {}
        self.seconds = 0.0
        """What the generator has taken so far, in this process."""

    @property
    def name(self) -> str:
        """The wrapped generator's."""
        return self.generator.name

    @property
    def fingerprint(self) -> str:
        """The wrapped generator's."""
        return self.generator.fingerprint

    def __enter__(self) -> ResumableCompletions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

    def count_tokens(self, text: str) -> int:
        """Return the generator's count; the same text is counted once."""
        if text not in self._tokens:
            self._tokens[text] = self.generator.count_tokens(text)
        return self._tokens[text]

    def complete(self, prompts: Sequence[str]) -> list[str]:
        """Return the answers, in order; a new one is on disk before this returns.

        Raises:
            GeneratorError: The generator gives not one answer a prompt.
        """
        from tqdm.auto import tqdm

        made_by = self.generator.fingerprint
        keys = [content_key(made_by, prompt) for prompt in prompts]
        self._journal.refresh()
        left = {key: text for key, text in zip(keys, prompts, strict=True) if key not in self._journal.known}
        waiting = sorted(
            left.items(), key=lambda one: len(one[1])
        )  # batches of like length need less padding
        hidden = None if self._progress else True  # None: hidden where stderr is no terminal
        with tqdm(total=len(waiting), desc=short(self.name), unit="answer", disable=hidden) as bar:
            for first in range(0, len(waiting), self._batch):
                some = waiting[first : first + self._batch]
                begin = time.perf_counter()
                answers = self.generator.complete([prompt for _, prompt in some])
                self.seconds += time.perf_counter() - begin
                if len(answers) != len(some):
                    raise GeneratorError(
                        got=f"{len(answers)} answers of {self.name} to {len(some)} prompts",
                        needed="one answer a prompt, in order",
                        fix="correct the generator's `complete`",
                    )
                self._journal.add(
                    *({"key": key, "value": answer} for (key, _), answer in zip(some, answers, strict=True))
                )
                bar.update(len(some))
        return [self._journal.known[key]["value"] for key in keys]
