"""What the reward inspector shows of HaF-RM: one pair as each training left its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.explore.inspections import (
    Example,
    of_traces,
)
from workbench.explore.reward_inspector import inspect_examples

if TYPE_CHECKING:
    from workbench.datasets.preference_pair import PreferencePair
    from workbench.papers.haf_rm.experiment import Outcome, Untrained

__all__ = ["inspect_outcomes"]


def inspect_outcomes(outcomes: Sequence[Outcome], pair: PreferencePair, before: Untrained) -> None:
    """Look at one pair as each training of the HaF-RM experiment left its model.

    Args:
        outcomes: Of the trainings, such as `findings.outcomes`.
        pair: What their traces are of.
        before: The traces of the untrained model.

    Raises:
        DataError: No training looked at the pair.
    """
    texts = {"chosen": pair.chosen, "rejected": pair.rejected}
    examples = []
    for one in outcomes:
        if one.example is None:
            continue
        label = f"{one.arm}, {one.regime.name}, trained on {one.trained_on}, seed {one.seed}"
        pairs = zip(texts.items(), one.example, before.example, strict=True)
        answers = {name: of_traces(text, now, then) for (name, text), now, then in pairs}
        examples.append(Example(label, pair.prompt, answers))
    inspect_examples(examples)
