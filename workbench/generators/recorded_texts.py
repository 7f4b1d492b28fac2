"""Texts that were written elsewhere, looked up by their prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.core.errors import DataError
from workbench.datasets.jsonl import Faults, read_objects
from workbench.generators.completion import Completion, Prompt, estimated_tokens, texts_in_order
from workbench.store.journal import content_key

__all__ = ["RecordedText"]


class RecordedText:
    """Texts that were written elsewhere: a JSON-lines file of `prompt` and `answer`.

    The trace of the active loop is such a file; there answers may say how they `ended`, and what an endpoint `said`.

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

    def complete(self, prompts: Sequence[str | Prompt]) -> list[str]:
        """Return the recorded texts, in order.

        Raises:
            DataError: The file has no answer to some of the prompts.
            GeneratorError: An answer is recorded as missing.
        """
        return texts_in_order(self.as_known(prompts), len(prompts))

    def as_known(self, prompts: Sequence[str | Prompt]) -> Iterator[tuple[int, Completion]]:
        """Yield the place of each prompt with its text. See `complete`."""
        asked = [Prompt.of(prompt).text for prompt in prompts]
        lacking = [prompt for prompt in asked if prompt not in self._answers]
        if lacking:
            raise DataError(
                got=f"{self.path}: no answer to {len(lacking)} of {len(asked)} prompts: {lacking[0][:200]!r}",
                needed="an answer to every prompt, word for word",
                fix="record with the same problems, documents and settings",
            )
        yield from enumerate(self._answers[prompt] for prompt in asked)
