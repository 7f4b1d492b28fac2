"""QA-Feedback for the ALaRM experiment: a public holistic reward, and aspects trained from its annotations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.qa_feedback import QAExample, QAFeedback, load_qa_examples, load_qa_feedback
from workbench.models.encoding import EncodingSettings
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.models.lora import LoraSettings, named_targets
from workbench.papers.alarm.held_out import held_out_facts
from workbench.papers.alarm.question_rewards import (
    ASPECTS,
    COMPLETENESS,
    HOLISTIC_ENCODING,
    NORMALIZED,
    SPANS,
    Budgets,
    QuestionRewards,
    normalized_rewards,
    raw_rewards,
)
from workbench.papers.alarm.setup import quantize_of
from workbench.papers.alarm.task import Prepared, SeedTask, aspect_faults, measured_pool
from workbench.rewards import (
    Reward,
    Sample,
    SequenceModelReward,
    completeness_pairs,
    fit_normalization,
    qa_sample,
    span_examples,
)
from workbench.rewards.sequence_model import COMPLETENESS_ENCODING
from workbench.rewards.span_encoding import SpanSettings
from workbench.training import SpanTrainingSettings, train_span_classifier
from workbench.training.ppo.settings import PAPER_LORA, PPOSettings
from workbench.training.settings import RewardTrainingSettings

__all__ = ["QuestionRows", "QuestionTask", "question_task", "rows_of"]

TRAIN, DEV = "train_feedback.json", "dev_feedback.json"
"""The authors' files of feedback in a folder; a single file is split."""
SUPERVISED, PROMPTS, TEST = "train_1k.json", "train.json", "test.json"
"""Their files of questions and answers: for SFT, for RL, to test on. Rows of feedback serve where one is missing."""
EVALUATE_STEPS = 100
"""Optimizer steps between evaluations of an aspect model, where there are rows to evaluate on."""
FROM_PREFERENCES = "preferences:"
"""Begins the name of a causal language model that a holistic reward is trained from."""
POLICY_CUT = "share of prompts that lost passages before the policy"
"""A fact about the prompts of RL."""
HELD_OUT_FILE = "held_out.json"
"""What the rewards know, beside their folders."""
ANSWERS = 4
"""Answers to each prompt that aspects are selected by."""


@dataclass(frozen=True)
class QuestionTask:
    """What is prepared from QA-Feedback."""

    source: str
    """A folder with the authors' files, or one file of feedback rows."""
    policy: ModelSettings
    """Who answers."""
    holistic: ModelSettings
    """A reward model for whole answers; see `load_scorer`. Or what one is trained from: see `preferences`."""
    aspect_model: ModelSettings
    """What relevance and factuality are trained from: a pretrained encoder."""
    completeness_model: ModelSettings
    """What completeness is trained from: a causal language model."""
    ppo: PPOSettings
    """How policies train."""
    lora: LoraSettings | None = None
    """Adapters of the policy."""
    supervised: int = 0
    """Answers that people wrote to fine-tune the policy on before RL; the paper's 1,000."""
    aspect_tokens: int = SpanSettings.max_tokens
    """Longest input of relevance and factuality, in tokens."""
    aspect_steps: int | None = None
    """Optimizer steps of completeness, and of a holistic reward that is trained; None: the authors' epochs."""
    span_steps: int | None = None
    """Optimizer steps of relevance and factuality; None: the authors' epochs."""
    span_learning_rate: float = SpanTrainingSettings.learning_rate
    """Of relevance and factuality; the authors' is for a model of 150 million parameters and thousands of steps."""
    pair_learning_rate: float = RewardTrainingSettings.learning_rate
    """Of completeness, and of a holistic reward that is trained."""
    pool_prompts: int = 50
    """Prompts that aspects are selected by, and rewards normalised on."""
    test_prompts: int = 50
    """Prompts that trained policies answer."""
    aspects: tuple[str, ...] = ASPECTS
    """Those that are trained and measured; two at least."""
    preferences: bool = False
    """Train the holistic reward from a causal language model on the rows' own comparisons of whole answers."""

    def __post_init__(self) -> None:
        if faults := aspect_faults(self.aspects, ASPECTS):
            raise SettingsError.listing(faults)

    @property
    def where(self) -> str:
        """What claims say of where they were measured."""
        return f"Measured on {self.source}."

    def described(self) -> None:
        """Return nothing: how aspects that are models can be gamed is not known."""

    def prepare(self, seed: int, folder: Path) -> Prepared:
        """Train aspect models, once for all seeds; fine-tune the policy where asked; measure the rewards.

        Args:
            seed: Of the answers that are sampled; prompts and reward models are the same for all.
            folder: Of the seed; what all share lies beside it.
        """
        rows = rows_of(self)
        shared = folder.parent / "shared"
        _train_aspects(self, rows, shared)
        holistic = _trained_holistic(self, rows.feedback, shared) if self.preferences else self.holistic
        policy = self.policy
        if self.supervised:
            tuned = _fine_tuned(self, rows.supervised, shared / "policy")
            policy = replace(policy, name=str(tuned.resolve()), revision=None)
        budgets = Budgets(self.ppo.max_prompt_tokens, self.ppo.max_new_tokens)
        raw = raw_rewards(holistic, shared, self.aspects, budgets)
        known = held_out_facts(raw, rows.held_out, shared / HELD_OUT_FILE)
        asked = [qa_sample(row) for row in rows.feedback[: self.pool_prompts]]
        samples, policy_cut = _sampled(replace(self, policy=policy), asked, rows.prompts, seed)
        fitted = {name: fit_normalization(raw[name], samples) for name in NORMALIZED if name in raw}
        rewards = QuestionRewards(holistic, str(shared.resolve()), fitted, self.aspects, budgets)
        task = SeedTask(
            seed=seed,
            policy=policy,
            lora=self.lora,
            train=rows.prompts,
            test=rows.test,
            rewards=rewards,
            ppo=self.ppo,
        )
        pool = measured_pool(normalized_rewards(raw, fitted, self.aspects), samples)
        return Prepared(task, pool, {**known, POLICY_CUT: policy_cut, **_cuts(raw, len(samples))})


def _cuts(rewards: Mapping[str, Reward], texts: int) -> dict[str, float]:
    """Return of each reward that reads whole texts which share of the prompts it could not read to their end."""
    reports = {name: one.cut for name, one in rewards.items() if isinstance(one, SequenceModelReward)}
    return {
        f"share of prompts that lost passages before the {name} reward": (cut.prompts_cut if cut else 0)
        / texts
        for name, cut in reports.items()
    }


def question_task(settings: Any) -> QuestionTask:
    """Return what a run's parameters say of QA-Feedback.

    Args:
        settings: `Run.settings` of the notebook.

    Raises:
        SettingsError: A model that is needed is not named.
    """
    names = ("policy", "holistic", "aspect_model", "completeness_model")
    missing = [name for name in names if not getattr(settings, name)]
    if missing:
        raise SettingsError(
            got=f"data {settings.data!r} without {', '.join(missing)}",
            needed="a policy, a holistic reward model, and models to train aspects from",
            fix="run --profile laptop, or name them: " + " ".join(f"-p {name}=..." for name in missing),
        )
    trained = settings.holistic.startswith(FROM_PREFERENCES)
    named = {name: getattr(settings, name) for name in names}
    named["holistic"] = named["holistic"].removeprefix(FROM_PREFERENCES)
    policy, holistic, aspect, completeness = (
        ModelSettings(name, device=settings.device, dtype=settings.dtype) for name in named.values()
    )
    paper = PPOSettings()
    batch = settings.batch or paper.batch
    return QuestionTask(
        source=settings.data,
        policy=policy,
        holistic=replace(holistic, quantize=quantize_of(settings)),
        aspect_model=replace(aspect, dtype="auto"),  # trained in whole
        completeness_model=completeness,
        ppo=replace(
            paper,
            chat=settings.chat,
            max_steps=settings.steps or None,
            batch=batch,
            minibatch=math.gcd(batch, paper.minibatch),
            max_prompt_tokens=settings.max_prompt_tokens,
            cut="end",  # the question stands first
            max_new_tokens=settings.max_new_tokens,
            checkpoint_steps=0,
        ),
        lora=_adapters(policy, settings) if settings.lora else None,
        supervised=settings.supervised,
        aspect_tokens=settings.aspect_tokens,
        aspect_steps=settings.aspect_steps or None,
        span_steps=settings.span_steps or settings.aspect_steps or None,
        span_learning_rate=settings.span_learning_rate or SpanTrainingSettings.learning_rate,
        pair_learning_rate=settings.pair_learning_rate or RewardTrainingSettings.learning_rate,
        pool_prompts=settings.pool_prompts,
        test_prompts=settings.test_prompts,
        preferences=trained,
    )


def _adapters(policy: ModelSettings, settings: Any) -> LoraSettings:
    """Return the paper's adapters, on its T5's layers or on those named; for other policies on their default."""
    targets = named_targets(settings.target_modules)
    adapters = replace(PAPER_LORA, layers=settings.lora_layers or None)
    if targets or "t5" not in policy.name.lower():
        return replace(adapters, target_modules=targets)
    return adapters


@dataclass(frozen=True)
class QuestionRows:
    """What is trained and tested on."""

    feedback: Sequence[QAFeedback]
    """With annotations, for aspect models and selection."""
    development: Sequence[QAFeedback]
    """More of these, to choose the best aspect models by; none in a single file."""
    supervised: Sequence[tuple[str, str]]
    """Prompts and answers that people wrote, for SFT."""
    prompts: tuple[Sample, ...]
    """For RL; the responses are empty."""
    test: tuple[Sample, ...]
    """To test on; the responses are empty."""
    held_out: Sequence[QAFeedback]
    """With annotations that no reward learns from: the development file's, by which the best weights of relevance and
    factuality are chosen; of a single file the tested rows."""


def rows_of(settings: QuestionTask) -> QuestionRows:
    """Return the rows of the authors' folder, each file for what it was made for, or of a single file."""
    source = Path(settings.source).expanduser()
    if source.is_dir():
        feedback, development = load_qa_feedback(source / TRAIN), load_qa_feedback(source / DEV)
        named = {name: source / name for name in (SUPERVISED, PROMPTS, TEST)}
        loaded = {name: load_qa_examples(file) for name, file in named.items() if file.is_file()}
        written = [(row.prompt, row.answers[0]) for row in loaded.get(SUPERVISED, ())]
        return QuestionRows(
            feedback,
            development,
            written or [(row.prompt, row.gold) for row in feedback],
            _asked(loaded.get(PROMPTS, feedback)),
            _asked(loaded.get(TEST, development)[: settings.test_prompts]),
            development[: settings.test_prompts],
        )
    if not source.is_file():
        raise DataError(
            got=f"no file or folder {source}",
            needed=f"a folder with QA-Feedback's {TRAIN} and {DEV}, or one file of feedback rows",
            fix="git clone https://github.com/allenai/FineGrainedRLHF, then "
            "-p data=FineGrainedRLHF/tasks/qa_feedback/data",
        )
    rows = load_qa_feedback(source)
    if len(rows) <= settings.test_prompts:
        raise DataError(
            got=f"{source}: {len(rows)} rows, test_prompts {settings.test_prompts}",
            needed="more rows than are tested on",
            fix="set test_prompts lower, or give more rows",
        )
    train, test = rows[: -settings.test_prompts], rows[-settings.test_prompts :]
    written = [(row.prompt, row.gold) for row in train]
    return QuestionRows(train, (), written, _asked(train), _asked(test), test)


def _asked(rows: Sequence[QAFeedback] | Sequence[QAExample]) -> tuple[Sample, ...]:
    return tuple(Sample(row.prompt, "", {"question": row.question}) for row in rows)


def _trained_holistic(settings: QuestionTask, rows: Sequence[QAFeedback], folder: Path) -> ModelSettings:
    """Train the holistic reward on comparisons of whole answers; where it is there, it is not trained again."""
    pairs = [pair for row in rows for pair in row.pairs()]
    base = replace(
        settings.holistic, share_prompts=True
    )  # up to six pairs, and their answers, share a prompt
    place = _reward_model(settings, base, pairs, HOLISTIC_ENCODING, folder / "holistic")
    return replace(settings.holistic, name=str(place.resolve()), revision=None)


def _reward_model(
    settings: QuestionTask,
    base: ModelSettings,
    pairs: Sequence[PreferencePair],
    encoding: EncodingSettings,
    folder: Path,
) -> Path:
    """Train a reward model with adapters into a folder."""
    from workbench.training.train import train_reward_model

    training = RewardTrainingSettings(
        alpha=0.0,
        learning_rate=settings.pair_learning_rate,
        max_steps=settings.aspect_steps,
        encoding=encoding,
    )
    layers = settings.lora.layers if settings.lora else None
    train_reward_model(
        base,
        load_tokenizer(base),
        pairs,
        training,
        folder=folder,
        lora=LoraSettings(layers=layers),
    )
    return folder


def _train_aspects(settings: QuestionTask, rows: QuestionRows, folder: Path) -> None:
    """Train the three aspect models; those that are there are not trained again."""
    for name in (name for name in SPANS if name in settings.aspects):
        chosen_by = span_examples(rows.development, name) if rows.development else []
        every = min(EVALUATE_STEPS, settings.span_steps or EVALUATE_STEPS) if chosen_by else 0
        train_span_classifier(
            span_examples(rows.feedback, name),
            settings.aspect_model,
            replace(SPANS[name], max_tokens=settings.aspect_tokens),
            folder=folder / name,
            name=name,
            training=SpanTrainingSettings(
                max_steps=settings.span_steps,
                learning_rate=settings.span_learning_rate,
                bf16=None,
                evaluate_steps=every,
            ),
            eval_examples=chosen_by,
        )
    if COMPLETENESS in settings.aspects:
        pairs, place = completeness_pairs(rows.feedback), folder / COMPLETENESS
        _reward_model(settings, settings.completeness_model, pairs, COMPLETENESS_ENCODING, place)


def _fine_tuned(settings: QuestionTask, examples: Sequence[tuple[str, str]], folder: Path) -> Path:
    from workbench.training.supervised import SupervisedSettings, fine_tune

    budgets = SupervisedSettings(
        chat=settings.ppo.chat,
        max_prompt_tokens=settings.ppo.max_prompt_tokens,
        max_new_tokens=settings.ppo.max_new_tokens,
        cut=settings.ppo.cut,
    )
    few = examples[: settings.supervised]
    return fine_tune(settings.policy, load_tokenizer(settings.policy), few, budgets, folder=folder)


def _sampled(
    settings: QuestionTask, rows: Sequence[Sample], prompts: Sequence[Sample], seed: int
) -> tuple[list[Sample], float]:
    """Return some answers of the policy to each row, and the share of the prompts of RL that it reads in part."""
    from workbench.training.ppo import ValuedPolicy
    from workbench.training.ppo.answering import answer_prompts
    from workbench.training.ppo.prompts import encode_prompts

    asked = [replace(row, response="") for row in rows]
    tokenizer, policy = load_tokenizer(settings.policy), ValuedPolicy.load(settings.policy)
    how = replace(settings.ppo, seed=seed)
    answers = answer_prompts(policy, tokenizer, [sample.prompt for sample in asked], how, samples=ANSWERS)
    trained = encode_prompts(prompts, tokenizer, policy, how)
    return [
        replace(sample, response=text) for sample, texts in zip(asked, answers, strict=True) for text in texts
    ], float(np.mean([prompt.lost > 0 for prompt in trained]))
