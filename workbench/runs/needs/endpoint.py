"""A model behind an endpoint, and a judge of whatever kind: its key is there, and it answers one question."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.generators.endpoint import shown_url
from workbench.generators.openai import OpenAIText
from workbench.generators.settings import GenerationSettings
from workbench.models.loading import ModelSettings
from workbench.rewards.judge import Preference
from workbench.rewards.judge_endpoint import TEMPLATE, parse_verdict
from workbench.runs.needs.models import ModelNeed
from workbench.runs.needs.need import Found, Lack, Need

__all__ = ["AnswerNeed", "judge_needs"]

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
                got=f"{self.model} at {shown_url()} judged an easy comparison with {reply[:80]!r}",
                needed="one letter, A, B or C: a verdict",
                fix="name another judge",
            )
        return Found(f"{self.model} at {shown_url()} answers")


def judge_needs(judge: str, device: str = "auto") -> tuple[Need, ...]:
    """Return what a judge of `make_judge` needs; nothing for an empty name.

    Args:
        judge: Its name.
        device: Of a judge on this machine.
    """
    kind, _, rest = judge.partition(":")
    if kind == "openai" and rest:
        return (AnswerNeed("judge", rest, judges=True),)
    if kind in ("hf", "reward") and rest:
        return (ModelNeed("judge", ModelSettings(rest, device=device)),)
    return ()
