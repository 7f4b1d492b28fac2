"""How a prompt and a response become text: settings, what they leave to the tokenizer, where they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.messages import messages_of
from workbench.models.chat import TemplateRefusal, asked_part, has_template, turn_end_text, uses_template
from workbench.store.atomic import write_json

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "EncodingSettings",
    "check_characters",
    "chosen_form",
    "described",
    "listed",
    "load_encoding",
    "prompt_text",
    "refused",
    "save_encoding",
    "settled",
]

ENCODING = "encoding.json"
SLOT = "{prompt}"
SHOWN = 5
CUTS = ("beginning", "end")


@dataclass(frozen=True)
class EncodingSettings:
    """How a prompt and a response become one sequence of tokens. The defaults are HaF-RM's.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    template: str = "Instruct: {prompt}\nOutput:"
    """Text of the prompt, `{prompt}` standing for the user's words. `{prompt}` alone adds nothing."""
    separator: str = " "
    """What the response begins with, so that its first word is tokenized as it is within a text."""
    chat: bool | None = None
    """Use the tokenizer's chat template instead of `template` and `separator`. None: where it has one, and `template`
    is left as it is; see `settled`."""
    max_tokens: int = 512
    """Longest sequence. A longer response loses its end (the end token too: it has not ended)."""
    max_prompt_tokens: int = 128
    """Longest prompt, template and first token included. A longer one loses its `cut`; in a chat template the
    beginning of what is said, see `workbench.models.chat_budget`."""
    end_token: bool = True
    """End the response, so that the policy learns to stop: as the chat template ends a turn, else by the tokenizer's
    end token."""
    cut: str = "beginning"
    """What a prompt that is too long loses: its `beginning`, as in dialogues, whose last turn asks; or its `end`, as
    where a question stands before passages."""

    def __post_init__(self) -> None:
        faults = []
        if self.template.count(SLOT) != 1:
            faults.append((f"template {self.template!r}", f"template: a text with {SLOT} in it, once"))
        if self.max_prompt_tokens < 1:
            faults.append((f"max_prompt_tokens {self.max_prompt_tokens}", "max_prompt_tokens: at least 1"))
        if self.cut not in CUTS or (self.chat and self.cut != CUTS[0]):
            faults.append(
                (f"cut {self.cut!r}, chat {self.chat}", "cut: beginning; or end, without a chat template")
            )
        if self.max_tokens <= self.max_prompt_tokens:
            faults.append((f"max_tokens {self.max_tokens}", f"max_tokens: above {self.max_prompt_tokens}"))
        if faults:
            raise SettingsError.listing(faults)


def settled(settings: EncodingSettings | None, tokenizer: PreTrainedTokenizerBase | None) -> EncodingSettings:
    """Return settings with what they leave to the tokenizer decided: whether its chat template is used.

    Args:
        settings: As given. None: as transformers and TRL train a model. A text then ends where the template does, be
            it without an end token.
        tokenizer: The model's.

    Raises:
        SettingsError: `chat` is set, but there is no chat template.
    """
    chosen = settings or EncodingSettings()
    chat = uses_template(tokenizer, chosen.chat, own=chosen.template != EncodingSettings.template)
    ends = chosen.end_token
    if settings is None and chat and tokenizer is not None:
        ends = bool(turn_end_text(tokenizer))
    return replace(chosen, chat=chat, end_token=ends)  # a chat template has its own way to cut


def chosen_form(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of a command line for `EncodingSettings`: who names a template means that one."""
    return {"chat": False} | dict(options) if "template" in options else dict(options)


def described(settings: EncodingSettings | None, tokenizer: PreTrainedTokenizerBase) -> str:
    """Say in one line how texts are written, and what else there is."""
    chosen = settled(settings, tokenizer)
    if chosen.chat:
        return "texts: written, and ended, by the tokenizer's chat template"
    said = f"texts: {chosen.template + chosen.separator!r}, then the response"
    unused = "; the tokenizer's chat template is not used (--chat does)" if has_template(tokenizer) else ""
    return said + (", then the end token" if chosen.end_token else "") + unused


def prompt_text(
    prompt: str, settings: EncodingSettings, tokenizer: PreTrainedTokenizerBase | None = None
) -> str:
    """Return the text that a policy continues: the prompt in its template.

    Args:
        prompt: The user's words, or a dialogue as `workbench.datasets.preference_pair.prompt_of` writes it.
        settings: The template.
        tokenizer: Has the chat template; needed for `chat` only.

    Raises:
        DataError: The chat template refuses the dialogue.
        SettingsError: `chat` is set, but there is no chat template.
    """
    if not settled(settings, tokenizer).chat or tokenizer is None:
        before, _, after = settings.template.partition(SLOT)
        return before + prompt + after
    try:
        return asked_part(tokenizer, messages_of(prompt))
    except TemplateRefusal as refusal:
        raise refused([(0, str(refusal))], "prompt") from refusal


def refused(rows: Sequence[tuple[int, str]], name: str = "text") -> DataError:
    """Return the error for rows that a chat template refuses.

    Args:
        rows: Their numbers, counted from 0, and why.
        name: What a row is called.
    """
    same = [row for row, why in rows if why == rows[0][1]]
    return DataError(
        got=f"{name} {listed(same)} (counted from 0): {rows[0][1]}",
        needed="turns that it takes: in most templates user and assistant by turns, in some no system's turn",
        fix="leave these rows out, or move what they say into a turn that it takes; or use a plain template: "
        "--no-chat (in Python: chat=False)",
    )


def save_encoding(settings: EncodingSettings, folder: Path) -> None:
    """Write beside a model how its texts were encoded, so that it is never scored in another way unawares."""
    write_json(folder / ENCODING, asdict(settings))


def load_encoding(folder: Path) -> EncodingSettings | None:
    """Return how the texts of a saved model were encoded; None where its folder does not say.

    Raises:
        DataError: The folder says it in a way that cannot be read.
    """
    path = Path(folder).expanduser() / ENCODING
    if not path.is_file():
        return None
    try:
        return EncodingSettings(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise DataError(
            got=f"{path}: {str(error).splitlines()[0]}",
            needed="the encoding's settings, as save_encoding writes them",
            fix="give the settings yourself, and remove the file",
        ) from error


def check_characters(texts: Iterable[str], name: str, each: int = 1) -> None:
    """Raise where a text holds half of a character, such as half an emoji that another program left.

    Args:
        texts: In the order of their rows.
        name: What a row is called.
        each: How many texts make up a row.

    Raises:
        DataError: The first of the rows are named.
    """
    rows = [place // each for place, text in enumerate(texts) if not _whole(text)]
    if rows:
        raise DataError(
            got=f"half a character in {name} {listed(rows)} (counted from 0)",
            needed="whole characters: a lone surrogate, such as half an emoji, is none",
            fix="leave these rows out, or write the texts again from their source",
        )


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def listed(rows: Sequence[int]) -> str:
    """Return the first of some rows' numbers, each once, and how many more there are."""
    found = list(dict.fromkeys(rows))
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(map(str, found[:SHOWN])) + more
