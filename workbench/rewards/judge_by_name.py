"""Judges by name: a language model here or behind an endpoint, or a reward model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workbench.core.errors import SettingsError
from workbench.generators.settings import GenerationSettings
from workbench.generators.texts import make_text_generator
from workbench.models.loading import ModelSettings
from workbench.rewards.judge import Judge, RewardJudge
from workbench.rewards.judge_endpoint import EndpointJudge, JudgeSettings, TextJudge, question_template

__all__ = ["make_judge"]


def make_judge(
    name: str,
    *,
    device: str = "auto",
    path: str | Path | None = None,
    cut: str = "beginning",
    question: str | Path = "",
) -> Judge:
    """Return the judge of a name.

    Args:
        name: `openai:MODEL`, a model behind an OpenAI-compatible endpoint, or `hf:NAME-OR-PATH` or
            `served:MODEL[@ENGINE]`, one on this machine, asked in both orders; or
            `reward:NAME-OR-FOLDER`, a reward model or a sequence classifier of one label.
        device: Where a model of this machine computes.
        path: Where a model's replies are kept; see `TextJudge`.
        cut: What a prompt loses that is too long for a reward model, see `EncodingSettings.cut`; where its folder
            does not say it, and texts are not written by a chat template.
        question: A file with the question that a language model is asked; empty: ours. See `question_template`.

    Raises:
        SettingsError: It is neither, or the question lacks a slot.
        DataError: The question's file cannot be read.
        GeneratorError: An endpoint's key is missing.
        ModelError: The reward model cannot be loaded.
    """
    kind, _, rest = name.partition(":")
    asked = JudgeSettings(template=question_template(question)) if str(question) else JudgeSettings()
    if rest and kind == "openai":
        return EndpointJudge(rest, asked, path=path)
    if rest and kind in ("hf", "served"):
        settings = GenerationSettings(
            temperature=0.0, max_new_tokens=asked.max_new_tokens, batch_size=asked.concurrency, device=device
        )
        return TextJudge(make_text_generator(name, settings, progress=False), asked.template, path=path)
    if rest and kind == "reward":
        from workbench.models.encoding import load_encoding
        from workbench.rewards.sequence_model import SequenceModelReward

        model = ModelSettings(name=rest, device=device)
        reward = SequenceModelReward.load(model, (known := load_encoding(Path(rest))), name=name)
        if known is None and not reward.encoding.chat:
            reward.encoding = replace(reward.encoding, cut=cut)
        return RewardJudge(reward)
    raise SettingsError(
        got=f"judge {name!r}",
        needed="openai:MODEL (an endpoint, by OPENAI_BASE_URL and OPENAI_API_KEY), hf:NAME-OR-PATH, served:MODEL, or "
        "reward:NAME-OR-FOLDER",
        fix="name one of these, or none: an empty name",
    )
