"""What DS-1000's evaluation needs: problems, a runtime with their libraries, models that answer."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from workbench.datasets import load_problems
from workbench.datasets.ds1000 import HUB_NAME, MODULES
from workbench.generators.registry import model_asked
from workbench.models.loading import ModelSettings
from workbench.runs.needs import (
    AnswerNeed,
    DataNeed,
    DiskNeed,
    Held,
    HoursNeed,
    HubSplit,
    MemoryNeed,
    ModelNeed,
    Need,
    RuntimeNeed,
    Work,
    served_needs,
)

__all__ = ["needs"]

_PROBLEMS, _SUITE, _FAMILY = 1000, 100, 3
"""Problems of the real data, of our suite, and about how many a family has."""
_ANSWER, _PROMPT = 128, 600
"""About how many tokens an answer has, and a prompt."""
_BATCH = 8


def needs(settings: Any) -> tuple[Need, ...]:
    """Return what a run needs.

    Args:
        settings: `Run.settings` of the notebook.
    """
    found: list[Need] = []
    if settings.problems != "suite":
        hub = HubSplit(HUB_NAME) if settings.problems == "hub" else None
        found.append(DataNeed("problems", partial(_count, settings.problems), hub))
    # main is what the workbench itself runs in: problems whose library it lacks are skipped, and counted
    modules = () if settings.runtime == "main" else tuple(MODULES.values())
    found.append(RuntimeNeed(settings.runtime, modules))
    packed = {"nf4": "nf4", "4bit": "nf4"}.get(getattr(settings, "quantize", ""))
    asked = [model_asked(spec) for spec in settings.generators]
    found += [
        AnswerNeed(f"openai:{name}", name) for name in dict.fromkeys(n for k, n in asked if k == "openai")
    ]
    for name in dict.fromkeys(name for kind, name in asked if kind == "served"):
        found += served_needs(f"served:{name}", name)
    models = [
        ModelSettings(name, quantize=packed, dtype=settings.dtype)
        for name in dict.fromkeys(n for k, n in asked if k == "hf")
    ]
    found += [ModelNeed(f"generator {number}", model) for number, model in enumerate(models, start=1)]
    if models:
        device = getattr(settings, "device", "auto")
        parts = {one.name: (Held(one, _BATCH * (_PROMPT + settings.max_new_tokens)),) for one in models}
        every = _SUITE if settings.problems == "suite" else _PROBLEMS
        answers = settings.samples * (min(every, _FAMILY * settings.families) or every)
        styles = Counter(name for kind, name in asked if kind == "hf")  # a model may be asked in several
        work = [
            Work(
                one.name,
                one,
                read=styles[one.name] * answers * _PROMPT,
                written=styles[one.name] * answers * _ANSWER,
                rows=_BATCH,
            )
            for one in models
        ]
        found += [
            DiskNeed(tuple(models)),
            MemoryNeed(tuple(parts.items()), device),
            HoursNeed(tuple(work), device),
        ]
    return tuple(found)


def _count(source: str) -> str:
    problems = load_problems(source)
    libraries = dict.fromkeys(problem.library for problem in problems)
    return f"{len(problems):,} problems on {', '.join(libraries)}"
