"""The date in chat templates that print today's: one that stays, so that a text is the same tomorrow."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["DATE", "dated_template", "prints_date"]

DATE = datetime(2024, 7, 26)
"""What templates are told that ask for today's date: the day that Llama 3.1 falls back to where it is told none."""
_DIRECTIVES = "aAbBcdeDfFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ"
_ASKS = "strftime_now"


def prints_date(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Tell whether the chat template asks for today's date, as those of Llama 3.2, gpt-oss and Granite do."""
    return _ASKS in tokenizer.get_chat_template()


def dated_template(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Return the chat template with `DATE` for today's; None where it asks for no date, and is taken as it is.

    transformers gives templates a function of the format as `strftime_now`. A macro of that name stands before it:
    functions of the caller's do not reach a template.
    """
    if not prints_date(tokenizer):
        return None
    told = {form: DATE.strftime(form) for letter in _DIRECTIVES for form in (f"%{letter}", f"%-{letter}")}
    changes = "".join(f"|replace({form!r}, {said!r})" for form, said in told.items() if form != said)
    # the expression at its end: behind a block a line break of the template itself would be lost
    macro = f"{{% macro {_ASKS}(format) %}}{{{{ format{changes} }}}}{{% endmacro %}}{{{{ '' }}}}"
    return macro + tokenizer.get_chat_template()
