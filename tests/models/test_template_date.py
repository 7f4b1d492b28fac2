"""Templates that print today's date: one that stays, whatever the form, and the same text tomorrow."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tiny_templates import CHATML, GEMMA, templated
from transformers.utils import chat_template_utils

from workbench.datasets.messages import Message
from workbench.models.chat import prompt_part, render, response_part
from workbench.models.encoding import EncodingSettings, encode
from workbench.models.template_date import dated_template, prints_date

DATED = (
    "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    "Today Date: {{ date_string }}\n"
) + CHATML
TURNS = [Message("user", "Why?")]


class Tomorrow(datetime):
    """What transformers asks for the date."""

    @classmethod
    def now(cls, tz: Any = None) -> Tomorrow:
        return cls(2031, 2, 3)


def test_a_text_is_the_same_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = templated(DATED)
    how = EncodingSettings(chat=True)
    (today,) = encode([("Why?", "So.")], tokenizer, how)
    monkeypatch.setattr(chat_template_utils, "datetime", Tomorrow)
    plain = str(tokenizer.apply_chat_template([{"role": "user", "content": "Why?"}], tokenize=False))
    assert plain.startswith("Today Date: 03 Feb 2031\n")  # what transformers writes of itself
    (tomorrow,) = encode([("Why?", "So.")], tokenizer, how)
    assert today.tokens.tolist() == tomorrow.tokens.tolist()
    assert render(tokenizer, TURNS, prompt=False) == plain.replace("03 Feb 2031", "26 Jul 2024")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("%Y-%m-%d", "2024-07-26"),
        ("%B %d, %Y", "July 26, 2024"),
        ("%-d %B %Y at %H:%M", "26 July 2024 at 00:00"),
        ("%A", "Friday"),
        ("the day", "the day"),
    ],
)
def test_every_form_of_a_date_is_written_as_python_writes_it(form: str, said: str) -> None:
    # in a macro too, as gpt-oss has it
    template = (
        f"{{% macro head() %}}<{{{{ strftime_now('{form}') }}}}>{{% endmacro %}}\n{{{{ head() }}}}{CHATML}"
    )
    tokenizer = templated(template)
    prompt = prompt_part(tokenizer, TURNS)
    assert prompt.startswith(f"<{said}><|im_start|>user\nWhy?")
    assert response_part(tokenizer, TURNS, prompt, "So.") == "So.<|im_end|>\n"


def test_what_asks_for_no_date_is_taken_as_it_is() -> None:
    tokenizer = templated(GEMMA)
    assert not prints_date(tokenizer) and dated_template(tokenizer) is None
    several = templated(CHATML)
    several.chat_template = {"default": DATED, "tool_use": CHATML}
    assert prints_date(several) and render(several, TURNS, prompt=True).startswith(
        "Today Date: 26 Jul 2024\n"
    )
