"""The reward inspector: an answer coloured by what rewards say of its parts, and a box to type one's own."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.display.explore.inspections import (
    Example,
    Inspect,
    Inspection,
    Strip,
    inspect_by_model,
    inspect_by_rewards,
    of_traces,
)
from workbench.display.explore.markup import MONO, Markup, badge, columns, escape, listing, note, panel
from workbench.display.explore.presence import present
from workbench.errors import DataError, WorkbenchError
from workbench.rewards.spans import Sample

if TYPE_CHECKING:
    from ipywidgets import Widget

    from workbench.datasets.preference_pair import PreferencePair
    from workbench.experiments.haf_rm import Outcome, Untrained
    from workbench.rewards.composition import HierarchicalReward
    from workbench.rewards.scorer import Scorer
    from workbench.rewards.spans import Reward

__all__ = [
    "example_page",
    "inspect_answers",
    "inspect_examples",
    "inspect_outcomes",
    "inspect_pairs",
    "reward_inspector",
]

MORE, LESS = (31, 96, 152), (214, 112, 47)
"""Blue for what raises a reward, orange for what lowers it: the colour-blind tell them apart, ink reads on both."""
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
        from workbench.evaluation.preference_scoring import PreferenceScoring, open_scorer

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


def example_page(example: Example, answers: Mapping[str, Inspection] | None = None) -> Markup:
    """Return the picture of an example.

    Args:
        example: A prompt with answers.
        answers: Its answers, and a typed one; the example's if None.
    """
    shown = answers or example.answers
    limits = _limits(shown.values())
    prompt = panel(
        "Prompt", listing([escape(line) for line in example.prompt.strip().split("\n")], numbered=False)
    )
    return (
        prompt
        + _margin(shown)
        + columns(*(_answer(name, one, limits) for name, one in shown.items()))
        + _legend()
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


def _answer(name: str, one: Inspection, limits: Mapping[str, float]) -> Markup:
    """Return one answer: its numbers, then the strips."""
    numbers = " &nbsp; ".join(f"{escape(key)} <b>{value:+.3f}</b>" for key, value in one.scores.items())
    strips = "".join(panel(strip.name, _strip(strip, limits.get(strip.name, 1.0))) for strip in one.strips)
    head = f'<div style="font-weight: 600; font-size: 14px">{escape(name)}</div>'
    return f'<div style="margin: 0 0 6px">{head}<div style="margin: 2px 0 10px">{numbers}</div>{strips}</div>'


def _strip(strip: Strip, limit: float) -> Markup:
    """Return the pieces of a strip, each on a ground as strong as its value, with the value below it."""
    cells = []
    for text, value in strip.pieces:
        said = escape(_visible(text) if strip.tokens else text)
        if value is None and not text.strip():
            cells.append(said)
            continue
        number = "" if value is None else _signed(value)
        ground = "" if value is None else f"background: {_ground(value / limit)}; "
        look = f"{ground}display: inline-block; vertical-align: top; border-radius: 4px"
        look += "; padding: 1px 5px 2px; margin: 2px 2px 2px 0"
        small = (
            f'<div style="font-size: 10px; line-height: 1.2; min-height: 12px; color: #3c4653">{number}</div>'
        )
        cells.append(
            f'<span style="{look}"><span style="white-space: pre-wrap">{said.strip()}</span>{small}</span>'
        )
    font = MONO if strip.tokens else "inherit"
    return (
        f'<div style="font-family: {font}; font-size: {12 if strip.tokens else 13}px">{"".join(cells)}</div>'
    )


def _ground(share: float) -> str:
    """Return a colour: the sign gives the hue, the size how much of it."""
    red, green, blue = MORE if share > 0 else LESS
    return f"rgba({red}, {green}, {blue}, {0.04 + 0.5 * min(abs(share), 1.0):.2f})"


def _limits(shown: Iterable[Inspection]) -> dict[str, float]:
    """Return the largest value of each strip over all answers, so that they share one scale."""
    found: dict[str, float] = {}
    for one in shown:
        for strip in one.strips:
            values = [abs(value) for _, value in strip.pieces if value is not None]
            found[strip.name] = max([found.get(strip.name, 0.0), *values])
    return {name: value or 1.0 for name, value in found.items()}


def _margin(shown: Mapping[str, Inspection]) -> Markup:
    """Return, for a pair, which answer each score prefers."""
    if not {"chosen", "rejected"} <= shown.keys():
        return ""
    chosen, rejected = shown["chosen"].scores, shown["rejected"].scores
    told = []
    for name in (name for name in chosen if name in rejected):
        margin = chosen[name] - rejected[name]
        right = badge("prefers the chosen", "good") if margin > 0 else badge("prefers the rejected", "bad")
        told.append(f"{escape(name)}: {right} by {abs(margin):.3f}")
    return f'<div style="margin: 0 0 12px">{" &nbsp; ".join(told)}</div>'


def _legend() -> Markup:
    plus, minus = (
        f'<span style="background: {_ground(share)}; border-radius: 4px; padding: 1px 6px">{word}</span>'
        for share, word in ((1.0, "raises"), (-1.0, "lowers"))
    )
    return f'<div style="font-size: 12px">{plus} {minus} what the strip is called; the number is by how much.</div>'


def _visible(token: str) -> str:
    """Return a token as one can see it: the marks of spaces as dots, line ends by a sign."""
    return token.replace("Ġ", "·").replace("▁", "·").replace("Ċ", "⏎").replace("\n", "⏎") or "∅"


def _short(text: str, most: int = 70) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else "…" + line[-most:]


def _signed(value: float) -> str:
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text
