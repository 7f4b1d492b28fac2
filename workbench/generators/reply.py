"""What an endpoint says to one request: a reply, or a failure and what it means."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.generators.answer import NO_ANSWER, STOPPED

__all__ = ["Failure", "Reply", "read_failure", "read_reply"]

PASSING = (408, 409, 429)
"""Refusals that pass, besides those from 500 on."""
OF_THE_RUN = (401, 402, 404, 429)
"""Refusals that no other prompt would change: of the key, the account, the model, the pace."""


@dataclass(frozen=True)
class Reply:
    """What a model behind an endpoint says."""

    text: str = ""
    """Its answer, without reasoning that the endpoint sends apart from it; empty where it refuses to speak."""
    ended: str | None = None
    """As `workbench.generators.answer.Answer.ended`."""
    said: str = ""
    """What the endpoint or the model says in place of an answer."""
    others: tuple[Reply, ...] = ()
    """Further samples that the same request brought."""

    @property
    def is_missing(self) -> bool:
        """Whether no answer came."""
        return self.ended == NO_ANSWER

    def cut(self, stops: Sequence[str]) -> Reply:
        """Return it with each text up to the first of some stop texts."""
        text = self.text
        for stop in stops:
            text = text.split(stop, maxsplit=1)[0]
        ended = self.ended if text == self.text else STOPPED
        return replace(self, text=text, ended=ended, others=tuple(other.cut(stops) for other in self.others))


@dataclass(frozen=True)
class Failure:
    """A request that brought no answer."""

    error: Any
    """What the client raised; None where the endpoint answered, but with no completion."""
    said: str
    """What the endpoint said."""
    status: int | None = None
    """HTTP status, or that which an error inside a 200 names."""
    passes: bool = False
    """Whether the same request may succeed later."""
    wait_s: float | None = None
    """How long the endpoint asks to wait, in seconds."""

    @property
    def concerns_the_run(self) -> bool:
        """Whether it would meet every prompt."""
        return self.status in OF_THE_RUN

    @property
    def names_settings(self) -> bool:
        """Whether the request itself was found wrong, so that other settings may be taken."""
        return self.status in (400, 422)


def read_reply(reply: Any, read: Callable[[Any], Any]) -> Reply | Failure:
    """Read what the client made of a 200; of several samples only those count that are complete.

    Args:
        reply: The client's object, or whatever the endpoint sent.
        read: Returns a choice's content.
    """
    if fault := getattr(reply, "error", None):
        return _error_inside(fault)
    try:
        found = [_read_choice(choice, reply, read) for choice in (reply.choices[0], *reply.choices[1:])]
    except (AttributeError, IndexError, TypeError):
        return _no_completion(reply)
    whole = [one for one in found if isinstance(one, Reply)]
    return replace(whole[0], others=tuple(whole[1:])) if whole else found[0]


def _read_choice(choice: Any, reply: Any, read: Callable[[Any], Any]) -> Reply | Failure:
    """Read one sample of a reply."""
    try:
        if fault := getattr(choice, "error", None):
            return _error_inside(fault)
        content = read(choice)
    except (AttributeError, IndexError, TypeError):
        return _no_completion(reply)
    refusal = getattr(getattr(choice, "message", None), "refusal", None)
    ended = getattr(choice, "finish_reason", None)
    return Reply(
        _text(content),
        ended if isinstance(ended, str) else None,
        refusal if isinstance(refusal, str) else "",
    )


def _no_completion(reply: Any) -> Failure:
    is_object = hasattr(reply, "choices") or hasattr(reply, "model_fields_set")
    return Failure(None, "something that is no completion", passes=is_object)


def read_failure(error: Any, *, again: bool) -> Failure:
    """Read what the client raised.

    Args:
        error: Of the `openai` package, or a body that is not the JSON its header claims.
        again: What a failure without a status means: whether it may pass.
    """
    status, response = getattr(error, "status_code", None), getattr(error, "response", None)
    if isinstance(error, ValueError):
        return Failure(None, "something that is no completion", passes=True)
    said = response.text if response is not None and response.text.strip() else str(error)
    if status is None:
        return Failure(error, said, passes=again)
    headers = response.headers if response is not None else {}
    asked = {"true": True, "false": False}.get(headers.get("x-should-retry", ""))
    return Failure(error, said, status, _passes(status) if asked is None else asked, _wait_s(headers))


def _error_inside(fault: Any) -> Failure:
    """Read an error that came with status 200; without a number it may pass."""
    about = fault if isinstance(fault, dict) else {"message": fault}
    code = str(about.get("code"))
    status = int(code) if code.isdecimal() else None
    said = about.get("message") or json.dumps(about, default=str)
    return Failure(None, str(said), status, status is None or _passes(status))


def _passes(status: int) -> bool:
    return status in PASSING or status >= 500


def _wait_s(headers: Any) -> float | None:
    """Return how long the endpoint asks to wait; None where it does not say, or longer than a minute."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if 0 <= wait_s <= 60:
            return wait_s
    return None


def _text(content: Any) -> str:
    """Return the text of a content, which may be a list of parts; those that are reasoning hold none."""
    if isinstance(content, list):
        parts = [part if isinstance(part, dict) else {"text": part} for part in content]
        return "".join(_text(part.get("text")) for part in parts if "text" in str(part.get("type", "text")))
    return content if isinstance(content, str) else ""
