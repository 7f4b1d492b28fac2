"""DS-1000 as its authors ran it, beside what the notebook's parameters make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.generators.settings import GenerationSettings
from workbench.runs.paper_settings import PaperSetting, compared_settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PAPER_SETTINGS", "our_settings", "settings_table"]

GONE = "Codex is gone, and the open models of then are far behind today's; CodeLlama is of the same kind, and open"
INSERTION = "completion and insertion of one 13 B model side by side; the 34 B model was not taught to insert"

PAPER_SETTINGS = (
    PaperSetting(
        "problems", "the 1,000 of DS-1000", reason="today's release of them: its prompts end otherwise"
    ),
    PaperSetting("models", "Codex-002, Codex-001, Codex-Cushman, CodeGen-6B, InCoder-6B", reason=GONE),
    PaperSetting("prompt styles", "completion and insertion", reason=INSERTION),
    PaperSetting(
        "weights of models on this machine", "float16", "release", "4 bit: 34 billion weights are 68 GB"
    ),
    PaperSetting("samples a problem", 40),
    PaperSetting("sampling temperature", 0.2),
    PaperSetting("nucleus sampling, top p", 0.95),
    PaperSetting("longest answer, tokens", 1024),
    PaperSetting("time limit of a program, s", 120.0, "release"),
    PaperSetting("libraries", "the versions of the release", "release"),
    PaperSetting("vacuous passes", "count", "release"),
)
"""What the paper and its release say."""


def our_settings(settings: Any) -> Mapping[str, Any]:
    """Return the same settings as a run's parameters make them.

    Args:
        settings: `Run.settings` of the notebook.
    """
    models = [spec for spec in settings.generators if spec.startswith(("hf:", "openai:"))]
    styles = dict.fromkeys(spec.partition("@")[2] or settings.style for spec in models)
    sources = {"hub": "the 1,000 of today's release", "suite": "the workbench's own suite"}
    return {
        "problems": sources.get(settings.problems, settings.problems),
        "models": tuple(dict.fromkeys(spec.partition("@")[0].rpartition("/")[2] for spec in models)),
        "prompt styles": ", ".join(styles) or "none",
        "weights of models on this machine": settings.dtype
        if settings.quantize == "none"
        else settings.quantize,
        "samples a problem": settings.samples,
        "sampling temperature": settings.temperature,
        "nucleus sampling, top p": GenerationSettings.top_p,
        "longest answer, tokens": settings.max_new_tokens,
        "time limit of a program, s": settings.timeout_s,
        "libraries": "the versions of the release" if settings.runtime == "ds1000" else "this environment's",
        "vacuous passes": "fail" if settings.strict else "count",
    }


def settings_table(settings: Any) -> pd.DataFrame:
    """Return the table 'the paper's setting / ours'; see `compared_settings`."""
    return compared_settings("ds1000", PAPER_SETTINGS, our_settings, settings)
