"""ARKS as its authors ran it, beside what the notebook's parameters make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.datasets.evor import TASKS, TOLERANCE
from workbench.retrieval.assembly import Budgets
from workbench.runs.paper_settings import PaperSetting, compared_settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PAPER_SETTINGS", "our_settings", "settings_table"]

PAPER_SETTINGS = (
    PaperSetting("tasks", tuple(TASKS)),
    PaperSetting("problems a task", "all"),
    PaperSetting(
        "generators",
        ("gpt-3.5-turbo-1106", "CodeLlama-34b-Instruct-hf"),
        reason="the first needs an OpenAI key: -p models=openai:gpt-3.5-turbo-1106,hf:codellama/...",
    ),
    PaperSetting("weights", "float16", "release", "NF4: 34 billion weights in float16 are 68 GB"),
    PaperSetting("sampling temperature", 0.0),
    PaperSetting("longest prompt, tokens", 3696, "paper and release"),
    PaperSetting("retriever", "hkunlp/instructor-large", "paper and release"),
    PaperSetting("instructions of the retriever", "one for each kind of query and text", "release"),
    PaperSetting("rounds", 25, "release"),
    PaperSetting(
        "documents and examples in a prompt",
        "as budgets allow",
        "release",
        "5 each, then as budgets allow: the rest of a ranking of all pages is noise, and slow to encode",
    ),
    PaperSetting(
        "sources",
        ("documentation", "execution_feedback", "code_snippets", "web_search"),
        reason="web search needs the key of a search engine: -p web=brave; pages change from day to day",
    ),
    PaperSetting("time limit of a program, s", 60.0, "paper (release: 10 for Pony)"),
    PaperSetting("numbers printed by Ring, decimals", 6, "release"),
    PaperSetting("numbers printed by Pony, decimals", 2, "release"),
    PaperSetting(
        "tests of the score",
        "all of a problem",
        "release",
        "all but the first, whose error is fed back: what feedback tells never decides",
    ),
)
"""What the paper and its release say."""


def our_settings(settings: Any) -> Mapping[str, Any]:
    """Return the same settings as a run's parameters make them.

    Args:
        settings: `Run.settings` of the notebook.
    """
    kind, dense = settings.data.partition(":")[0], settings.retriever != "bm25"
    evor = kind in (*TASKS, "all")
    sources = ("documentation", "execution_feedback", "code_snippets")
    instructed = dense and "instructor" in settings.encoder
    return {
        "tasks": tuple(TASKS) if kind == "all" else kind,
        "problems a task": settings.problems or "all",
        "generators": tuple(spec.rpartition("/")[2] for spec in settings.models),
        "weights": settings.dtype if settings.quantize == "none" else settings.quantize.upper(),
        "sampling temperature": 0.0,
        "longest prompt, tokens": Budgets.prompt_max_length,
        "retriever": (settings.encoder or "all-MiniLM-L6-v2") if dense else "BM25",
        "instructions of the retriever": "one for each kind of query and text" if instructed else None,
        "rounds": settings.rounds,
        "documents and examples in a prompt": f"{settings.documents} and {settings.snippets}, as budgets allow",
        "sources": (*sources, "web_search") if settings.web else sources,
        "time limit of a program, s": settings.timeout_s,
        "numbers printed by Ring, decimals": TOLERANCE["Ring"][0],
        "numbers printed by Pony, decimals": TOLERANCE["Pony"][0],
        "tests of the score": "all but the first" if evor else "all of a problem",
    }


def settings_table(settings: Any) -> pd.DataFrame:
    """Return the table 'the paper's setting / ours'; see `compared_settings`."""
    return compared_settings("arks", PAPER_SETTINGS, our_settings, settings)
