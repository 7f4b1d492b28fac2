"""The formats preference data come in, each turned into a `PreferencePair` by one small function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.jsonl import not_text
from workbench.datasets.messages import MalformedMessage, Message, messages_of, prompt_of, read_messages
from workbench.datasets.preference_pair import BenchmarkRow, PreferencePair

__all__ = ["FORMATS", "Format", "MalformedRow", "Skip", "format_named", "format_of"]

ASSISTANT = "\n\nAssistant:"
INSTRUCTIONS = ("system", "developer")
"""Roles of turns that may stand before the first turn of the user."""
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
    convert: Callable[[Row, str], PreferencePair | Skip | list[PreferencePair]]
    """From a row and its source's name to a pair, or to those of a benchmark's row; raises `MalformedRow`."""
    benchmark: bool = False
    """Whether rows are judged as a whole: then none of their pairs is left out."""


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
    """Convert rows that are pairs already, such as RewardBench's; the prompt may be a list of messages."""
    chosen, rejected = (_text(row, name) for name in ("chosen", "rejected"))
    prompt = prompt_of(_prompt(row)) if isinstance(row.get("prompt"), list) else _text(row, "prompt")
    return PreferencePair(prompt, chosen, rejected, source, _subset(row))


def from_completions(row: Row, source: str) -> PreferencePair | Skip:
    """Convert two whole texts without marks of turns (TRL's standard format with an implicit prompt).

    The prompt is what both begin with, up to the last white space: words stay whole.
    """
    chosen, rejected = _text(row, "chosen"), _text(row, "rejected")
    pairs = enumerate(zip(chosen, rejected, strict=False))
    shared = next((place for place, (one, other) in pairs if one != other), min(len(chosen), len(rejected)))
    while shared and not chosen[shared - 1].isspace():
        shared -= 1
    return PreferencePair(
        chosen[:shared].strip(), chosen[shared:].strip(), rejected[shared:].strip(), source, _subset(row)
    )


def from_messages(row: Row, source: str) -> PreferencePair | Skip:
    """Convert chat rows: two lists of messages, which begin with the prompt, or follow one in a column of its own.

    These are all forms of TRL's conversational preference data, and those that have the prompt in both places.
    """
    chosen, rejected = _messages(row, "chosen"), _messages(row, "rejected")
    if chosen[-1].role != "assistant" or rejected[-1].role != "assistant":
        return Skip(NOT_A_REPLY)
    if chosen[:-1] != rejected[:-1]:
        return Skip(PROMPTS_DIFFER)
    before = chosen[:-1]
    if row.get("prompt"):
        begun = _prompt(row)
        if not _holds(before, begun):
            if before and (before[0].role == begun[-1].role == "user" or before[0].role in INSTRUCTIONS):
                raise MalformedRow(
                    "prompt is not what chosen and rejected begin with, nor what they go on from"
                )
            before = [*begun, *before]
    if not before:
        raise MalformedRow("chosen holds the response alone, and there is no prompt")
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


def from_rewardbench_2(row: Row, source: str) -> list[PreferencePair]:
    """Convert RewardBench 2: one chosen and three rejected responses, or in its subset Ties several of each."""
    subset = _text(row, "subset")
    if subset.lower() == "ties" and not str(row.get("id")).startswith(("ref:", "tied:")):
        raise MalformedRow(f"id {row.get('id')!r} in the subset {subset}, not ref:NUMBER or tied:NUMBER")
    return _of_lists(row, source, "rewardbench-2", subset)


def from_rm_bench(row: Row, source: str) -> list[PreferencePair]:
    """Convert RM-Bench: chosen and rejected responses in the same styles, from concise to detailed in Markdown."""
    pairs = _of_lists(row, source, "rm-bench", _text(row, "domain"))
    styles = {len(row["chosen"]), len(row["rejected"])}
    if len(styles) > 1 or 1 in styles:
        raise MalformedRow(
            f"{len(row['chosen'])} chosen and {len(row['rejected'])} rejected, not one a style"
        )
    return pairs


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
        Format(
            "rewardbench-2",
            ("id", "prompt", "chosen", "rejected", "subset"),
            from_rewardbench_2,
            benchmark=True,
        ),
        Format("rm-bench", ("id", "prompt", "chosen", "rejected", "domain"), from_rm_bench, benchmark=True),
        Format("messages", ("chosen", "rejected"), from_messages),
        Format("prompted", ("prompt", "chosen", "rejected"), from_prompted),
        Format("dialogues", ("chosen", "rejected"), from_dialogues),
        Format("completions", ("chosen", "rejected"), from_completions),
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
    lists = isinstance(row.get("chosen"), list | Mapping)
    chosen = row.get("chosen")
    texts = isinstance(chosen, list) and bool(chosen) and all(isinstance(text, str) for text in chosen)
    fitting = [one for one in fitting if one.benchmark == texts or "chosen" not in one.columns]
    fitting = [one for one in fitting if one.name != "messages" or lists]
    fitting = [
        one for one in fitting if one.name not in ("prompted", "dialogues", "completions") or not lists
    ]
    turns = any(ASSISTANT in str(row.get(name)) for name in ("chosen", "rejected"))
    fitting = [one for one in fitting if one.name != "dialogues" or turns]
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


def _of_lists(row: Row, source: str, format: str, subset: str) -> list[PreferencePair]:
    """Return as many pairs as show each response of a row: the first chosen with the first rejected, and so on."""
    sides: list[list[str]] = []
    for name in ("chosen", "rejected"):
        texts = row.get(name)
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise MalformedRow(f"{name} is no list of texts")
        sides.append(texts)
    if isinstance(row.get("id"), bool) or not isinstance(row.get("id"), str | int):
        raise MalformedRow("id is no text and no number")
    chosen, rejected = sides
    prompt = prompt_of(_prompt(row)) if isinstance(row.get("prompt"), list) else _text(row, "prompt")
    return [
        PreferencePair(
            prompt,
            chosen[number % len(chosen)],
            rejected[number % len(rejected)],
            source,
            subset,
            BenchmarkRow(format, str(row["id"]), number % len(chosen), number % len(rejected)),
        )
        for number in range(max(map(len, sides)))
    ]


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
    """Return a field that must be a list of messages."""
    if name not in row:
        raise MalformedRow(f"{name} is missing, not a list of messages")
    try:
        return read_messages(row[name], name)
    except MalformedMessage as error:
        raise MalformedRow(str(error)) from error


def _prompt(row: Row) -> list[Message]:
    """Return the turns of a prompt of its own: a text, which a user said, or a list of messages."""
    asked = row.get("prompt")
    return [Message("user", asked)] if isinstance(asked, str) else _messages(row, "prompt")


def _holds(turns: Sequence[Message], begun: Sequence[Message]) -> bool:
    """Tell whether a conversation holds a prompt; turns that begin with a reply go on from one instead."""
    said, asked = ([(one.role, one.content.strip()) for one in part] for part in (turns, begun))
    places = range(1 if turns and turns[0].role == "assistant" else len(turns))
    return any(said[place : place + len(asked)] == asked for place in places)
