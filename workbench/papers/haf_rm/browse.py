"""What the reward inspector shows of HaF-RM: one pair as the model of each training run scores it."""

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
    """Look at one pair as the model of each training run of the HaF-RM experiment scores it.

    Args:
        outcomes: Of the training runs, such as `findings.outcomes`.
        pair: What their traces are of.
        before: The traces of the untrained model.

    Raises:
        DataError: No training run traced the pair.
    """
    texts = {"chosen": pair.chosen, "rejected": pair.rejected}
    examples = []
    for outcome in outcomes:
        if outcome.example is None:
            continue
        trained_on = f"trained on {outcome.trained_on}"
        label = f"{outcome.arm}, {outcome.regime.name}, {trained_on}, seed {outcome.seed}"
        pairs = zip(texts.items(), outcome.example, before.example, strict=True)
        answers = {name: of_traces(text, now, then) for (name, text), now, then in pairs}
        examples.append(Example(label, pair.prompt, answers))
    inspect_examples(examples)
