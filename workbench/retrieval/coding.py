"""The model of the active loop: any that writes texts, decoded greedily."""

from __future__ import annotations

from dataclasses import replace

from workbench.core.errors import SettingsError
from workbench.generators.completion import TextGenerator
from workbench.generators.settings import GenerationSettings
from workbench.generators.texts import make_text_generator

__all__ = ["make_coder"]


def make_coder(spec: str, settings: GenerationSettings | None = None) -> TextGenerator:
    """Make the model of the words a user types; see `make_text_generator`.

    A chat model gets a prompt as the user's turn. Another one continues it, with a code block opened.

    Args:
        spec: `hf:NAME-OR-PATH`, `served:MODEL[@ENGINE]`, `openai:MODEL` or `recorded:FILE.jsonl`.
        settings: How it is asked. The temperature is 0, as in the paper, whatever is set.

    Raises:
        SettingsError: There is no such kind; or the style is insertion: a prompt with documents has no gap.
    """
    chosen = replace(settings or GenerationSettings(), temperature=0.0)
    if chosen.style == "insertion":
        raise SettingsError("style 'insertion'", "auto, completion or chat", "correct the style")
    return make_text_generator(spec, chosen, fenced=True)
