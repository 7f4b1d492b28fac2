"""The formats preference data come in, each turned into a `PreferencePair` by one small function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.jsonl import not_text
from workbench.datasets.preference_pair import Message, PreferencePair, messages_of, prompt_of

__all__ = ["FORMATS", "Format", "MalformedRow", "Skip", "format_named", "format_of"]

ASSISTANT = "\n\nAssistant:"
ROLES = {"human": "user", "prompter": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant"}
"""Other names of the roles; `user`, `assistant` and `system` stand for themselves."""
TIE = "no preference between the two"
PROMPTS_DIFFER = "the two sides respond to different prompts"
NOT_A_REPLY = "the dialogue does not end with the assistant"
SAME_SAFETY = "both responses safe, or both unsafe"

Row = Mapping[str, Any]


class MalformedRow(ValueError):
    """A row is not of its format; the text says how."""


@dataclass(frozen=True)
class Skip:
    """A well-formed row that holds no usable pair."""

    reason: str
    """Why, as the report says it; one of this module's constants."""


@dataclass(frozen=True)
class Format:
    """A format of preference data."""

    name: str
    """What to call it by."""
    columns: tuple[str, ...]
    """The columns that a row must have."""
    convert: Callable[[Row, str], PreferencePair | Skip]
    """From a row and its source's name to a pair; raises `MalformedRow`."""


def from_dialogues(row: Row, source: str) -> PreferencePair | Skip:
    """Convert Anthropic HH: two whole dialogues, which are split at the last assistant turn."""
    before, chosen = _last_reply(row, "chosen")
    other, rejected = _last_reply(row, "rejected")
    if before != other:
        return Skip(PROMPTS_DIFFER)
    if "\n\nHuman:" in chosen or "\n\nHuman:" in rejected:
        return Skip(NOT_A_REPLY)
    prompt = before.strip()
    if prompt.startswith("Human:") and len(messages_of(prompt)) == 1:
        prompt = prompt.removeprefix("Human:").strip()
    return PreferencePair(prompt, chosen.strip(), rejected.strip(), source)


def from_prompted(row: Row, source: str) -> PreferencePair | Skip:
    """Convert rows that are pairs already, such as RewardBench's (prompt, chosen, rejected, subset)."""
    prompt, chosen, rejected = (_text(row, name) for name in ("prompt", "chosen", "rejected"))
    return PreferencePair(prompt, chosen, rejected, source, _subset(row))


def from_messages(row: Row, source: str) -> PreferencePair | Skip:
    """Convert chat rows: two lists of messages, with the prompt in them or in a column of its own."""
    chosen, rejected = _messages(row, "chosen"), _messages(row, "rejected")
    if chosen[-1].role != "assistant" or rejected[-1].role != "assistant":
        return Skip(NOT_A_REPLY)
    if chosen[:-1] != rejected[:-1]:
        return Skip(PROMPTS_DIFFER)
    before = chosen[:-1]
    if not any(message.role == "user" for message in before):  # the lists hold the completions only
        asked = row.get("prompt")
        begun = [Message("user", asked)] if isinstance(asked, str) else _messages(row, "prompt")
        before = [*begun, *before]
    return PreferencePair(prompt_of(before), chosen[-1].content, rejected[-1].content, source, _subset(row))


def from_safe(row: Row, source: str) -> PreferencePair | Skip:
    """Convert PKU-SafeRLHF for the 'safe' task: pairs of which exactly one is safe, and that one chosen."""
    safe = [_one_of(row, f"is_response_{i}_safe", (True, False)) for i in (0, 1)]
    responses = [_text(row, f"response_{i}") for i in (0, 1)]
    if safe[0] == safe[1]:
        return Skip(SAME_SAFETY)
    first = 0 if safe[0] else 1
    return PreferencePair(_text(row, "prompt"), responses[first], responses[1 - first], source)


def from_better(row: Row, source: str) -> PreferencePair | Skip:
    """Convert PKU-SafeRLHF for the 'better' task: the more helpful response chosen, safe or not."""
    better = _one_of(row, "better_response_id", (0, 1))
    responses = [_text(row, f"response_{i}") for i in (0, 1)]
    return PreferencePair(_text(row, "prompt"), responses[better], responses[1 - better], source)


def from_alpaca_farm(row: Row, source: str) -> PreferencePair | Skip:
    """Convert AlpacaFarm: an instruction, perhaps with an input, and two numbered outputs."""
    # Files that went through pandas hold 1.0 and 2.0.
    preferred = int(_one_of(row, "preference", (1, 2, 0, None, 1.0, 2.0, 0.0)) or 0)
    instruction, outputs = _text(row, "instruction"), [_text(row, f"output_{i}") for i in (1, 2)]
    given = _text(row, "input") if row.get("input") is not None else ""
    if not preferred:
        return Skip(TIE)
    prompt = f"{instruction}\n\n{given}" if given.strip() else instruction
    return PreferencePair(prompt, outputs[preferred - 1], outputs[2 - preferred], source)


def from_arena(row: Row, source: str) -> PreferencePair | Skip:
    """Convert Chatbot Arena: two conversations and the winner.

    Of several turns the answers differ from the first on, so that only the shared prompts remain.
    """
    winner = _one_of(row, "winner", ("model_a", "model_b", "tie", "tie (bothbad)"))
    sides = [_messages(row, name) for name in ("conversation_a", "conversation_b")]
    if winner.startswith("tie"):
        return Skip(TIE)
    chosen, rejected = sides if winner == "model_a" else sides[::-1]
    if chosen[-1].role != "assistant" or rejected[-1].role != "assistant":
        return Skip(NOT_A_REPLY)
    if chosen[:-1] != rejected[:-1]:
        return Skip(PROMPTS_DIFFER)
    return PreferencePair(prompt_of(chosen[:-1]), chosen[-1].content, rejected[-1].content, source)


SAFE_COLUMNS = ("prompt", "response_0", "response_1")
FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format("arena", ("conversation_a", "conversation_b", "winner"), from_arena),
        Format("alpaca-farm", ("instruction", "output_1", "output_2", "preference"), from_alpaca_farm),
        Format(
            "beavertails-safe",
            (*SAFE_COLUMNS, "is_response_0_safe", "is_response_1_safe"),
            from_safe,
        ),
        Format("beavertails-better", (*SAFE_COLUMNS, "better_response_id"), from_better),
        Format("messages", ("chosen", "rejected"), from_messages),
        Format("prompted", ("prompt", "chosen", "rejected"), from_prompted),
        Format("dialogues", ("chosen", "rejected"), from_dialogues),
    )
}
"""All formats by name, those that ask for more before those that ask for less."""


def format_named(name: str) -> Format:
    """Return the format of that name.

    Raises:
        SettingsError: There is none.
    """
    if name not in FORMATS:
        raise SettingsError(f"format {name!r}", f"one of {', '.join(FORMATS)}", "correct the name")
    return FORMATS[name]


def format_of(row: Row, where: str) -> Format:
    """Find the format of a source from the columns of its first row.

    Args:
        row: The row.
        where: The file and the row's place in it, for the error.

    Raises:
        DataError: The columns are of no format, or of two that pair the same rows differently.
    """
    fitting = [one for one in FORMATS.values() if set(one.columns) <= set(row)]
    lists = isinstance(row.get("chosen"), list)
    fitting = [one for one in fitting if one.name != "messages" or lists]
    fitting = [one for one in fitting if one.name not in ("prompted", "dialogues") or not lists]
    if len([one for one in fitting if one.name.startswith("beavertails")]) > 1:
        raise DataError(
            f"{where}: rows of two tasks, 'safe' (the safe one chosen) and 'better' (the more helpful one)",
            "which task to make pairs for",
            "give format='beavertails-safe' or format='beavertails-better'",
        )
    if not fitting:
        known = "".join(f"\n  {one.name}: {', '.join(one.columns)}" for one in FORMATS.values())
        raise DataError(
            f"{where}: columns {', '.join(map(str, row)) or '(none)'}",
            f"the columns of one of these formats:{known}",
            "rename the columns, or name the file that holds the pairs",
        )
    return fitting[0]


def _last_reply(row: Row, name: str) -> tuple[str, str]:
    """Split a dialogue before its last assistant turn."""
    before, label, reply = _text(row, name).rpartition(ASSISTANT)
    if not label:
        raise MalformedRow(f"{name} has no turn that begins with {ASSISTANT.strip()!r} after an empty line")
    return before, reply


def _text(row: Row, name: str) -> str:
    """Return a field that must be a text."""
    if name not in row:
        raise MalformedRow(f"no {name}")
    wrong = not_text(name, row[name])
    if wrong:
        raise MalformedRow(wrong)
    return str(row[name])


def _subset(row: Row) -> str:
    """Return what part of a benchmark a row belongs to; empty where it does not say."""
    return _text(row, "subset") if row.get("subset") is not None else ""


def _one_of(row: Row, name: str, values: tuple[Any, ...]) -> Any:
    """Return a field that must be one of some values, of their type: 1 is not True."""
    if name not in row:
        raise MalformedRow(f"no {name}")
    if not any(row[name] == value and type(row[name]) is type(value) for value in values):
        raise MalformedRow(f"{name} is {row[name]!r}, not one of {', '.join(map(repr, values))}")
    return row[name]


def _messages(row: Row, name: str) -> list[Message]:
    """Return a field that must be a list of messages, `role` and `content` (or `from` and `value`)."""
    listed = row.get(name)
    if not isinstance(listed, list) or not listed:
        got = f"a {type(listed).__name__}" if listed else "empty" if name in row else "missing"
        raise MalformedRow(f"{name} is {got}, not a list of messages")
    messages = []
    for number, one in enumerate(listed, start=1):
        if not isinstance(one, Mapping):
            raise MalformedRow(f"message {number} of {name} is a {type(one).__name__}, not an object")
        role, content = one.get("role", one.get("from")), one.get("content", one.get("value"))
        role = ROLES.get(role, role) if isinstance(role, str) else role
        if role not in ("user", "assistant", "system") or not isinstance(content, str):
            raise MalformedRow(f"message {number} of {name} has no known role or no text")
        messages.append(Message(role, content))
    return messages
