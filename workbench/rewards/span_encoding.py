"""How a prompt and the segments of an answer become tokens, for training a span classifier and for using it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.errors import DataError, SettingsError
from workbench.models.tokenizing import around_tokens
from workbench.rewards.sentences import SEGMENTATIONS
from workbench.rewards.spans import Sample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["FACTUALITY", "RELEVANCE", "EncodedSegments", "SpanSettings", "encode_segments", "question_text"]

Segments = Sequence[tuple[int, int]]
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class SpanSettings:
    """What a span classifier judges, what it is shown, and what its verdicts are worth.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    segmentation: str = "sentence"
    """Parts that are judged: a name of `SEGMENTATIONS`."""
    template: str = "{prompt} answer:"
    """Text before the answer; `{prompt}`, or the name of something in a sample's metadata, such as `{question}`."""
    correct: float = 0.5
    """Value of a part without an error."""
    wrong: float = -0.5
    """Value of a part with one."""
    separator: str = ""
    """A special token put before each part, where its label is read, as `</s>` in the models that Wu et al. released;
    empty: the label is read at the part's last token, which a model that only looks back can use too."""
    max_tokens: int = 1024
    """Longest input. A longer one loses the end of its prompt: the question stands first, the last passages go."""

    def __post_init__(self) -> None:
        faults = []
        if self.segmentation not in SEGMENTATIONS:
            needed = f"segmentation: one of {', '.join(SEGMENTATIONS)}"
            faults.append((f"segmentation {self.segmentation!r}", needed))
        if not self.correct > self.wrong:
            faults.append((f"correct {self.correct}, wrong {self.wrong}", "correct: more than wrong"))
        if self.max_tokens < 8:
            faults.append((f"max_tokens {self.max_tokens}", "max_tokens: at least 8"))
        if faults:
            raise SettingsError.listing(faults)

    def within(self, longest: int) -> SpanSettings:
        """Return the settings for a model that was made for texts of so many tokens at most."""
        return replace(self, max_tokens=min(self.max_tokens, longest))


RELEVANCE = SpanSettings("subsentence", "question: {question} answer:", 0.3, -0.3)
"""Relevance as in ALaRM: each sub-sentence +-0.3, judged by the question alone."""
FACTUALITY = SpanSettings("sentence", "{prompt} answer:", 0.5, -0.5)
"""Factuality as in ALaRM: each sentence +-0.5, judged by question and passages."""


class EncodedSegments(NamedTuple):
    """An input of a span classifier."""

    tokens: list[int]
    """Prompt and answer."""
    places: list[int]
    """Where the label of each segment stands; of those only that fitted in."""


def question_text(sample: Sample, template: str) -> str:
    """Return a template with its slots filled from a sample, white space made single spaces.

    Raises:
        DataError: The sample's metadata lacks what a slot asks for.
    """
    given = {"prompt": sample.prompt, **sample.metadata}
    missing = [name for name in _SLOT.findall(template) if name not in given]
    if missing:
        raise DataError(
            got=f"a sample without {', '.join(missing)}; it has {', '.join(given)}",
            needed=f"what the template {template!r} asks for",
            fix="give it in the sample's metadata, or use a template with {prompt} only",
        )
    return " ".join(_SLOT.sub(lambda slot: str(given[slot[1]]), template).split())


def encode_segments(
    samples: Sequence[Sample],
    segments: Sequence[Segments],
    tokenizer: PreTrainedTokenizerBase,
    settings: SpanSettings,
) -> list[EncodedSegments]:
    """Turn prompts and the segments of their answers into tokens, all in one call of the tokenizer.

    Args:
        samples: What is judged.
        segments: First character and one past the last of the segments of each response.
        tokenizer: The classifier's.
        settings: Template, separator and longest input.

    Raises:
        DataError: See `question_text`.
        SettingsError: The separator is no token of the tokenizer.
    """
    separator = _separator(tokenizer, settings)
    before, after = around_tokens(tokenizer)
    texts = [f" {question_text(sample, settings.template)}" for sample in samples]
    for sample, cut in zip(samples, segments, strict=True):
        texts += [f" {' '.join(sample.response[start:end].split())}" for start, end in cut]
    tokens = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"] if texts else []
    parts, encoded = iter(tokens[len(samples) :]), []
    for prompt, cut in zip(tokens, segments, strict=False):
        answer: list[int] = []
        places = []
        for part in (next(parts) for _ in cut):
            places.append(len(answer) if separator else len(answer) + len(part) - 1)
            answer += [*separator, *part]
        room = settings.max_tokens - len(before) - len(after)
        kept = prompt[: max(room - len(answer), 0)]
        first = len(before) + len(kept)
        fitting = [first + place for place in places if len(kept) + place < room]
        encoded.append(EncodedSegments([*before, *kept, *answer[:room], *after], fitting))
    return encoded


def _separator(tokenizer: PreTrainedTokenizerBase, settings: SpanSettings) -> list[int]:
    if not settings.separator:
        return []
    token = tokenizer.get_vocab().get(settings.separator)
    if token is None:
        raise SettingsError(
            got=f"separator {settings.separator!r}",
            needed="a token of the model's tokenizer",
            fix="give the one that the model was trained with; '' where it was trained without",
        )
    return [int(token)]
