"""What a policy answers: several samples a prompt, and the preference pairs that they make."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models.sampling import sample_texts
from workbench.worlds.passages.utility import utility

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["Candidates", "all_pairs", "draw_pairs", "sample_answers"]

LONGEST = 30


@dataclass(frozen=True)
class Candidates:
    """A prompt and what the policy answers to it."""

    prompt: str
    responses: tuple[str, ...]
    """As sampled: the likelier an answer, the more often it is there."""
    utilities: tuple[float, ...]
    """Of each response, exactly."""


def sample_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    *,
    samples: int,
    seed: int,
    batch_size: int = 512,
    progress: bool = True,
) -> list[Candidates]:
    """Sample answers at temperature 1, from the policy's whole distribution.

    Args:
        model: The policy.
        tokenizer: Its tokenizer.
        prompts: Prompts of the world.
        samples: Answers per prompt.
        seed: Fixes the samples, together with the prompts and the batch size. The global generators stay as they are.
        batch_size: Answers at a time.
        progress: Show a bar on a terminal.

    Returns:
        In the order of the prompts.
    """
    asked = tokenizer(list(prompts))["input_ids"]
    written = sample_texts(
        model,
        tokenizer,
        asked,
        samples=samples,
        seed=seed,
        max_new_tokens=LONGEST,
        batch_size=batch_size,
        progress=progress,
    )
    return [
        Candidates(prompt, responses, tuple(utility(prompt, response) for response in responses))
        for prompt, responses in zip(prompts, written, strict=True)
    ]


def all_pairs(candidates: Sequence[Candidates], source: str) -> list[PreferencePair]:
    """Return every pair of samples for one prompt that differ in utility, the better one as chosen.

    What is sampled more often comes more often: these are the pairs that somebody would see who compares the
    policy's answers, and not those of its rarest slips.

    Args:
        candidates: Prompts with their answers.
        source: What the pairs are reported by.
    """
    return [pair for candidate in candidates for pair in _strict_pairs(candidate, source)]


def draw_pairs(
    candidates: Sequence[Candidates], count: int, *, source: str, flipped: float = 0.0, seed: int = 0
) -> list[PreferencePair]:
    """Draw preference pairs, at most one a prompt, as an annotator would label them who errs at times.

    Args:
        candidates: Prompts with their answers; prompts whose answers are all worth the same give none.
        count: Pairs.
        source: What they are reported by.
        flipped: Chance that a label is the wrong way round.
        seed: Fixes which prompts, which answers and which labels.

    Raises:
        SettingsError: There are not so many, or the chance is none.
    """
    if not 0 <= flipped <= 0.5:
        raise SettingsError(f"flipped {flipped!r}", "a chance from 0 to 0.5", "correct it")
    dice = random.Random(seed)
    drawn: list[PreferencePair] = []
    for one in dice.sample(list(candidates), len(candidates)):
        if len(drawn) == count:
            break
        pairs = _strict_pairs(one, source)
        if pairs:
            pair = dice.choice(pairs)
            wrong = dice.random() < flipped
            drawn.append(PreferencePair(pair.prompt, pair.rejected, pair.chosen, source) if wrong else pair)
    if len(drawn) < count:
        raise SettingsError(
            got=f"{len(drawn)} prompts with answers of different utility",
            needed=f"{count}, one for each pair",
            fix="sample answers to more prompts (-p pool_prompts), or ask for fewer pairs (-p regimes, -p pairs)",
        )
    return drawn


def _strict_pairs(one: Candidates, source: str) -> list[PreferencePair]:
    """Return the pairs of samples that differ in utility, the better one as chosen."""
    answers = list(zip(one.utilities, one.responses, strict=True))
    return [
        PreferencePair(one.prompt, max(two)[1], min(two)[1], source)
        for two in combinations(answers, 2)
        if two[0][0] != two[1][0]
    ]
