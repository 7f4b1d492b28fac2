"""A model's answers to the problems of a coding benchmark: prompts in, code cut out of what is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.generators.answer import Answer, in_order, wanted
from workbench.generators.answers import extract_answer
from workbench.generators.completion import Prompt
from workbench.generators.huggingface import HuggingFaceText
from workbench.generators.openai import OpenAIText
from workbench.generators.prompts import chat_messages, stop_texts
from workbench.generators.sampling import sample_seed
from workbench.generators.served import ServedText

__all__ = ["ModelGenerator"]


class ModelGenerator:
    """Answers problems by what a model writes.

    Args:
        texts: The model. Each sample has a seed of its own, made of that of its settings.
        name: What to call it; as the model is called, if empty.
    """

    def __init__(self, texts: HuggingFaceText | OpenAIText, name: str = "") -> None:
        self.texts, self.name = texts, name or texts.name

    @property
    def fingerprint(self) -> str:
        """The model's."""
        return self.texts.fingerprint

    def close(self) -> None:
        """Let an engine go that serves the model; asked again, it is started again."""
        if isinstance(self.texts, ServedText):
            self.texts.close()

    def generate(
        self,
        problems: Iterable[BenchmarkProblem],
        *,
        samples: int = 1,
        skip: Collection[tuple[int | str, int]] = (),
    ) -> Iterator[Answer]:
        """Yield the model's answers in order. See `Generator.generate`."""
        asked = list(problems)
        yield from in_order(self.as_known(asked, samples=samples, skip=skip), wanted(asked, samples, skip))

    def as_known(
        self,
        problems: Iterable[BenchmarkProblem],
        *,
        samples: int = 1,
        skip: Collection[tuple[int | str, int]] = (),
    ) -> Iterator[Answer]:
        """Yield each of the model's answers as it ends, in any order."""
        pairs = list(wanted(problems, samples, skip))
        if not pairs:
            return
        style, seed = self.texts.style, self.texts.settings.seed
        prompts = [
            Prompt(
                problem.slot.prefix,
                messages=tuple(chat_messages(problem)),
                after=problem.slot.suffix,
                stop=stop_texts(style),
                seed=sample_seed(seed, problem.problem_id, sample),
            )
            for problem, sample in pairs
        ]
        for place, written in self.texts.as_known(prompts):
            problem, sample = pairs[place]
            code = extract_answer(written.text, problem, style)
            yield Answer(problem.problem_id, sample, code, written.ended, written.said)
