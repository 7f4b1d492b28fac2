"""Messages in all the forms that they come in: names of roles, contents in parts, calls of tools, no content."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.datasets.messages import MalformedMessage, Message, messages_of, prompt_of, read_messages


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({"role": "user", "content": "Hi"}, Message("user", "Hi")),
        ({"from": "gpt", "value": "Hi"}, Message("assistant", "Hi")),
        ({"role": "developer", "content": "Be brief."}, Message("developer", "Be brief.")),
        ({"role": "function", "content": "3"}, Message("tool", "3")),
        ({"role": "assistant", "content": None}, Message("assistant", "")),
        ({"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}, Message("user", "ab")),
        (
            {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "add", "arguments": 1}}]},
            Message("assistant", '{"name": "add", "arguments": 1}'),
        ),
        ({"role": "assistant", "content": "So:", "tool_calls": None}, Message("assistant", "So:")),
    ],
)  # fmt: skip
def test_a_message_is_a_role_and_a_text(one: dict[str, Any], message: Message) -> None:
    assert read_messages([one]) == read_messages(one) == [message]


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ([{"role": "user", "content": [{"type": "image"}]}], "message 1 of turns has a part of type 'image'"),
        ([{"role": "user", "content": [3]}], "a part of type 'int'"),
        ([{"role": "user", "content": {"a": 1}}], "has a dict as content"),
        ([{"role": "judge", "content": "x"}], "has no known role: 'judge'"),
        ([{"role": "user", "content": "x"}, {"role": "user"}], "message 2 of turns has no content"),
        (["Hi"], "message 1 of turns is a str"),
        ([], "turns is empty"),
        ("Hi", "turns is a str"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused_by_name(listed: Any, said: str) -> None:
    with pytest.raises(MalformedMessage, match=said):
        read_messages(listed, "turns")


def test_every_role_can_be_had_back_from_a_transcript() -> None:
    turns = [Message(role, role) for role in ("system", "developer", "user", "assistant", "tool", "user")]
    assert messages_of(prompt_of(turns)) == turns
