"""What an endpoint was found not to take, learned once and kept to."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.models.chat import without_system

__all__ = ["Learned", "Manners"]

# The first that is named goes first: of two that exclude each other, the temperature stays.
_MAY_GO = ("seed", "top_p", "stop", "temperature")
_OLD_LIMIT, _NEW_LIMIT = "max_tokens", "max_completion_tokens"
_NAMES_N = re.compile(r"(?<![\w\\])n(?!\w)")


@dataclass(frozen=True)
class Manners:
    """How an endpoint wants to be asked."""

    left_out: frozenset[str] = frozenset()
    """Options that it refuses."""
    new_limit: bool = False
    """Whether it knows the limit as `max_completion_tokens`, as OpenAI's newer models do."""
    no_system: bool = False
    """Whether it takes no system turn, so that the instruction stands in the user's."""
    one_sample: bool = False
    """Whether a request brings one sample, whatever `n` asks for."""

    def applied(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request as the endpoint takes it."""
        kept = {name: value for name, value in request.items() if name not in self.left_out}
        if self.one_sample:
            kept.pop("n", None)
        if self.new_limit and _OLD_LIMIT in kept:
            kept[_NEW_LIMIT] = kept.pop(_OLD_LIMIT)
        if self.no_system and "messages" in kept:
            kept["messages"] = without_system(kept["messages"])
        return kept

    def adapted(self, said: str, request: Mapping[str, Any]) -> Manners | None:
        """Return other manners to try after a refusal that names what was sent; None where it names nothing."""
        sent = self.applied(request)
        if "n" in sent and _NAMES_N.search(said):
            return replace(self, one_sample=True)
        if _OLD_LIMIT in sent and re.search(rf"\b({_OLD_LIMIT}|{_NEW_LIMIT})\b", said):
            return replace(self, new_limit=True)
        for name in _MAY_GO:
            written = name.replace("_", "[_ -]?")
            if name in sent and re.search(rf"\b{written}\b", said, re.IGNORECASE):
                return replace(self, left_out=self.left_out | {name})
        roles = {message.get("role") for message in sent.get("messages", ())}
        if "system" in roles and re.search(r"\bsystem\b", said, re.IGNORECASE):
            return replace(self, no_system=True)
        # what refuses several samples may call them by a name of its own
        return replace(self, one_sample=True) if "n" in sent else None

    def differences(self, other: Manners) -> Iterator[str]:
        """Yield in words what this adds to other manners."""
        yield from (f"{name} is left out" for name in _MAY_GO if name in self.left_out - other.left_out)
        if self.new_limit > other.new_limit:
            yield f"{_OLD_LIMIT} is sent as {_NEW_LIMIT}"
        if self.no_system > other.no_system:
            yield "the instruction stands in the user's turn"
        if self.one_sample > other.one_sample:
            yield "n is left out: each sample is a request of its own"


class Learned:
    """The manners found out in a run; generators keep them from one batch of requests to the next."""

    def __init__(self, manners: Manners | None = None) -> None:
        self.manners = manners or Manners()
        self._lock = threading.Lock()

    def add(self, found: Manners, model: str) -> None:
        """Keep manners that got an answer, and say what is new in them."""
        with self._lock:
            known = self.manners
            self.manners = Manners(
                known.left_out | found.left_out,
                known.new_limit or found.new_limit,
                known.no_system or found.no_system,
                known.one_sample or found.one_sample,
            )
            news = list(self.manners.differences(known))
        if news:
            warnings.warn(
                f"{model}: the endpoint does not take what was sent: {'; '.join(news)}", stacklevel=2
            )
