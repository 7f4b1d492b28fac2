"""A model behind an endpoint, one that is served here, and a judge of whatever kind."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.errors import WorkbenchError
from workbench.generators.address import environment_url
from workbench.generators.openai import OpenAIText
from workbench.generators.serving.engines import choose_engine
from workbench.generators.settings import GenerationSettings
from workbench.models.loading import ModelSettings
from workbench.rewards.judge import Preference
from workbench.rewards.judge_endpoint import TEMPLATE, parse_verdict
from workbench.runs.needs.models import ModelNeed
from workbench.runs.needs.need import Found, Lack, Need

__all__ = ["AnswerNeed", "judge_needs", "served_needs"]

_WAIT_S = 10.0
_EASY = {"{prompt}": "What is 2 + 2?", "{first}": "4", "{second}": "I like trains."}


@dataclass(frozen=True)
class AnswerNeed:
    """A model behind an endpoint, by OPENAI_BASE_URL and OPENAI_API_KEY. It is asked one question."""

    what: str
    """What it is to the run."""
    model: str
    """Its name at the endpoint."""
    judges: bool = False
    """Whether its answer has to be a verdict."""

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return self.what

    def check(self) -> Found | Lack:
        """Ask it; see `Need`."""
        settings = GenerationSettings(
            style="chat", temperature=0.0, max_new_tokens=16, retries=0, timeout_s=_WAIT_S
        )
        asked = OpenAIText(self.model, settings, left_out=("top_p",), progress=False)
        question = "Reply with the word yes."
        if self.judges:
            question = TEMPLATE
            for slot, text in _EASY.items():
                question = question.replace(slot, text)
        (reply,) = asked.complete([question])
        if self.judges and parse_verdict(reply) is Preference.REFUSED:
            return Lack(
                got=f"{self.model} at {environment_url()} judged an easy comparison with {reply[:80]!r}",
                needed="one letter, A, B or C: a verdict",
                fix="name another judge",
            )
        return Found(f"{self.model} at {environment_url()} answers")


@dataclass(frozen=True)
class _EngineNeed:
    """An engine that serves a model here; it is started by the run, and not by this."""

    what: str
    """What it is to the run."""
    spec: str
    """`MODEL` or `MODEL@ENGINE`."""

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return self.what

    def check(self) -> Found | Lack:
        """Look for it; see `Need`."""
        model, engine = choose_engine(self.spec)
        return Found(f"{engine.name} is installed, and will serve {model}")


def served_needs(what: str, spec: str) -> tuple[Need, ...]:
    """Return what a model needs that is served here: an engine, and its files where transformers could read them.

    Args:
        what: What it is to the run.
        spec: `MODEL` or `MODEL@ENGINE`.
    """
    engine = _EngineNeed(what, spec)
    try:
        model, chosen = choose_engine(spec)
    except WorkbenchError:  # told by the need itself
        return (engine,)
    files = () if chosen.name == "llama.cpp" else (ModelNeed(f"{what}, its files", ModelSettings(model)),)
    return (engine, *files)


def judge_needs(judge: str, device: str = "auto") -> tuple[Need, ...]:
    """Return what a judge of `make_judge` needs; nothing for an empty name.

    Args:
        judge: Its name.
        device: Of a judge on this machine.
    """
    kind, _, rest = judge.partition(":")
    if kind == "openai" and rest:
        return (AnswerNeed("judge", rest, judges=True),)
    if kind == "served" and rest:
        return served_needs("judge", rest)
    if kind in ("hf", "reward") and rest:
        return (ModelNeed("judge", ModelSettings(rest, device=device)),)
    return ()
