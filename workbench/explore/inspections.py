"""What rewards make of one answer: pieces of its text, each with a value. Data for the reward inspector."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ModelError, SettingsError
from workbench.rewards.spans import Reward, Sample, Span, sequence_score

if TYPE_CHECKING:
    from workbench.rewards.composition import HierarchicalReward
    from workbench.rewards.scorer import Scorer
    from workbench.rewards.token_trace import TokenTrace

__all__ = [
    "Example",
    "Inspect",
    "Inspection",
    "Strip",
    "cut",
    "inspect_by_model",
    "inspect_by_rewards",
    "of_traces",
]


@dataclass(frozen=True)
class Strip:
    """A text in pieces, as one reward sees it."""

    name: str
    """The reward, or what else the values are."""
    pieces: tuple[tuple[str, float | None], ...]
    """Texts, one after the other, with their values; None where the reward says nothing of a piece."""
    tokens: bool = False
    """Whether the pieces are tokens, rather than parts of the text as it stands."""


@dataclass(frozen=True)
class Inspection:
    """One answer under the magnifying glass."""

    answer: str
    scores: Mapping[str, float]
    """Numbers of the whole answer by name."""
    strips: tuple[Strip, ...]


@dataclass(frozen=True)
class Example:
    """A prompt with answers to look at side by side."""

    label: str
    prompt: str
    answers: Mapping[str, Inspection]
    """By what to call them, such as `chosen` and `rejected`."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What a reward needs beyond prompt and answer; see `Sample`."""


Inspect = Callable[[Sample], Inspection]


def cut(text: str, spans: Sequence[Span]) -> tuple[tuple[str, float | None], ...]:
    """Cut a text where spans begin and end.

    Args:
        text: An answer.
        spans: One reward's. Where several cover a piece their values are added; of those that are given on each token
            the last one counts.

    Returns:
        The pieces, which make up the whole text, with their values.
    """
    edges = sorted({0, len(text), *(edge for span in spans for edge in (span.start, span.end))})
    pieces: list[tuple[str, float | None]] = []
    for start, end in itertools.pairwise(edges):
        here = [span for span in spans if span.start <= start and end <= span.end]
        once = [span.value for span in here if not span.on_each]
        painted = [span.value for span in here if span.on_each][-1:]
        pieces.append((text[start:end], sum(once + painted) if here else None))
    return tuple(pieces)


def inspect_by_rewards(reward: HierarchicalReward | Reward | Sequence[Reward]) -> Inspect:
    """Return a function that shows an answer as rewards of parts see it.

    Args:
        reward: A hierarchy: its holistic reward, each aspect, and the combined reward word by word; or rewards by
            themselves.
    """
    from workbench.rewards.composition import HierarchicalReward

    if isinstance(reward, HierarchicalReward):
        return lambda sample: _by_hierarchy(reward, sample)
    rewards = list(reward) if isinstance(reward, Sequence) else [reward]
    if not rewards:
        raise SettingsError("no rewards", "at least one", "name the rewards to look at answers with")

    def inspect(sample: Sample) -> Inspection:
        found = {reward.name: reward([sample])[0] for reward in rewards}
        scores = {name: sequence_score(spans, len(sample.response)) for name, spans in found.items()}
        return Inspection(sample.response, scores, _strips(sample.response, found))

    return inspect


def inspect_by_model(scorer: Scorer) -> Inspect:
    """Return a function that shows an answer token by token, as a reward model and its policy see it.

    Args:
        scorer: The reward model; with a reference (or adapters) the policy is compared with what it was.

    Raises:
        ModelError: The model is a classifier.
    """
    from workbench.models.reward_model import RewardModel
    from workbench.rewards.token_trace import trace

    if not isinstance(scorer.model, RewardModel):
        raise ModelError(
            got=f"a {type(scorer.model).__name__}, which has no policy",
            needed="a RewardModel, which scores every token",
            fix="look at its answers by `inspect_answers(SequenceModelReward(...), samples)`",
        )

    def inspect(sample: Sample) -> Inspection:
        now = trace(scorer, sample.prompt, sample.response)
        return of_traces(sample.response, now, _before(scorer, sample), beta=scorer.settings.beta)

    return inspect


def of_traces(
    answer: str, now: TokenTrace, before: TokenTrace | None, *, beta: float | None = None
) -> Inspection:
    """Return an answer token by token: how the reward changes, and where the policy has moved.

    Args:
        answer: The text.
        now: What the trained model makes of it.
        before: What the untrained one made of it; None where that is not known.
        beta: Strength of the implicit reward, where there is one to show.
    """
    rewards = now.rewards
    changes = [after - earlier for after, earlier in zip(rewards, (0.0, *rewards), strict=False)]
    strips = [Strip("change of the reward", tuple(zip(now.tokens, changes, strict=True)), tokens=True)]
    scores = {"reward": rewards[-1]}
    if before is not None and before.tokens == now.tokens:
        moved = [a - b for a, b in zip(now.policy_logps, before.policy_logps, strict=True)]
        strips.append(
            Strip("log π − log π of the reference", tuple(zip(now.tokens, moved, strict=True)), tokens=True)
        )
        if beta is not None:
            scores["implicit reward"] = beta * sum(moved)
    return Inspection(answer, scores, tuple(strips))


def _by_hierarchy(reward: HierarchicalReward, sample: Sample) -> Inspection:
    """Show the holistic reward, the aspects, and what all of it comes to on each word."""
    import re

    import torch

    scored = reward.score([sample])
    spans = {name: found[0] for name, found in scored.aspects.items()}
    words = [match.span() for match in re.finditer(r"\S+", sample.response)]
    offsets = torch.tensor([words], dtype=torch.long).reshape(1, len(words), 2)
    mask = torch.ones(1, len(words), dtype=torch.bool)
    scores: dict[str, float] = {}
    if reward.settings.mode != "aspect_only":
        scores[reward.holistic.name] = float(scored.holistic[0])
    scores |= {name: sequence_score(found, len(sample.response)) for name, found in spans.items()}
    strips = _strips(sample.response, spans)
    if words:
        values = reward.on_tokens(scored, offsets, mask)[0].tolist()
        scores["reward, summed"] = sum(values)
        pieces = tuple(
            (sample.response[a:b], value or None) for (a, b), value in zip(words, values, strict=True)
        )
        strips = (*strips, Strip("combined, word by word", pieces, tokens=True))
    return Inspection(sample.response, scores, strips)


def _strips(text: str, found: Mapping[str, Sequence[Span]]) -> tuple[Strip, ...]:
    return tuple(Strip(name, cut(text, spans)) for name, spans in found.items())


def _before(scorer: Scorer, sample: Sample) -> TokenTrace | None:
    """Return what the untrained model makes of an answer, where there is one that reads the same tokens."""
    from workbench.models.reward_model import RewardModel
    from workbench.rewards.token_trace import trace

    if scorer.reference is not None and scorer.reference is not scorer.model:
        tokenizer = scorer.reference_tokenizer or scorer.tokenizer
        untrained = replace(scorer, model=scorer.reference, tokenizer=tokenizer, reference=None)
        return trace(untrained, sample.prompt, sample.response)
    if isinstance(scorer.model, RewardModel) and scorer.model.has_adapters:
        with scorer.model.as_reference():
            return trace(scorer, sample.prompt, sample.response)
    return None
