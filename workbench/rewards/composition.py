"""Several rewards behind one call: a holistic one and aspects, in ALaRM's hierarchy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.core.errors import DataError, SettingsError
from workbench.rewards.hierarchy import MODES, SHORTEST, hierarchical_reward, passes, sigmoid_shaping
from workbench.rewards.placement import place_on_tokens
from workbench.rewards.spans import Reward, Sample, Span, mapped, read_spans, sequence_score

__all__ = ["HierarchicalReward", "HierarchySettings", "Scored"]

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class HierarchySettings:
    """How aspects and the holistic reward are combined. The defaults are ALaRM's for long-form questions.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    threshold: float = 0.6
    """Lowest holistic reward at which aspects count; 0.5 for translation."""
    holistic_weight: float = 5.0
    """Weight of the holistic reward; 3 for translation."""
    mode: str = "hierarchical"
    """One of `MODES`."""
    shaping: bool = True
    """Make the aspects' values positive by `sigmoid_shaping`."""
    aspect_weights: Mapping[str, float] = field(default_factory=dict)
    """Weight of each aspect, after shaping; 1 for those not named."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "aspect_weights", MappingProxyType(dict(self.aspect_weights)))
        faults = []
        if self.mode not in MODES:
            faults.append((f"mode {self.mode!r}", f"mode: one of {', '.join(MODES)}"))
        if np.isnan(self.threshold):
            faults.append((f"threshold {self.threshold}", "threshold: a number"))
        for name, value in (("holistic_weight", self.holistic_weight), *self.aspect_weights.items()):
            if not np.isfinite(value) or value < 0:
                faults.append((f"{name} {value}", f"{name}: a number, at least 0"))
        if faults:
            raise SettingsError.listing(faults)


class Scored(NamedTuple):
    """What the rewards say of some responses, before they are combined."""

    samples: Sequence[Sample]
    """The responses."""
    holistic: NDArray[np.float64]
    """The holistic reward, normalised if it is. Shape [responses]; zeros in mode `aspect_only`."""
    aspects: Mapping[str, list[list[Span]]]
    """Each aspect's spans, as the aspect gave them: neither shaped nor weighted."""

    def aspect_scores(self) -> dict[str, NDArray[np.float64]]:
        """Return one number a response for each aspect, by `sequence_score`: for tables, and `select_aspects`."""
        return {name: _scores(spans, self.samples) for name, spans in self.aspects.items()}


class HierarchicalReward:
    """A holistic reward and aspects as one reward: on tokens for PPO, or one number a response for anything else.

    It can be an entry of `reward_funcs` in TRL's GRPOTrainer as it is.

    Args:
        holistic: Gives one number a response, z-normalised (`Normalized`): the threshold is in its units.
        aspects: The rewards of parts and aspects, such as those `select_aspects` chose.
        settings: How they are combined.
        name: What tables, and TRL's logs, call it.

    Raises:
        SettingsError: Two aspects have one name, or a weight is for none of them.
    """

    def __init__(
        self,
        holistic: Reward,
        aspects: Sequence[Reward],
        settings: HierarchySettings | None = None,
        *,
        name: str = "hierarchical_reward",
    ) -> None:
        self.holistic, self.settings = holistic, settings or HierarchySettings()
        self.aspects = {aspect.name: aspect for aspect in aspects}
        unknown = sorted(set(self.settings.aspect_weights) - set(self.aspects))
        if len(self.aspects) < len(aspects) or unknown:
            raise SettingsError(
                got=f"aspects {', '.join(aspect.name for aspect in aspects)}"
                + (f"; weights for {', '.join(unknown)}" if unknown else ""),
                needed="aspects of different names, and weights for these only",
                fix="give each aspect a name of its own, and use it in aspect_weights",
            )
        self.name = self.__name__ = name

    def score(self, samples: Sequence[Sample]) -> Scored:
        """Ask the rewards that the mode needs, each once for all samples.

        Raises:
            SettingsError: A reward does not give spans for each sample.
            DataError: A span ends beyond its response.
        """
        asked = {} if self.settings.mode == "holistic_only" else self.aspects
        spans = {name: read_spans(aspect(samples), samples, name) for name, aspect in asked.items()}
        if self.settings.mode == "aspect_only":
            return Scored(samples, np.zeros(len(samples)), spans)
        return Scored(
            samples, _scores(read_spans(self.holistic(samples), samples, self.holistic.name), samples), spans
        )

    def on_tokens(self, scored: Scored, offsets: Tensor, response_mask: Tensor) -> Tensor:
        """Return the reward of each token of the policy; see `hierarchical_reward` and `place_on_tokens`.

        Args:
            scored: From `score`.
            offsets: Of the policy's tokens in these responses, from `decode_responses`. Shape [batch, tokens, 2].
            response_mask: True where a token participates. Shape [batch, tokens], bool.

        Returns:
            Shape [batch, tokens], float32, on the offsets' device.
        """
        return hierarchical_reward(
            self.aspects_on_tokens(scored, offsets, response_mask),
            torch.as_tensor(scored.holistic, dtype=torch.float32, device=offsets.device),
            response_mask,
            threshold=self.settings.threshold,
            holistic_weight=self.settings.holistic_weight,
            mode=self.settings.mode,
        )

    def aspects_on_tokens(self, scored: Scored, offsets: Tensor, response_mask: Tensor) -> Tensor:
        """Return the sum of the aspects on each token, shaped and weighted, before any gate.

        An aspect of weight 0 is scored and logged, and pays nothing. Arguments and shapes: those of `on_tokens`.
        """
        aspects = torch.zeros(response_mask.shape, device=offsets.device)
        for name, spans in scored.aspects.items():
            weight = self.settings.aspect_weights.get(name, 1.0)
            if weight:
                placed = place_on_tokens([self._shaped(row) for row in spans], offsets, response_mask)
                aspects = aspects + weight * placed
        return aspects

    def gate_rate(self, scored: Scored, response_mask: Tensor) -> float:
        """Return the share of responses in the upper zone; NaN for no responses."""
        holistic = torch.as_tensor(scored.holistic, device=response_mask.device)
        return float(passes(holistic, response_mask, self.settings.threshold).double().mean())

    def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float]:
        """Return one number a completion: the sum of its tokens' rewards. The signature is that of TRL's rewards.

        Here the words stand for tokens: what is given once for a span, and the holistic reward, add up to the same on
        any tokens; what is given on each token is given on each word. Whether an answer is too short is asked of
        `completion_ids` where they are given, as TRL does, else of the words.

        Args:
            prompts: Texts, or dialogues as lists of messages; parts of text, tool calls and no content are read.
            completions: Texts, or lists of messages; as many.
            columns: Further columns of the data set, each as long: the samples' metadata, such as `question`.

        Raises:
            DataError: A content is no text, such as an image; it is said of which message of which row, from 0.
        """
        ids = columns.pop("completion_ids", None)
        both = enumerate(zip(prompts, completions, strict=True))
        texts = [(_text(prompt, f"prompt {k}"), _text(text, f"completion {k}")) for k, (prompt, text) in both]
        given = {
            name: column
            for name, column in columns.items()
            if isinstance(column, list | tuple) and len(column) == len(texts)
        }
        samples = [
            Sample(prompt, text, {name: column[row] for name, column in given.items()})
            for row, (prompt, text) in enumerate(texts)
        ]
        words = [[match.span() for match in _WORD.finditer(text)] for _, text in texts]
        lengths = [len(row) for row in (words if ids is None else ids)]
        offsets, mask = _as_tokens(words, lengths)
        return self.on_tokens(self.score(samples), offsets, mask).sum(1).tolist()

    def _shaped(self, spans: Sequence[Span]) -> list[Span]:
        return mapped(spans, sigmoid_shaping) if self.settings.shaping else list(spans)


def _scores(spans: Sequence[Sequence[Span]], samples: Sequence[Sample]) -> NDArray[np.float64]:
    scores = [sequence_score(found, len(one.response)) for found, one in zip(spans, samples, strict=True)]
    return np.array(scores, dtype=np.float64)


def _as_tokens(words: Sequence[Sequence[tuple[int, int]]], lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return offsets and mask of words in place of tokens, with as many places on the mask as there are tokens.

    Surplus places stand at the end, without characters, as an end token does.
    """
    counts = [
        max(len(row), length) if length >= SHORTEST else length
        for row, length in zip(words, lengths, strict=True)
    ]
    width = max(counts, default=0)
    offsets = torch.zeros(len(words), width, 2, dtype=torch.long)
    mask = torch.arange(width)[None] < torch.tensor(counts, dtype=torch.long)[:, None]
    for row, (places, count) in enumerate(zip(words, counts, strict=True)):
        kept = places[:count]
        if kept:
            offsets[row] = places[-1][1]
            offsets[row, : len(kept)] = torch.tensor(kept)
    return offsets, mask


def _text(given: Any, name: str) -> str:
    """Return a text, or a dialogue's as `prompt_of` writes it."""
    if isinstance(given, str):
        return given
    from workbench.datasets.messages import MalformedMessage, prompt_of, read_messages

    try:
        turns = read_messages(given, name)
    except MalformedMessage as error:
        raise DataError(
            str(error),
            "texts, or lists of messages whose contents are text",
            "leave the row out, or give the texts of its parts alone",
        ) from error
    return turns[0].content if len(turns) == 1 else prompt_of(turns)
