"""Make a generator from the words a user types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.errors import SettingsError
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.generators.answer import Generator
from workbench.generators.settings import STYLES, GenerationSettings

__all__ = ["GENERATOR_KINDS", "make_generator", "model_asked"]


@dataclass(frozen=True)
class GeneratorKind:
    """One kind of generator, as it is named on the command line."""

    name: str
    """The word before the colon."""
    example: str
    """A specification as a user would type it."""
    what: str
    """What it does, in a few words."""
    make: Callable[[str, GenerationSettings, Sequence[BenchmarkProblem] | None], Generator]
    """Builds it from the text after the colon, the settings and all problems."""


def _reference(
    _: str, settings: GenerationSettings, problems: Sequence[BenchmarkProblem] | None
) -> Generator:
    from workbench.generators.reference import ReferenceGenerator

    return ReferenceGenerator()


def _memorizer(
    _: str, settings: GenerationSettings, problems: Sequence[BenchmarkProblem] | None
) -> Generator:
    from workbench.generators.memorizer import MemorizerGenerator

    return MemorizerGenerator(problems)


def _recorded(
    rest: str, settings: GenerationSettings, problems: Sequence[BenchmarkProblem] | None
) -> Generator:
    from workbench.generators.recorded import RecordedGenerator

    return RecordedGenerator(rest, problems)


def _huggingface(
    rest: str, settings: GenerationSettings, problems: Sequence[BenchmarkProblem] | None
) -> Generator:
    from workbench.generators.huggingface import HuggingFaceText
    from workbench.generators.solving import ModelGenerator

    return ModelGenerator(HuggingFaceText(*_in_style(rest, settings)), f"hf:{rest}")


def _served(
    rest: str, settings: GenerationSettings, problems: Sequence[BenchmarkProblem] | None
) -> Generator:
    from workbench.generators.served import ServedText
    from workbench.generators.solving import ModelGenerator

    return ModelGenerator(ServedText(*_in_style(rest, settings)))


def _openai(
    rest: str, settings: GenerationSettings, problems: Sequence[BenchmarkProblem] | None
) -> Generator:
    from workbench.generators.openai import OpenAIText
    from workbench.generators.solving import ModelGenerator

    return ModelGenerator(OpenAIText(*_in_style(rest, settings)), f"openai:{rest}")


def model_asked(spec: str) -> tuple[str, str]:
    """Return the kind of a generator and the model that it asks, without a style of its own; empty where none is."""
    kind, _, rest = spec.partition(":")
    return kind, _in_style(rest, GenerationSettings())[0] if kind in ("hf", "openai", "served") else ""


def _in_style(rest: str, settings: GenerationSettings) -> tuple[str, GenerationSettings]:
    """Return the model of `NAME@STYLE`, and settings with that style; of a plain name both as they are."""
    name, _, style = rest.rpartition("@")
    if not name or style not in STYLES or Path(rest).expanduser().exists():
        return rest, settings
    return name, replace(settings, style=style)


GENERATOR_KINDS = (
    GeneratorKind("reference", "reference", "each problem's own solution", _reference),
    GeneratorKind("memorizer", "memorizer", "memorized Origin solutions, and nothing else", _memorizer),
    GeneratorKind("recorded", "recorded:answers.jsonl", "answers made elsewhere", _recorded),
    GeneratorKind("hf", "hf:Qwen/Qwen2.5-Coder-1.5B", "a model on this machine", _huggingface),
    GeneratorKind("served", "served:Qwen/Qwen2.5-Coder-7B", "the same by vLLM or another engine", _served),
    GeneratorKind("openai", "openai:gpt-4o-mini", "a model behind an OpenAI-compatible endpoint", _openai),
)
"""Every kind of generator there is."""


def make_generator(
    spec: str,
    settings: GenerationSettings | None = None,
    *,
    problems: Sequence[BenchmarkProblem] | None = None,
) -> Generator:
    """Make a generator.

    Args:
        spec: Its kind and, after a colon, its model or file: see `GENERATOR_KINDS`. A model that is asked in a style
            of its own is written `NAME@STYLE`, such as `hf:Qwen/Qwen2.5-Coder-0.5B@insertion`.
        settings: How a model is asked; the defaults where None.
        problems: All problems of the benchmark, in order, even where only some of them will be asked: the
            memorizer learns their Origins, and recorded answers are checked against their ids.

    Returns:
        The generator. Models are loaded with the first answer only.

    Raises:
        SettingsError: There is no such kind, or its model or file is not named.
        DataError: A file of recorded answers is missing or malformed.
        GeneratorError: An endpoint's key is missing, or no engine is installed that could serve.
    """
    word, colon, rest = spec.partition(":")
    kind = next((kind for kind in GENERATOR_KINDS if kind.name == word), None)
    if kind is None or (":" in kind.example) != bool(rest) or (colon and not rest):
        kinds = "".join(f"\n  {kind.example:<28} {kind.what}" for kind in GENERATOR_KINDS)
        raise SettingsError(
            got=f"generator {spec!r}",
            needed=f"one of these kinds:{kinds}",
            fix="name a kind and what it needs",
        )
    return kind.make(rest, settings or GenerationSettings(), problems)
