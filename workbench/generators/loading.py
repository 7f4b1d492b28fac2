"""Load a causal language model and its tokenizer for generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import GeneratorError
from workbench.generators.settings import GenerationSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["load_model", "load_words"]

QUANTIZE = {"4bit": "nf4"}


def load_model(name: str, settings: GenerationSettings) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a model for generation.

    Args:
        name: A name on the Hub, or a folder with a checkpoint and its tokenizer.
        settings: Its `device`, `dtype`, `quantize` and `revision` count here.

    Returns:
        The model in evaluation mode, and its tokenizer.

    Raises:
        GeneratorError: The model cannot be found or read, is gated or too big; or there is no such device.
    """
    from workbench.core.errors import ModelError
    from workbench.models.loading import ModelSettings, load_causal_lm, load_tokenizer

    wanted = settings.quantize and QUANTIZE.get(settings.quantize, settings.quantize)
    chosen = ModelSettings(
        name, quantize=wanted, device=settings.device, dtype=settings.dtype, revision=settings.revision
    )
    try:
        tokenizer = load_tokenizer(chosen)
        return load_causal_lm(chosen).model, tokenizer
    except ModelError as error:
        fix = error.fix.replace("quantize='nf4'", "quantize='4bit'")  # as these settings name it
        raise GeneratorError(error.got, error.needed, fix) from error


def load_words(name: str, settings: GenerationSettings) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer alone, as `load_model` does."""
    from workbench.core.errors import ModelError
    from workbench.models.loading import ModelSettings, load_tokenizer

    try:
        return load_tokenizer(ModelSettings(name, revision=settings.revision))
    except ModelError as error:
        raise GeneratorError(error.got, error.needed, error.fix) from error
