"""What ALaRM's experiment needs on public data: QA-Feedback, Europarl, five models, Java, a judge."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.datasets.europarl import EUROPARL, load_europarl
from workbench.papers.alarm.europarl import EuroparlTask
from workbench.papers.alarm.parameters import declare, task_of, translation_of
from workbench.papers.alarm.questions import QuestionTask, rows_of
from workbench.runs.needs import (
    DataNeed,
    DiskNeed,
    GrammarNeed,
    Held,
    HoursNeed,
    HubSplit,
    MemoryNeed,
    ModelNeed,
    Need,
    PackagesNeed,
    Work,
    judge_needs,
)
from workbench.training.settings import RewardTrainingSettings

__all__ = ["needs"]

_SPAN_BATCH, _SPAN_TOKENS, _SPAN_EPOCHS = 24, 1024, 50
_QUESTIONS = 3853
"""QA-Feedback's training questions."""
_FILLED = 0.7
"""About which part of the longest text a text of these data fills."""
_PAIRS = 4
"""About how many pairs of answers a question gives."""
_MODULES = {"grammar": "language_tool_python", "confidence": "lingua", "readability": "textstat"}
"""What aspects of translations import."""


def needs(settings: Any) -> tuple[Need, ...]:
    """Return what a run needs. The synthetic worlds have all that they need themselves.

    Args:
        settings: `Run.settings` of the notebook.

    Raises:
        SettingsError: The settings do not go together.
        DataError: The tuning's file cannot be read.
    """
    task, translation = task_of(settings), translation_of(settings).task
    found: list[Need] = []
    if isinstance(task, QuestionTask):
        found += _of_questions(task, settings)
    if isinstance(translation, EuroparlTask):
        found += _of_translation(translation, settings)
    return (*found, *judge_needs(settings.judge, settings.device))


def _of_questions(task: QuestionTask, settings: Any) -> list[Need]:
    named = {
        "policy": task.policy,
        "holistic reward": task.holistic,
        "relevance, factuality": task.aspect_model,
        "completeness": task.completeness_model,
    }
    ppo = task.ppo
    text = ppo.max_prompt_tokens + ppo.max_new_tokens
    spans = Held(task.aspect_model, _SPAN_BATCH * _SPAN_TOKENS, "all", logits=False)
    beside = tuple(
        Held(one, 16 * text, logits=False)
        for one in (task.holistic, task.aspect_model, task.completeness_model)
    )
    policy = Held(task.policy, ppo.minibatch * text, "lora" if task.lora else "all")
    return [
        DataNeed("QA-Feedback", partial(_question_rows, task)),
        *(ModelNeed(what, model) for what, model in named.items()),
        DiskNeed(tuple(named.values())),
        MemoryNeed.of(settings.device, aspects=(spans,), PPO=(policy, *beside)),
        HoursNeed(_work(task, settings), settings.device),
    ]


def _work(task: QuestionTask, settings: Any) -> tuple[Work, ...]:
    """Estimate the tokens of all trainings, and of the answers that rewards read."""
    ppo, learnt = task.ppo, RewardTrainingSettings()
    declared = declare(settings).with_ablations(settings.ablations, task.aspects)
    policies = len(declared.training_runs(task.aspects[:1], task.aspects))
    answers = policies * (ppo.max_steps or 2 * _QUESTIONS / ppo.batch) * ppo.batch
    spans = 2 * (task.span_steps or _SPAN_EPOCHS * _QUESTIONS / _SPAN_BATCH) * _SPAN_BATCH
    pairs = task.aspect_steps * learnt.batch if task.aspect_steps else learnt.epochs * _PAIRS * _QUESTIONS
    text = _FILLED * (ppo.max_prompt_tokens + ppo.max_new_tokens)
    layers = (task.lora and task.lora.layers) or 0
    reward: dict[str, Any] = {"adapters": True, "last_layers": layers, "read": answers * text}
    policy = Work(
        "policies",
        task.policy,
        trained=answers * ppo.ppo_epochs * text,
        adapters=task.lora is not None,
        last_layers=layers,
        read=2 * answers * text,
        written=answers * ppo.max_new_tokens,
        rows=ppo.batch,
    )
    return (
        Work("aspects", task.aspect_model, trained=spans * _FILLED * _SPAN_TOKENS),
        policy,
        Work("holistic reward", task.holistic, trained=2 * pairs * text * task.preferences, **reward),
        Work("completeness", task.completeness_model, trained=2 * pairs * text, **reward),
    )


def _of_translation(task: EuroparlTask, settings: Any) -> list[Need]:
    on_hub = task.source == EUROPARL
    data = DataNeed(
        "Europarl", partial(_on_hub if on_hub else _pairs, task), HubSplit(EUROPARL) if on_hub else None
    )
    modules = tuple(_MODULES[name] for name in task.aspects if name in _MODULES)
    return [
        data,
        ModelNeed("policy that translates", task.policy),
        ModelNeed("holistic reward", task.holistic),
        *([PackagesNeed("translation", modules)] if modules else []),
        *([GrammarNeed()] if "grammar" in task.aspects else []),
        DiskNeed((task.policy, task.holistic)),
    ]


def _question_rows(task: QuestionTask) -> str:
    """Load QA-Feedback as the experiment does, and say whether there are rows enough."""
    rows = rows_of(task)
    if len(rows.supervised) < task.supervised or len(rows.feedback) < task.pool_prompts:
        raise DataError(
            got=f"{task.source}: {len(rows.feedback)} rows to train on, {len(rows.supervised)} for SFT",
            needed=f"{task.supervised} for SFT, and {task.pool_prompts} to select aspects on",
            fix="set supervised or pool_prompts lower, or give more rows",
        )
    return (
        f"{len(rows.feedback):,} rows to train on, {len(rows.supervised):,} for SFT, {len(rows.prompts):,} for RL, "
        f"{len(rows.test):,} to test on"
    )


def _pairs(task: EuroparlTask) -> str:
    """Load the sentences of a file as the experiment does."""
    wanted = task.train_pairs + task.supervised
    train, test = (
        load_europarl(Path(task.source), split, pairs=count)
        for split, count in (("train", wanted), ("test", task.test_prompts))
    )
    if len(train) <= task.supervised:
        raise DataError(
            got=f"{task.source}: {len(train)} sentences to train on, supervised {task.supervised}",
            needed="more sentences than SFT takes",
            fix="set supervised lower, or give a larger file",
        )
    return f"{len(train):,} sentences to train on, {len(test):,} to test on"


def _on_hub(task: EuroparlTask) -> str:
    """Say that the data set is there; its two million rows are read by the run itself."""
    import huggingface_hub

    from workbench.runs.needs.hub import hub_fault

    if hub_fault():
        return f"{EUROPARL} lies in the local cache"
    info = huggingface_hub.dataset_info(EUROPARL)
    return f"{EUROPARL} is on the Hub" + (
        f", changed {info.last_modified:%Y-%m-%d}" if info.last_modified else ""
    )
