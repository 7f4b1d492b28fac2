"""Conversations as lists of messages, read from whatever form they come in, and as the transcript of a prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["MalformedMessage", "Message", "messages_of", "prompt_of", "read_message", "read_messages"]

LABELS = {
    "user": "Human",
    "assistant": "Assistant",
    "system": "System",
    "developer": "Developer",
    "tool": "Tool",
}
"""How a transcript names the roles; Anthropic's own labels, so that its dialogues stay as they are."""
OTHER_NAMES = {
    "human": "user",
    "prompter": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "function": "tool",
    "ipython": "tool",
}
"""Other names of the roles."""
_TURN = re.compile(rf"(?:^|\n\n)({'|'.join(LABELS.values())}): ?")


class MalformedMessage(ValueError):
    """A message that is no turn of text; what is raised says how."""


@dataclass(frozen=True)
class Message:
    """One turn of a dialogue."""

    role: str
    """`user`, `assistant`, `system`, `developer` or `tool`."""
    content: str
    """What was said."""


def read_messages(listed: Any, name: str = "the conversation") -> list[Message]:
    """Return a list of messages, whichever way it is written; a lone message counts as a list of one.

    Args:
        listed: Each with `role` and `content`, or `from` and `value`. A content is a text, a list of parts of
            text, which are joined, or null; calls of tools follow it as JSON.
        name: What to call the list in an error.

    Raises:
        MalformedMessage: It is no list of messages, or a message is not text alone; it is said which.
    """
    if isinstance(listed, Mapping):
        listed = [listed]
    if not isinstance(listed, list | tuple) or not listed:
        got = f"a {type(listed).__name__}" if listed else "missing" if listed is None else "empty"
        raise MalformedMessage(f"{name} is {got}, not a list of messages")
    return [read_message(one, f"message {number} of {name}") for number, one in enumerate(listed, start=1)]


def read_message(one: Any, name: str = "a message") -> Message:
    """Return one message. Arguments and errors: those of `read_messages`."""
    if isinstance(one, Message):
        return one
    if not isinstance(one, Mapping):
        raise MalformedMessage(f"{name} is a {type(one).__name__}, not an object")
    said = one.get("role", one.get("from"))
    role = OTHER_NAMES.get(said, said) if isinstance(said, str) else said
    if role not in LABELS:
        raise MalformedMessage(f"{name} has no known role: {said!r}, not one of {', '.join(LABELS)}")
    if not {"content", "value", "tool_calls"} & set(one):
        raise MalformedMessage(f"{name} has no content")
    parts = [_text(one["content"] if "content" in one else one.get("value"), name), *_calls(one)]
    return Message(role, "\n".join(part for part in parts if part))


def prompt_of(messages: Sequence[Message]) -> str:
    """Return a dialogue as a prompt that carries no template, so that pairs of all sources look alike.

    Args:
        messages: The turns before the response, oldest first.

    Returns:
        A lone user's words as they are; of several turns the transcript `Human: ...`, `Assistant: ...`, one
        empty line between turns, the label of the response left to whatever template is used.
    """
    if len(messages) == 1 and messages[0].role == "user":
        return messages[0].content
    return "\n\n".join(f"{LABELS[message.role]}: {message.content}" for message in messages)


def messages_of(prompt: str) -> list[Message]:
    """Return the turns of a prompt, for models that want a chat template: the inverse of `prompt_of`.

    A turn that itself holds an empty line followed by a label cannot be told from two turns.
    """
    roles = {label: role for role, label in LABELS.items()}
    pieces = _TURN.split(prompt)  # what stands before the first label, then label and text in turn
    if pieces[0] or len(pieces) <= 3:  # no label at its beginning, or a single turn
        return [Message("user", prompt)]
    return [Message(roles[label], text) for label, text in zip(pieces[1::2], pieces[2::2], strict=True)]


def _text(content: Any, name: str) -> str:
    """Return a message's content as one text."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        raise MalformedMessage(f"{name} has a {type(content).__name__} as content, not a text")
    return "".join(_part(part, name) for part in content)


def _part(part: Any, name: str) -> str:
    """Return the text of one part of a content."""
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, Mapping) else None
    kind = part.get("type", "text") if isinstance(part, Mapping) else type(part).__name__
    if not isinstance(text, str) or kind not in ("text", "input_text", "output_text"):
        raise MalformedMessage(f"{name} has a part of type {kind!r}, not a text")
    return text


def _calls(one: Mapping[str, Any]) -> list[str]:
    """Return the calls of tools that a turn of an assistant makes, each as JSON."""
    calls = one.get("tool_calls") or []
    bare = [call.get("function", call) if isinstance(call, Mapping) else call for call in calls]
    return [json.dumps(call, ensure_ascii=False, default=str) for call in bare]
