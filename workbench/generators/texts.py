"""Make what writes texts from the words a user types."""

from __future__ import annotations

from workbench.core.errors import SettingsError
from workbench.generators.completion import TextGenerator
from workbench.generators.settings import GenerationSettings

__all__ = ["make_text_generator"]

_KINDS = "hf:NAME-OR-PATH, served:MODEL, openai:MODEL, recorded:FILE.jsonl"


def make_text_generator(
    spec: str, settings: GenerationSettings | None = None, *, fenced: bool = False, progress: bool = True
) -> TextGenerator:
    """Make what writes texts.

    Args:
        spec: `hf:NAME-OR-PATH`, `served:MODEL[@ENGINE]`, `openai:MODEL` or `recorded:FILE.jsonl`.
        settings: How a model is asked.
        fenced: Whether a model that continues texts writes into a code block.
        progress: Show a bar on a terminal's stderr.

    Raises:
        SettingsError: There is no such kind, or nothing after the colon.
        DataError: A recorded file is missing or malformed.
        GeneratorError: An endpoint's key is missing, or no engine is installed that could serve.
    """
    kind, _, rest = spec.partition(":")
    if kind == "hf" and rest:
        from workbench.generators.huggingface import HuggingFaceText

        return HuggingFaceText(rest, settings, fenced=fenced, progress=progress)
    left_out = ("top_p",) if settings is not None and settings.temperature == 0 else ()
    if kind == "served" and rest:
        from workbench.generators.served import ServedText

        return ServedText(rest, settings, fenced=fenced, left_out=left_out, progress=progress)
    if kind == "openai" and rest:
        from workbench.generators.openai import OpenAIText

        return OpenAIText(rest, settings, fenced=fenced, left_out=left_out, progress=progress)
    if kind == "recorded" and rest:
        from workbench.generators.recorded_texts import RecordedText

        return RecordedText(rest)
    raise SettingsError(f"generator {spec!r}", f"one of {_KINDS}", "name a kind and what it needs")
