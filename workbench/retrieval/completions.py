"""Keep a model's answers to prompts on disk as they come, and count what was spent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from workbench.core.terminal import short
from workbench.generators.completion import Completion, TextGenerator, as_known
from workbench.store.journal import Journal, content_key

__all__ = ["ResumableCompletions"]


class ResumableCompletions:
    """Wraps a code generator: the same prompt is answered once, in this run or an earlier one.

    Args:
        generator: What answers.
        path: A JSON-lines file, appended to as answers come; None keeps them in memory.
        batch: Prompts that a generator without `as_known` is given at once; a kill loses at most so many answers.
        progress: Show a bar on a terminal's stderr.
        retry_failed: Ask again where an endpoint gave no answer; else such a failure is kept like an answer.

    Raises:
        DataError: The file cannot be used.
    """

    def __init__(
        self,
        generator: TextGenerator,
        path: str | Path | None = None,
        *,
        batch: int = 64,
        progress: bool = False,
        retry_failed: bool = False,
    ) -> None:
        self.generator, self._batch, self._progress = generator, batch, progress
        self._journal = Journal(path)
        self._again = {
            key for key, row in self._journal.known.items() if retry_failed and Completion.of(row).is_missing
        }
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
        """Return the answers' texts, in order; that of one which is missing is empty. See `completions`."""
        return [completion.text for completion in self.completions(prompts)]

    def completions(self, prompts: Sequence[str]) -> list[Completion]:
        """Return the answers, in order; a new one is on disk before this returns.

        Raises:
            GeneratorError: The generator gives not one answer a prompt, or an endpoint answers nothing.
        """
        from workbench.core.bars import Bar

        made_by = self.generator.fingerprint
        keys = [content_key(made_by, prompt) for prompt in prompts]
        self._journal.refresh()
        known = self._journal.known.keys() - self._again
        left = {key: text for key, text in zip(keys, prompts, strict=True) if key not in known}
        # batches of like length need less padding
        waiting = sorted(left.items(), key=lambda one: len(one[1]))
        hidden = None if self._progress else True  # None: hidden where stderr is no terminal
        new = self._new([prompt for _, prompt in waiting])
        with Bar(total=len(waiting), desc=short(self.name), unit="answer", disable=hidden) as bar:
            while waiting:
                begin = time.perf_counter()
                found = next(new, None)
                self.seconds += time.perf_counter() - begin
                if found is None:
                    break
                self._journal.add(*({"key": waiting[place][0], **one.row()} for place, one in found))
                self._again -= {waiting[place][0] for place, _ in found}
                bar.update(len(found))
        return [Completion.of(self._journal.known[key]) for key in keys]

    def _new(self, prompts: Sequence[str]) -> Iterator[list[tuple[int, Completion]]]:
        """Yield places and answers as the generator gives them: one by one where it can, else in batches."""
        if hasattr(self.generator, "as_known"):
            yield from ([found] for found in as_known(self.generator, prompts))
            return
        for first in range(0, len(prompts), self._batch):
            some = prompts[first : first + self._batch]
            yield [(first + place, found) for place, found in as_known(self.generator, some)]
