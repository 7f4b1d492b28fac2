"""What the HaF-RM experiment trains and tests on: the world of passages, or preference data sets by name."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench.core.errors import SettingsError
from workbench.datasets.messages import messages_of
from workbench.datasets.preference_filters import is_held_out
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.preference_sources import HELD_OUT, NAMES
from workbench.datasets.preferences import load_preferences
from workbench.models.encoding import EncodingSettings, encode
from workbench.models.loading import ModelSettings, load_causal_lm, load_tokenizer
from workbench.models.sampling import sample_texts
from workbench.rewards.best_of_n import PromptSamples
from workbench.store.fingerprint import path_fingerprint
from workbench.worlds.passages.sampling import Candidates, all_pairs, draw_pairs, sample_answers
from workbench.worlds.passages.task import SPLITS, draw_task

__all__ = [
    "MIXED",
    "WORLD",
    "DataSettings",
    "ExperimentData",
    "Regime",
    "held_out_part",
    "prepare_data",
    "training_pairs",
    "weights_of",
]

WORLD = "passages"
"""The data's name for the world of passages; all other names are data sets or files."""
MIXED = "all sets"
"""The pool's name that holds the training pairs of all data sets."""
NUMBERS = {"pool_prompts": 1, "test_prompts": 1, "samples": 2, "judged_prompts": 0, "max_new_tokens": 1}
ANSWERS_AT_ONCE = 64
HELD_OUT_PARTS = (HELD_OUT, 0.2, 0.5)
"""Parts of a file to test on, the first one that holds a pair."""
TRIES = 50
"""How often as many prompts are drawn again while no two answers to one differ in utility."""
SEED_STRIDE = 1_000_003
"""Between the seeds of these tries, far from those of other parts and runs."""


@dataclass(frozen=True)
class Regime:
    """How many pairs a reward model learns from, and how clean they are."""

    pairs: int
    """Preference pairs; of a data set that has fewer, all that it has."""
    flipped: float = 0.0
    """Share of labels that are the wrong way round."""

    def __post_init__(self) -> None:
        if self.pairs < 1 or not 0 <= self.flipped <= 0.5:
            raise SettingsError(
                got=f"{self.pairs} pairs, {self.flipped:g} of them flipped",
                needed="at least 1 pair, and a share from 0 to 0.5",
                fix="correct the regime, such as 400 or 400@0.2",
            )

    @classmethod
    def parse(cls, text: str) -> Regime:
        """Read `PAIRS` or `PAIRS@FLIPPED`, such as `400@0.2`.

        Raises:
            SettingsError: It is neither.
        """
        pairs, _, flipped = text.partition("@")
        try:
            return cls(int(pairs), float(flipped or 0))
        except ValueError:
            raise SettingsError(
                f"regime {text!r}", "PAIRS or PAIRS@FLIPPED, such as 400 or 400@0.2", "correct it"
            ) from None

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{self.pairs:,} pairs, " + (f"{self.flipped:.0%} flipped" if self.flipped else "clean")


@dataclass(frozen=True)
class DataSettings:
    """Where the pairs come from.

    Raises:
        SettingsError: A number cannot be used.
    """

    names: tuple[str, ...] = (WORLD,)
    """`passages` alone, or names and files that `load_preferences` knows."""
    pool_prompts: int = 1600
    """Prompts of the world that training pairs are made of."""
    test_prompts: int = 250
    """Prompts of each of the world's splits to test on; of a data set, pairs."""
    samples: int = 8
    """Answers to each prompt of the world; half as many to those that training pairs are made of."""
    judged_prompts: int = 0
    """Prompts of each data set that the backbone answers too, for a judge to compare what rewards pick."""
    max_new_tokens: int = 256
    """Longest of these answers, in tokens."""
    encoding: EncodingSettings = field(default_factory=EncodingSettings)
    """How these prompts are read."""
    held_out: float = 0.0
    """Part of a data file's prompts that is tested on; 0: see `held_out_part`."""
    whole_pairs: bool = False
    """Of data sets, use only pairs of one turn that fit into the encoding whole, as the paper's authors do."""
    mixed: bool = False
    """Train on the pairs of all data sets together, too."""
    seed: int = 0
    """Of prompts and samples, and of what is drawn from a data set."""

    def __post_init__(self) -> None:
        faults = [
            (f"{name} {getattr(self, name)}", f"{name}: at least {least}")
            for name, least in NUMBERS.items()
            if getattr(self, name) < least
        ]
        if not 0 <= self.held_out < 1:
            faults.append((f"held_out {self.held_out}", "held_out: a part, at least 0 and below 1"))
        if not self.names or (WORLD in self.names and len(self.names) > 1):
            faults.append(
                (f"data {', '.join(self.names) or 'none'}", f"{WORLD} alone, or names of data sets")
            )
        if len({Path(name).name for name in self.names}) < len(self.names):
            faults.append((f"data {', '.join(self.names)}", "names that tables can tell apart"))
        if faults:
            raise SettingsError.listing(faults)

    @property
    def is_world(self) -> bool:
        """Whether answers have a utility."""
        return self.names == (WORLD,)


@dataclass(frozen=True)
class ExperimentData:
    """Pools to draw training pairs from, and test pairs. All arms share them."""

    pools: Mapping[str, Sequence[PreferencePair] | Sequence[Candidates]]
    """By what is trained on."""
    tests: Mapping[str, Sequence[PreferencePair]]
    """By what is tested on."""
    candidates: Mapping[str, Sequence[Candidates]] = field(default_factory=dict)
    """Answers with utilities that the test pairs are made of, for best-of-N; the world's only."""
    answers: Mapping[str, Sequence[PromptSamples]] = field(default_factory=dict)
    """The backbone's answers to prompts of data sets, by test set: best-of-N for a judge."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Pairs of each data set that have several turns or do not fit; see `DataSettings.whole_pairs`."""
    backbone: str = ""
    """A mark of the backbone's weights, so that what was stored for other weights is not taken for these."""

    @staticmethod
    def inside(trained_on: str, test: str) -> bool:
        """Tell whether a test set is in distribution for what a model was trained on."""
        return trained_on in (test, MIXED)

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Every prompt and response to score, once."""
        pairs = [pair for test in self.tests.values() for pair in test]
        texts = [(pair.prompt, text) for pair in pairs for text in (pair.chosen, pair.rejected)]
        texts += [
            (one.prompt, text) for few in self.candidates.values() for one in few for text in one.responses
        ]
        texts += [
            (one.prompt, text) for few in self.answers.values() for one in few for text in one.responses
        ]
        return list(dict.fromkeys(texts))

    @property
    def example(self) -> PreferencePair:
        """The pair to look at: the first test pair whose responses are equally long in words, else the first."""
        pairs = [pair for test in self.tests.values() for pair in test]
        alike = (pair for pair in pairs if len(pair.chosen.split()) == len(pair.rejected.split()))
        return next(alike, pairs[0])


def weights_of(model: ModelSettings) -> Path:
    """Return the file of a local model's weights, which stands for their content among a step's arguments."""
    return Path(model.source) / "model.safetensors"


def prepare_data(settings: DataSettings, model: ModelSettings, weights: Path | None = None) -> ExperimentData:
    """Make the data of an experiment.

    Args:
        settings: What to make.
        model: The policy; in the world it writes the answers itself.
        weights: See `weights_of`.
    """
    made = _of_world(settings, model) if settings.is_world else _of_data_sets(settings, model)
    return replace(
        made, backbone=path_fingerprint(weights) if weights is not None and weights.is_file() else ""
    )


def training_pairs(
    pool: Sequence[PreferencePair] | Sequence[Candidates], regime: Regime, *, source: str, seed: int
) -> list[PreferencePair]:
    """Draw the pairs that one seed trains on. Regimes of one seed share their pairs as far as they go.

    A data set with fewer pairs than the regime gives all: seeds then share them, and differ in their order.

    Args:
        pool: What to draw from.
        regime: How many, and how many of them flipped.
        source: The pool's name.
        seed: Decides which; every arm of a seed gets the same.

    Raises:
        SettingsError: The world's pool is too small.
    """
    if pool and isinstance(pool[0], Candidates):
        few = [one for one in pool if isinstance(one, Candidates)]
        return draw_pairs(few, regime.pairs, source=source, flipped=regime.flipped, seed=seed)
    pairs = [pair for pair in pool if isinstance(pair, PreferencePair)]
    dice = random.Random(seed)
    drawn = dice.sample(pairs, min(regime.pairs, len(pairs)))
    return [
        PreferencePair(pair.prompt, pair.rejected, pair.chosen, pair.source, pair.subset)
        if dice.random() < regime.flipped
        else pair
        for pair in drawn
    ]


def _of_world(settings: DataSettings, model: ModelSettings) -> ExperimentData:
    """Let the policy answer prompts of every split, and pair its answers by their utility."""
    policy, tokenizer = load_causal_lm(model).model, load_tokenizer(model)
    wanted = {("pool", "familiar"): (settings.pool_prompts, max(2, settings.samples // 2))}
    wanted |= {("test", name): (settings.test_prompts, settings.samples) for name in SPLITS}
    answered: dict[tuple[str, str], list[Candidates]] = {}
    for i, ((use, name), (prompts, samples)) in enumerate(wanted.items()):
        source = random.Random(f"{settings.seed} {use} {name}")
        # the answers to very few prompts may all be worth the same, which makes no pair: then more are asked
        for again in range(TRIES):
            asked = dict.fromkeys(draw_task(SPLITS[name], source).prompt for _ in range(prompts))
            seed = settings.seed * len(wanted) + i + SEED_STRIDE * again
            found = sample_answers(policy, tokenizer, list(asked), samples=samples, seed=seed)
            answered.setdefault((use, name), []).extend(found)
            if all_pairs(found, name):
                break
        else:
            raise SettingsError(
                got=f"answers of {model.name} to {TRIES * prompts} prompts ({name}), all worth the same",
                needed="a policy whose answers differ in utility",
                fix="leave -p model out for the world's own policy, or ask for more -p samples",
            )
    candidates = {name: answered["test", name] for name in SPLITS}
    return ExperimentData(
        pools={"familiar": answered["pool", "familiar"]},
        tests={name: all_pairs(few, name) for name, few in candidates.items()},
        candidates=candidates,
    )


def _of_data_sets(settings: DataSettings, model: ModelSettings) -> ExperimentData:
    """Load data sets: each is trained on alone, and all are tested on."""
    pools: dict[str, Sequence[PreferencePair]] = {}
    tests: dict[str, Sequence[PreferencePair]] = {}
    left_out: dict[str, int] = {}
    for name in settings.names:
        label = Path(name).name
        held_out = held_out_part(name, settings.held_out)
        train, test = (load_preferences(name, part, held_out=held_out).pairs for part in ("train", "test"))
        if settings.whole_pairs:
            loaded = len(train) + len(test)
            train, test = (_whole(pairs, settings.encoding, model, label) for pairs in (train, test))
            left_out[label] = loaded - len(train) - len(test)
        pools[label] = train
        dice = random.Random(f"{settings.seed} {label}")
        tests[label] = dice.sample(test, min(settings.test_prompts, len(test)))
    if settings.mixed and len(pools) > 1:
        pools[MIXED] = [pair for pool in pools.values() for pair in pool]
    return ExperimentData(pools, tests, answers=_answered(settings, model, tests), left_out=left_out)


def _whole(
    pairs: Sequence[PreferencePair], encoding: EncodingSettings, model: ModelSettings, name: str
) -> tuple[PreferencePair, ...]:
    """Return the pairs whose prompt is a single turn, and of which nothing is cut."""
    single = [pair for pair in pairs if len(messages_of(pair.prompt)) == 1]
    texts = [(pair.prompt, text) for pair in single for text in (pair.chosen, pair.rejected)]
    cut = encode(texts, load_tokenizer(model), encoding).cut if texts else []
    found = tuple(pair for number, pair in enumerate(single) if not any(cut[2 * number : 2 * number + 2]))
    if not found:
        raise SettingsError(
            got=f"{len(pairs)} pairs of {name}, {len(single)} of one turn, none within {encoding.max_tokens} tokens",
            needed="pairs of one turn that fit",
            fix="-p whole_pairs=false, or more -p max_tokens",
        )
    return found


def held_out_part(name: str, asked: float = 0.0) -> float | None:
    """Return the part of a file to hold out, by prompt; None for data sets by name, which know their own.

    It is the one asked for; where none is, the usual one, or a larger one where that leaves a small file without a
    pair to test on.
    """
    if name in NAMES:
        return None
    if asked:
        return asked
    prompts = {pair.prompt for pair in load_preferences(name, "all").pairs}
    held = {share: sum(is_held_out(prompt, share) for prompt in prompts) for share in HELD_OUT_PARTS}
    return next((share for share, count in held.items() if 0 < count < len(prompts)), HELD_OUT)


def _answered(
    settings: DataSettings, model: ModelSettings, tests: Mapping[str, Sequence[PreferencePair]]
) -> dict[str, Sequence[PromptSamples]]:
    """Let the backbone answer the first prompts of each test set."""
    if not settings.judged_prompts:
        return {}
    policy, tokenizer = load_causal_lm(model).model, load_tokenizer(model)
    found: dict[str, Sequence[PromptSamples]] = {}
    for number, (name, pairs) in enumerate(tests.items()):
        prompts = list(dict.fromkeys(pair.prompt for pair in pairs))[: settings.judged_prompts]
        # any response will do: what stands before it is the same
        read = encode([(prompt, pairs[0].chosen) for prompt in prompts], tokenizer, settings.encoding)
        written = sample_texts(
            policy,
            tokenizer,
            [text.tokens[: text.prompt_tokens].tolist() for text in read.texts],
            samples=settings.samples,
            seed=settings.seed * len(tests) + number,
            max_new_tokens=settings.max_new_tokens,
            batch_size=ANSWERS_AT_ONCE,
        )
        found[name] = [
            PromptSamples(prompt, tuple(text.strip() for text in texts))
            for prompt, texts in zip(prompts, written, strict=True)
        ]
    return found
