"""How a problem is put to a model: as text to complete, as a gap to fill, or as a chat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.datasets.coding_problem import BenchmarkProblem

__all__ = [
    "FIM_FAMILIES",
    "FillInTheMiddle",
    "chat_messages",
    "completion_prompt",
    "fim_family",
    "stop_texts",
]

CHAT_INSTRUCTION = (
    "You complete Python programs. Reply with one Python code block that holds only the lines that are "
    "missing, ready to be put where the program breaks off. Do not repeat the code that is given, and do not "
    "explain."
)


def completion_prompt(problem: BenchmarkProblem) -> str:
    """Return the text that a completion model continues: the prompt up to its slot."""
    return problem.slot.prefix


def chat_messages(problem: BenchmarkProblem) -> list[dict[str, str]]:
    """Return the conversation that asks a chat model for the missing lines."""
    return [
        {"role": "system", "content": CHAT_INSTRUCTION},
        {"role": "user", "content": completion_prompt(problem)},
    ]


def stop_texts(style: str) -> tuple[str, ...]:
    """Return the texts after which a model's answer in this style holds nothing of use."""
    return () if style == "chat" else ("</code>", "# SOLUTION END", "\nEND SOLUTION")


@dataclass(frozen=True)
class FillInTheMiddle:
    """The marks with which a family of models was taught to fill a gap."""

    family: str
    names: tuple[str, ...]
    """Parts of model names, lower case, by which the family is known."""
    before: str
    """Token before the prefix."""
    after: str
    """Token before the suffix."""
    gap: str
    """Token after which the model writes the middle."""
    ends: tuple[str, ...]
    """Tokens that end the middle."""
    suffix_first: bool = False
    """Whether the suffix stands before the prefix."""
    written: tuple[str, str, str] | None = None
    """How the first three tokens are written in a text, where that differs from their names."""

    def prompt(self, prefix: str, suffix: str) -> str:
        """Return the text with the gap, marks written out."""
        before, after, gap = self.written or (self.before, self.after, self.gap)
        first, second = f"{before}{prefix}", f"{after}{suffix}"
        return (second + first if self.suffix_first else first + second) + gap


_STAR = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
_PIPED = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")

FIM_FAMILIES = (
    FillInTheMiddle(
        "SantaCoder", ("santacoder",), "<fim-prefix>", "<fim-suffix>", "<fim-middle>", ("<|endoftext|>",)
    ),
    FillInTheMiddle("StarCoder", ("starcoder", "stable-code"), *_STAR, ("<|endoftext|>", "<file_sep>")),
    FillInTheMiddle(
        "CodeLlama",
        ("codellama", "code-llama"),
        "▁<PRE>",
        "▁<SUF>",
        "▁<MID>",
        ("▁<EOT>",),
        written=("<PRE> ", " <SUF>", " <MID>"),
    ),
    FillInTheMiddle(
        "DeepSeek-Coder",
        ("deepseek-coder", "deepseek-v2", "deepseek-v3"),
        "<｜fim▁begin｜>",
        "<｜fim▁hole｜>",
        "<｜fim▁end｜>",
        ("<｜end▁of▁sentence｜>",),
    ),
    FillInTheMiddle("CodeGemma", ("codegemma",), *_PIPED, ("<|file_separator|>",)),
    FillInTheMiddle(
        "Qwen2.5-Coder",
        ("qwen2.5-coder", "qwen3-coder", "codeqwen"),
        *_PIPED,
        ("<|fim_pad|>", "<|file_sep|>", "<|endoftext|>"),
    ),
    FillInTheMiddle("Codestral", ("codestral",), "[PREFIX]", "[SUFFIX]", "", ("</s>",), suffix_first=True),
)
"""The families whose marks are known, each from its model card."""


def fim_family(model: str, vocabulary: Iterable[str] | None = None) -> FillInTheMiddle | None:
    """Find a model's fill-in-the-middle marks.

    Args:
        model: The model's name or path.
        vocabulary: The tokens of its tokenizer, where it is at hand: a family is then taken only if they
            hold its marks, and a model of unknown name is known by them.

    Returns:
        The family, or None where the model cannot fill a gap as far as is known.
    """
    named = [family for family in FIM_FAMILIES if any(part in model.lower() for part in family.names)]
    if vocabulary is None:
        return next(iter(named), None)
    tokens = set(vocabulary)
    known = [family for family in FIM_FAMILIES if {family.before, family.after, family.gap} - {""} <= tokens]
    return next((family for family in named if family in known), next(iter(known), None))
