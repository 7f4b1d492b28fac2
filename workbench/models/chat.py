r"""The one rule for chat templates: what text a conversation is, where its response begins and where it ends.

A model is asked, trained, scored and judged with the text that `tokenizer.apply_chat_template` makes of the whole
conversation, which is what transformers and TRL train on; but that a template which asks for today's date is told one
that stays, see `workbench.models.template_date`. It is measured by rendering, never by a model's name.
A text has three parts, of which the last two are the response's, and a scalar head is read at its last token:

==========  ===========================================================================  ========  ===================
model       prompt                                                                       words     end of the turn
==========  ===========================================================================  ========  ===================
base model  `Instruct: Why?\nOutput:` (no template: that of `EncodingSettings`)          ` So.`    the end token
ChatML      `<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n`                  `So.`     `<|im_end|>\n`
Gemma       `<bos><start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n`        `So.`     `<end_of_turn>\n`
==========  ===========================================================================  ========  ===================

Which tokens end a response that a model writes is said by `workbench.models.stopping`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.core.errors import GeneratorError, SettingsError
from workbench.datasets.messages import Message
from workbench.models.template_date import dated_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "TemplateRefusal",
    "asked_part",
    "chat_text",
    "has_template",
    "prompt_part",
    "render",
    "response_part",
    "turn_end_text",
    "uses_template",
    "without_system",
]

_ANSWER = "WORKBENCHANSWER"


class TemplateRefusal(ValueError):
    """A chat template takes no such conversation, or leaves out what a turn says."""


def has_template(tokenizer: PreTrainedTokenizerBase | None) -> bool:
    """Tell whether a tokenizer brings a chat template."""
    return bool(getattr(tokenizer, "chat_template", None))


def uses_template(tokenizer: PreTrainedTokenizerBase | None, chat: bool | None, *, own: bool) -> bool:
    """Tell whether texts are written by the chat template: where it is asked for, or there is one and nothing else.

    Args:
        tokenizer: The model's.
        chat: What the settings say; None: nothing.
        own: Whether they name a plain template of their own.

    Raises:
        SettingsError: It is asked for, and there is none.
    """
    if chat and not has_template(tokenizer):
        raise SettingsError(
            got="chat=True, but the tokenizer has no chat template",
            needed="the tokenizer of a chat model",
            fix="leave out --chat (in Python: chat=False), or load an instruction-tuned model",
        )
    return has_template(tokenizer) and not own if chat is None else chat


def render(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Message], *, prompt: bool) -> str:
    """Return a conversation as the template writes it.

    Args:
        tokenizer: The model's, with a chat template.
        turns: Oldest first. Templates that take lists of parts only get these.
        prompt: Whether a response is to follow: the template then begins the assistant's turn.

    Raises:
        TemplateRefusal: The template refuses a turn, or leaves out what it says.
    """
    refusal = "the chat template refuses it"
    for parts in (False, True):
        messages: list[Any] = [
            {
                "role": turn.role,
                "content": [{"type": "text", "text": turn.content}] if parts else turn.content,
            }
            for turn in turns
        ]
        try:
            text = str(
                tokenizer.apply_chat_template(
                    messages,
                    chat_template=dated_template(tokenizer),
                    tokenize=False,
                    add_generation_prompt=prompt,
                )
            )
        except Exception as error:  # a template is a program of somebody else's
            refusal = refusal if parts else f"the chat template refuses it: {_first_line(error)}"
            continue
        lost = next((turn for turn in turns if _words(turn) not in text), None)
        if lost is None:
            return text
        if not parts:
            refusal = f"the chat template leaves out what the {lost.role}'s turn says"
    raise TemplateRefusal(refusal)


def asked_part(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Message]) -> str:
    """Return a conversation up to where a model is to write: what `render(prompt=True)` gives.

    A template that does not know of `add_generation_prompt` leaves out what it writes before a response, the header
    of the assistant's turn: a model would write that too, and it would be taken for a part of what it says. It is
    added.

    Raises:
        TemplateRefusal: See `render`.
    """
    asked = render(tokenizer, turns, prompt=True)
    if asked == render(tokenizer, turns, prompt=False):
        try:
            answered = _before_answer(tokenizer, turns)
        except TemplateRefusal:
            return asked
        if answered.startswith(asked) and answered[len(asked) :].strip():
            return answered
    return asked


def prompt_part(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Message]) -> str:
    """Return a conversation up to where any response begins, the text that all responses to it share.

    That is what `asked_part` gives, less what it writes beyond: some templates begin a turn that is to be written in
    another way, with `<think>` say, than one that is.

    Raises:
        TemplateRefusal: See `render`; or the template writes the turns in another way once there is a response.
    """
    asked, answered = asked_part(tokenizer, turns), _before_answer(tokenizer, turns)
    both = enumerate(zip(asked, answered, strict=False))
    shared = asked[: next((place for place, (one, other) in both if one != other), len(answered))]
    if any(_words(turn) not in shared for turn in turns):
        raise TemplateRefusal("the chat template writes the prompt in another way once there is a response")
    return shared


def response_part(
    tokenizer: PreTrainedTokenizerBase, turns: Sequence[Message], prompt: str, response: str
) -> str:
    """Return a response as the template writes it behind its prompt, the end of its turn included.

    Args:
        tokenizer: The model's, with a chat template.
        turns: What stands before the response.
        prompt: Their `prompt_part`.
        response: The words of the assistant's turn.

    Raises:
        TemplateRefusal: See `render`; or the template changes earlier turns by what the response says.
    """
    whole = render(tokenizer, [*turns, Message("assistant", response)], prompt=False)
    if not whole.startswith(prompt):
        raise TemplateRefusal("the chat template writes the prompt in another way before this response")
    return whole[len(prompt) :]


def turn_end_text(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return what the template writes behind a response, white space too; empty where it writes nothing."""
    turns = [Message("user", "?"), Message("assistant", _ANSWER)]
    try:
        return render(tokenizer, turns, prompt=False).rpartition(_ANSWER)[2]
    except TemplateRefusal:
        return ""


def chat_text(tokenizer: PreTrainedTokenizerBase, messages: Sequence[dict[str, str]]) -> str:
    """Return a question of ours as the model reads it, up to where its answer begins.

    Where the template refuses a system turn, or leaves out what it says, that stands in the user's turn.

    Args:
        tokenizer: The model's, with a chat template.
        messages: `role` and `content` of each turn.

    Raises:
        GeneratorError: The template takes no such conversation.
    """
    forms = [list(messages)]
    if any(message["role"] == "system" for message in messages):
        forms.append(without_system(forms[0]))
    for form in forms:
        try:
            return asked_part(tokenizer, [Message(**message) for message in form])
        except TemplateRefusal as error:
            refusal = error
    raise GeneratorError(
        got=f"a chat template that refuses a user's turn: {refusal}",
        needed="a model that answers one",
        fix="set style='completion', or correct the tokenizer's chat_template",
    )


def without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Move what system turns say to the start of the first user's turn."""
    said = [message["content"] for message in messages if message["role"] == "system"]
    others = [dict(message) for message in messages if message["role"] != "system"]
    for message in others:
        if message["role"] == "user":
            message["content"] = "\n\n".join([*said, message["content"]])
            return others
    return [{"role": "user", "content": "\n\n".join(said)}, *others] if said else others


def _before_answer(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Message]) -> str:
    answered = render(tokenizer, [*turns, Message("assistant", _ANSWER)], prompt=False)
    return answered.rpartition(_ANSWER)[0]


def _words(turn: Message) -> str:
    """Return what a rendered turn must hold: templates strip white space, and old reasoning."""
    return turn.content.rpartition("</think>")[2].strip()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
