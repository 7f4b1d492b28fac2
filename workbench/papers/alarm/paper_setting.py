"""ALaRM as its authors ran it, on questions and on translation, beside what the notebook's parameters make of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workbench.papers.alarm.parameters import declare, task_of, translation_of
from workbench.runs.paper_settings import PaperSetting, compared_settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PAPER_SETTINGS", "our_settings", "settings_table"]

NF4 = "NF4: 13 billion weights in bfloat16 are 26 GB, beside the policy's"
TRAINED = "theirs are files of Fine-Grained RLHF on a drive; ours are trained by its recipe, on the same annotations"

PAPER_SETTINGS = (
    PaperSetting("holistic reward model", "openbmb/UltraRM-13b"),
    PaperSetting("its weights", "bfloat16", "release", NF4),
    PaperSetting("sigmoid shaping of aspects", True),
    PaperSetting("ablations", ("all aspects", "unshaped"), "paper"),
    PaperSetting(
        "length reward",
        "an arm",
        "release",
        "no arm: no claim rests on it; every arm's length is in a table, and a cell adds it as an aspect",
    ),
    PaperSetting("LoRA rank, alpha, dropout", (16, 32.0, 0.05), "paper and release"),
    PaperSetting("PPO epochs a rollout", 4, "paper and release"),
    PaperSetting("target of the KL to the sampling policy", 0.1, "paper and release"),
    PaperSetting("sampling temperature", 1.0, "paper and release"),
    PaperSetting("seeds", 3),
    PaperSetting("answers that win rates compare", "greedy", "release"),
    PaperSetting("judge", "openai:gpt-3.5-turbo-1106", "paper and release"),
    PaperSetting(
        "question to the judge",
        "AlpacaEval's",
        "release",
        "the workbench's own, which allows a tie; -p judge_question=FILE takes AlpacaEval's file",
    ),
    PaperSetting(
        "win rate",
        "wins / (wins + losses)",
        "release",
        "ties counted half, which has an interval; the release's stands beside it",
    ),
    PaperSetting(
        "inconsistency: ties of the aspect",
        "consistent",
        "release",
        "not counted: a tie is no order; the release's count stands beside it",
    ),
    PaperSetting("questions: policy", "google-t5/t5-large"),
    PaperSetting("questions: SFT examples", 1000, "paper and release, from train_1k.json"),
    PaperSetting("questions: prompts of RL", "train.json", "release: 3,853 prompts"),
    PaperSetting("questions: prompts of the test", "test.json, 948", "release"),
    PaperSetting("questions: aspect models", "those of Fine-Grained RLHF", "release", TRAINED),
    PaperSetting("questions: aspect models' longest input, tokens", 2048, "Fine-Grained RLHF"),
    PaperSetting("questions: aspect models chosen on", "dev_feedback.json", "Fine-Grained RLHF"),
    PaperSetting("questions: threshold, holistic weight", (0.6, 5.0), "paper and release"),
    PaperSetting("questions: learning rate, batch", (2e-4, 8), "paper and release"),
    PaperSetting("questions: rollouts", "2 epochs", "paper and release"),
    PaperSetting("questions: longest prompt and answer, tokens", (1024, 200), "paper and release"),
    PaperSetting(
        "questions: normalization of the holistic reward",
        "mean -4.896, sd 3.060",
        "paper and release",
        "fitted on the policy's own answers: the weights are NF4, and the policy is another",
    ),
    PaperSetting("translation: policy", "google/mt5-base"),
    PaperSetting("translation: SFT sentences, epochs", (63000, 5), "release"),
    PaperSetting("translation: SFT learning rate, batch", (1e-3, 64), "release"),
    PaperSetting("translation: SFT schedule, warmup, weight decay", ("cosine", 0.1, 0.05), "release"),
    PaperSetting("translation: rollouts", 50, "release"),
    PaperSetting("translation: learning rate, batch", (5e-4, 32), "paper and release"),
    PaperSetting("translation: threshold, holistic weight", (0.5, 3.0), "paper and release"),
    PaperSetting("translation: longest sentence, tokens", 128, "paper and release"),
    PaperSetting("translation: aspects", ("grammar", "confidence", "readability")),
    PaperSetting("translation: sentences of the test", 3000, "release: of 30,000 those that are compared"),
    PaperSetting(
        "translation: sentences of RL",
        "those of SFT",
        "release",
        "others: on those of SFT the policy has seen the right answers",
    ),
    PaperSetting(
        "translation: BLEU", "of SFT alone", "release", "not computed: no claim of the paper rests on it"
    ),
)
"""What the paper and its release say."""


def our_settings(settings: Any) -> Mapping[str, Any]:
    """Return the same settings as a run's parameters make them.

    Args:
        settings: `Run.settings` of the notebook.
    """
    declaration = declare(settings)
    return {
        "holistic reward model": settings.holistic or "one trained for each seed",
        "its weights": "as its checkpoint" if settings.quantize == "none" else settings.quantize.upper(),
        "sigmoid shaping of aspects": all(arm.shaped for arm in declaration.main_arms().values()),
        "ablations": settings.ablations,
        "length reward": None,
        "seeds": len(declaration.seeds),
        "answers that win rates compare": settings.decoding,
        "judge": settings.judge,
        "question to the judge": settings.judge_question or "the workbench's",
        "win rate": "ties counted half",
        "inconsistency: ties of the aspect": "not counted",
        "questions: threshold, holistic weight": (declaration.threshold, declaration.holistic_weight),
        **_questions(settings),
        **_translation(settings),
    }


def _questions(settings: Any) -> Mapping[str, Any]:
    from workbench.papers.alarm.passages import PassageTask
    from workbench.papers.alarm.questions import QuestionTask

    task, tested = cast("QuestionTask | PassageTask", task_of(settings)), settings.test_prompts
    ppo, lora = task.ppo, task.lora if isinstance(task, QuestionTask) else None
    asked, answered, aspects, development = (
        "the world's",
        f"the world's, {tested}",
        "the world's rules",
        "none",
    )
    if isinstance(task, QuestionTask):
        asked, read, development = _read(Path(task.source).expanduser())
        answered = f"{read}, {tested}"
        aspects = f"trained from {settings.aspect_model}"
    return {
        "LoRA rank, alpha, dropout": (lora.rank, lora.alpha, lora.dropout) if lora else None,
        "PPO epochs a rollout": ppo.ppo_epochs,
        "target of the KL to the sampling policy": ppo.target_kl,
        "sampling temperature": ppo.temperature,
        "questions: policy": settings.policy or "the world's",
        "questions: SFT examples": settings.supervised,
        "questions: prompts of RL": asked,
        "questions: prompts of the test": answered,
        "questions: aspect models": aspects,
        "questions: aspect models' longest input, tokens": settings.aspect_tokens,
        "questions: aspect models chosen on": development,
        "questions: learning rate, batch": (ppo.learning_rate, ppo.batch),
        "questions: rollouts": ppo.max_steps or f"{ppo.epochs:g} epochs",
        "questions: longest prompt and answer, tokens": (ppo.max_prompt_tokens, ppo.max_new_tokens),
        "questions: normalization of the holistic reward": "fitted on the policy's answers",
    }


def _read(source: Path) -> tuple[str, str, str]:
    """Return what `questions.rows_of` takes prompts of RL, prompts of the test and rows to choose models on from."""
    from workbench.papers.alarm.questions import DEV, PROMPTS, TEST, TRAIN

    if source.is_file():
        return f"{source.name}, but its last rows", f"the last of {source.name}", "none"
    lacking = {name for name in (PROMPTS, TEST) if source.is_dir() and not (source / name).is_file()}
    return TRAIN if PROMPTS in lacking else PROMPTS, DEV if TEST in lacking else TEST, DEV


def _translation(settings: Any) -> Mapping[str, Any]:
    from workbench.papers.alarm.europarl import EuroparlTask

    translation = translation_of(settings)
    task = translation.prepared
    ppo, public = task.ppo, isinstance(task, EuroparlTask)
    sft = task.sft if isinstance(task, EuroparlTask) else None
    return {
        "translation: policy": settings.translation_policy or "the world's",
        "translation: SFT sentences, epochs": (settings.translation_supervised, sft.epochs) if sft else None,
        "translation: SFT learning rate, batch": (sft.learning_rate, sft.batch) if sft else None,
        "translation: SFT schedule, warmup, weight decay": (sft.schedule, sft.warmup, sft.weight_decay)
        if sft
        else None,
        "translation: rollouts": ppo.max_steps or f"{ppo.epochs:g} epochs",
        "translation: learning rate, batch": (ppo.learning_rate, ppo.batch),
        "translation: threshold, holistic weight": (translation.threshold, translation.holistic_weight),
        "translation: longest sentence, tokens": ppo.max_prompt_tokens,
        "translation: aspects": task.aspects,
        "translation: sentences of the test": task.test_prompts,
        "translation: sentences of RL": "others than those of SFT" if public else "the world's",
        "translation: BLEU": None,
    }


def settings_table(settings: Any) -> pd.DataFrame:
    """Return the table 'the paper's setting / ours'; see `compared_settings`."""
    return compared_settings("alarm", PAPER_SETTINGS, our_settings, settings)
