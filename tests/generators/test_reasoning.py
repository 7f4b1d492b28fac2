"""Where reasoning ends: every kind of tag, drafts that were never closed, and code that speaks of the tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.generators.reasoning import final_text, is_tag, opens_reasoning

DRAFT = "One idea:\n```python\nx = 1\n```\nNo."
TAGS = [
    ("<think>", "</think>"),
    ("<Thinking>", "</Thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
]


@pytest.mark.parametrize(("opening", "closing"), TAGS)
def test_what_stands_before_the_end_of_the_reasoning_is_dropped(opening: str, closing: str) -> None:
    assert final_text(f"{opening}\n{DRAFT}\n{closing}\nx = 2").strip() == "x = 2"
    assert final_text(f"\ufeff {opening}{DRAFT}{closing}x = 2") == "x = 2"
    assert final_text(f"{DRAFT}\n{closing}\nx = 2") == "\nx = 2"  # the prompt had opened it
    assert final_text(f"Sure.\n{opening}\n{DRAFT}\n{closing}\nx = 2") == "\nx = 2"
    assert is_tag(opening) or opening.startswith("<|channel|>")
    assert opens_reasoning(f"<|assistant|>{opening}\n")


@pytest.mark.parametrize(("opening", "closing"), TAGS)
def test_a_draft_that_was_never_closed_is_no_answer(opening: str, closing: str) -> None:
    assert final_text(f"{opening}\n{DRAFT}\nBut then") == ""
    assert final_text(f"Let me see.\n{opening}\n{DRAFT}") == ""
    assert final_text(f"{opening}a{closing}\n{opening}\n{DRAFT}") == ""


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        "```python\ns = re.sub('<think>.*</think>', '', s)\n```",
        "```python\ns = '''\n<think>\n'''\n```",
        "<code>\nx = 1\n</code>\nEND SOLUTION",
        "[analysis]\nx",
    ],
)
def test_text_without_reasoning_is_left_as_it_is(text: str) -> None:
    assert final_text(text) == text


def test_a_preamble_in_a_tag_of_another_name_is_dropped_where_something_follows() -> None:
    assert final_text("<plan>\ndo it\n</plan>\nx = 1") == "\nx = 1"
    assert final_text("<result>x = 1</result>") == "<result>x = 1</result>"


def test_line_ends_are_plain() -> None:
    assert final_text("\ufeffa\r\nb\rc") == "a\nb\nc"
    assert not opens_reasoning("<|assistant|>")


@given(st.lists(st.sampled_from(["<think>", "</think>", "\n", "x", "```", "[THINK]"]), max_size=20))
def test_no_text_raises_and_no_closing_line_is_left(pieces: list[str]) -> None:
    assert "\n</think>\n" not in final_text("".join(pieces))
