"""The reward inspector: an answer coloured by what rewards say of its parts, and a box to type one's own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import DataError, WorkbenchError
from workbench.explore.inspections import (
    Example,
    Inspect,
    inspect_by_model,
    inspect_by_rewards,
)
from workbench.explore.markup import badge, note
from workbench.explore.presence import present
from workbench.explore.reward_page import example_page
from workbench.rewards.spans import Sample

if TYPE_CHECKING:
    from ipywidgets import Widget

    from workbench.datasets.preference_pair import PreferencePair
    from workbench.rewards.composition import HierarchicalReward
    from workbench.rewards.scorer import Scorer
    from workbench.rewards.spans import Reward

__all__ = ["example_page", "inspect_answers", "inspect_examples", "inspect_pairs", "reward_inspector"]

OWN = "yours"


def inspect_answers(
    reward: HierarchicalReward | Reward | Sequence[Reward], samples: Sequence[Sample]
) -> None:
    """Look at answers as rewards of parts see them: each sentence coloured by each aspect, and by all together.

    Args:
        reward: A hierarchy of rewards, or rewards by themselves.
        samples: Answers to look at; those to one prompt stand side by side. Others can be typed.

    Raises:
        DataError: There are no answers.
    """
    inspect = inspect_by_rewards(reward)
    by_prompt: dict[str, list[Sample]] = {}
    for one in samples:
        by_prompt.setdefault(one.prompt, []).append(one)
    examples = []
    for number, (prompt, some) in enumerate(by_prompt.items(), start=1):
        names = ["answer"] if len(some) == 1 else [f"answer {k}" for k in range(1, len(some) + 1)]
        answers = {name: inspect(one) for name, one in zip(names, some, strict=True)}
        examples.append(Example(f"{number}: {_short(prompt)}", prompt, answers, some[0].metadata))
    inspect_examples(examples, inspect)


def inspect_pairs(scorer: Scorer | str | Path, pairs: Sequence[PreferencePair]) -> None:
    """Look at preference pairs token by token: the reward as it grows, and where the policy has moved.

    Args:
        scorer: A reward model with all that scoring needs, or the folder of one that was trained here.
        pairs: Pairs to look at. Other answers to the same prompts can be typed.

    Raises:
        DataError: There are no pairs.
        ModelError: The model cannot be loaded.
    """
    if isinstance(scorer, str | Path):
        from workbench.preferences.scoring import PreferenceScoring, open_scorer

        scorer, _ = open_scorer(PreferenceScoring(str(scorer), data=("-",)))  # no data is read here
    inspect = inspect_by_model(scorer)
    examples = [
        Example(
            f"{k}: {_short(pair.prompt)}",
            pair.prompt,
            {
                name: inspect(Sample(pair.prompt, text))
                for name, text in (("chosen", pair.chosen), ("rejected", pair.rejected))
            },
        )
        for k, pair in enumerate(pairs, start=1)
    ]
    inspect_examples(examples, inspect)


def inspect_examples(examples: Sequence[Example], inspect: Inspect | None = None) -> None:
    """Look at answers that rewards have seen.

    Args:
        examples: What to look at.
        inspect: Scores an answer that is typed; without it nothing can be typed.

    Raises:
        DataError: There are no examples.
    """
    if not examples:
        raise DataError("no answers to look at", "at least one", "give some answers or pairs")
    present(
        f"Reward inspector: {len(examples)} example{'s' * (len(examples) > 1)}",
        example_page(examples[0]),
        lambda: reward_inspector(examples, inspect),
        text=f"Reward inspector: {examples[0].label}",
    )


def reward_inspector(examples: Sequence[Example], inspect: Inspect | None = None) -> Widget:
    """Return the widget; see `inspect_examples`."""
    return _Inspector(examples, inspect).whole


class _Inspector:
    """The state of one widget: the example that is open, and the answer that was typed."""

    def __init__(self, examples: Sequence[Example], inspect: Inspect | None) -> None:
        import ipywidgets as w

        self.examples, self.inspect = examples, inspect
        auto = {"description_width": "auto"}
        self.chosen = w.Dropdown(
            options=[(one.label, k) for k, one in enumerate(examples)], description="example", style=auto,
            layout={"width": "auto", "flex": "1 1 auto"},
        )  # fmt: skip
        self.before = w.Button(icon="arrow-left", tooltip="the one before", layout={"width": "44px"})
        self.after = w.Button(icon="arrow-right", tooltip="the next one", layout={"width": "44px"})
        self.page = w.HTML(layout={"width": "auto"})
        self.typed = w.Textarea(
            placeholder="Type an answer of your own",
            layout={"width": "auto", "height": "60px", "flex": "1 1 auto"},
        )
        self.score = w.Button(
            description="Score it", icon="play", button_style="primary", layout={"width": "110px"}
        )
        self.says = w.HTML()
        own = [w.HTML("<b>Your own answer</b>"), w.HBox([self.typed, self.score]), self.says]
        self.whole = w.VBox(
            [w.HBox([self.chosen, self.before, self.after]), self.page, *(own if inspect is not None else [])]
        )
        self.whole.add_class("explore-rewards")
        self.chosen.observe(lambda _: self.open(), "value")
        self.before.on_click(lambda _: self.step(-1))
        self.after.on_click(lambda _: self.step(1))
        self.score.on_click(lambda _: self.score_typed())
        self.open()

    @property
    def example(self) -> Example:
        """The example that is open."""
        return self.examples[self.chosen.value]

    def step(self, by: int) -> None:
        """Open the example before or after."""
        self.chosen.value = (self.chosen.value + by) % len(self.examples)

    def open(self) -> None:
        """Show the example that is chosen."""
        self.says.value, self.typed.value = "", next(iter(self.example.answers.values())).answer
        self.page.value = example_page(self.example)

    def score_typed(self) -> None:
        """Score what was typed, without blocking the notebook."""
        self.score.disabled = True
        self.says.value = "scoring…"
        example, text = self.example, self.typed.value
        threading.Thread(target=self._score, args=(example, text), daemon=True).start()

    def _score(self, example: Example, text: str) -> None:
        assert self.inspect is not None  # the button is only there with it
        try:
            found = self.inspect(Sample(example.prompt, text, example.metadata))
        except WorkbenchError as fault:
            self.says.value = badge("could not be scored", "bad") + note(str(fault))
        else:
            if self.example is example:
                self.page.value = example_page(example, {**example.answers, OWN: found})
                self.says.value = badge("scored", "good")
        finally:
            self.score.disabled = False


def _short(text: str, most: int = 70) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else "…" + line[-most:]
