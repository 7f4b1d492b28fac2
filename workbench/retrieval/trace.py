"""What happened in each round, as values and as JSON lines: nothing in it depends on the clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.datasets.jsonl import Faults, read_objects
from workbench.generators.answer import NO_ANSWER
from workbench.retrieval.assembly import Dropped
from workbench.retrieval.execution import Outcome

__all__ = ["Retrieved", "Step", "read_steps"]


@dataclass(frozen=True)
class Retrieved:
    """One document that was retrieved."""

    source: str
    id: str
    """Of its best section."""
    parent: str
    """The document."""
    title: str
    score: float | None
    """The retriever's; None for a document that was given, not found."""


@dataclass(frozen=True)
class Step:
    """One problem in one round."""

    round: int
    problem_id: str
    query_kind: str
    """One of the query formulations; empty where nothing was retrieved."""
    query: tuple[str, ...]
    """The texts that the soup was asked with."""
    found: tuple[Retrieved, ...]
    """What was retrieved, by source, best first."""
    shown: tuple[str, ...]
    """Ids of those that the prompt shows."""
    dropped: tuple[Dropped, ...]
    """What the prompt leaves out, or shows only in part, and why."""
    prompt: str
    prompt_tokens: int
    answer: str
    """What the model wrote."""
    answer_tokens: int
    code: str
    """The code in it."""
    outcome: Outcome
    """Of the visible runs."""
    grown: tuple[str, ...]
    """Ids of the items that this step put into the soup at the end of the round."""
    ended: str | None = None
    """How the answer ended: see `workbench.generators.answer.Answer.ended`."""
    said: str = ""
    """What an endpoint said in place of an answer."""

    @property
    def is_missing(self) -> bool:
        """Whether the model was asked and no answer came."""
        return self.ended == NO_ANSWER

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Step:
        """Return the step of one line of a trace."""
        nested = {
            "found": tuple(Retrieved(**one) for one in row["found"]),
            "dropped": tuple(Dropped(**one) for one in row["dropped"]),
            "outcome": Outcome(**row["outcome"]),
        }
        plain = {name: tuple(row[name]) for name in ("query", "shown", "grown")}
        return cls(**{**row, **plain, **nested})

    def line(self) -> str:
        """Return its line of a trace."""
        nested = {
            "found": [vars(one) for one in self.found],
            "dropped": [vars(one) for one in self.dropped],
            "outcome": vars(self.outcome),
        }
        return json.dumps({**vars(self), **nested}, ensure_ascii=False) + "\n"


def read_steps(path: str | Path) -> list[Step]:
    """Read a trace.

    Raises:
        DataError: The file is missing, or lines are no steps; all are listed.
    """
    faults, steps = Faults(str(path)), []
    for number, row in read_objects(Path(path), faults):
        try:
            steps.append(Step.of(row))
        except (KeyError, TypeError, ValueError) as error:
            faults.add(f"line {number}", f"no step of a trace ({error})")
    faults.raise_if_any("lines that `active_retrieval` wrote", "name the trace.jsonl of a run")
    return steps
