"""The aspects of a translation as rewards, after ALaRM's three: exact here, and each blind to the meaning.

They can all be gamed, as their models can. *Grammar* does not compare with the source: any sound sentence has it,
and a longer one has more of it, as each token is paid once shaped. *Confidence* is full for any English words in any
order. *Readability* is the grade of a text: it pays for long words and long sentences where plain ones would do.

The utility of whole translations is a reward by `OracleReward(utility)`, and a judge by `OracleJudge(utility)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from workbench.rewards.spans import Reward, Sample, Span, whole
from workbench.worlds.translation.oracle import assess, english_words, grade

__all__ = ["ASPECTS", "ConfidenceOracle", "GrammarOracle", "ReadabilityOracle"]


class GrammarOracle(Reward):
    """-1 on each token of a fault of grammar, and 0 on the others: `GrammarReward`, without its mistakes."""

    name = "grammar"

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return each response with its faults over it, for samples whose prompts are of the world."""
        return [self._spans(sample) for sample in samples]

    def _spans(self, sample: Sample) -> list[Span]:
        faults = assess(sample.prompt, sample.response).errors
        sound = Span(0, len(sample.response), 0.0, on_each=True)
        return [sound, *(Span(start, end, -1.0, on_each=True) for start, end in faults)]


class ConfidenceOracle(Reward):
    """The share of English words, where `LanguageConfidence` guesses at the language."""

    name = "confidence"

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return each response's share as a span of the whole of it."""
        return [[whole(sample, english_words(sample.response))] for sample in samples]


class ReadabilityOracle(Reward):
    """The Flesch-Kincaid grade, as `Readability` has it: the higher, the more intricate."""

    name = "readability"

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return each response's grade as a span of the whole of it."""
        return [[whole(sample, grade(sample.response))] for sample in samples]


ASPECTS: Mapping[str, Callable[[], Reward]] = MappingProxyType(
    {one.name: one for one in (GrammarOracle, ConfidenceOracle, ReadabilityOracle)}
)
"""By name."""
