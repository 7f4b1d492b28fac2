"""What the ARKS experiment works on: problems with their documentation, and the models that are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.errors import SettingsError
from workbench.retrieval import CodeGenerator, CodingProblem, Item, PromptTemplate

__all__ = ["ArksData", "load_arks", "open_model"]


@dataclass(frozen=True)
class ArksData:
    """Problems, the documentation to retrieve from, and how prompts on them read."""

    name: str
    problems: tuple[CodingProblem, ...]
    documentation: tuple[Item, ...]
    template: PromptTemplate
    stripped: tuple[Item, ...] | None = None
    """The documentation without the words of the functions' familiar names, where that can be had."""
    operations: Mapping[str, int] | None = None
    """For each problem_id the calls that its right program makes, where that is known."""
    runtime: str = "main"
    """The environment that programs run in."""

    def documents(self, *, stripped: bool = False) -> tuple[Item, ...]:
        """Return the documentation.

        Raises:
            SettingsError: It cannot be had without the familiar words.
        """
        if not stripped:
            return self.documentation
        if self.stripped is None:
            raise SettingsError(
                got=f"{self.name} without the words of the functions' familiar names",
                needed="data whose familiar names are known: the world of libraries",
                fix="leave the control out",
            )
        return self.stripped


def load_arks(source: str, *, libraries: int, problems: int, seed: int) -> ArksData:
    """Load problems and documentation.

    Args:
        source: `world` for fictional libraries.
        libraries: How many libraries the world has.
        problems: How many problems on each.
        seed: Where the world comes from.

    Raises:
        SettingsError: There is no such source.
    """
    if source == "world":
        return _world(libraries, problems, seed)
    raise SettingsError(got=f"data {source!r}", needed="world", fix="name one of these")


def _world(libraries: int, problems: int, seed: int) -> ArksData:
    from workbench.worlds.libraries import PocketTemplate, draw_benchmark

    drawn = draw_benchmark(seed, libraries=libraries, problems=problems)
    ids = (problem.problem_id for problem in drawn.problems)
    return ArksData(
        name="world",
        problems=drawn.problems,
        documentation=tuple(drawn.documentation()),
        template=PocketTemplate(),
        stripped=tuple(drawn.documentation(stripped=True)),
        operations=dict(zip(ids, drawn.operations, strict=True)),
    )


def open_model(spec: str) -> CodeGenerator:
    """Open a model: `pocket:FOLDER`, or any that the active loop can ask."""
    kind, _, rest = spec.partition(":")
    if kind == "pocket":
        from workbench.worlds.libraries import PocketCoder

        return PocketCoder(rest)
    from workbench.retrieval.code_generators import make_code_generator

    return make_code_generator(spec)
