"""Plain functions as rewards: what they are asked is told by the names of their parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.errors import SettingsError
from workbench.rewards.spans import Reward, Sample, Span, read_spans

__all__ = ["FunctionReward", "as_reward"]

_TEXTS: dict[str, Callable[[Sample], Any]] = {
    "sample": lambda sample: sample,
    "prompt": lambda sample: sample.prompt,
    "response": lambda sample: sample.response,
    "completion": lambda sample: sample.response,
    "metadata": lambda sample: sample.metadata,
}
"""What a parameter of a name gets of one sample; in the plural, of all."""
FORMS = "f(sample), f(prompt, response), f(response), or of all at once f(samples), f(prompts, responses)"


class FunctionReward:
    """A function as a reward.

    Its parameters say what it is asked: `sample`, `prompt`, `response` (or `completion`) and `metadata` of one sample
    each, or the plurals of all at once. It returns a number, or a list of spans, for each. A function for TRL's
    trainers, `f(prompts, completions, **columns)`, works as it is: the samples' metadata are its columns.

    Args:
        function: The function.
        name: What tables call it; None: its own name.

    Raises:
        SettingsError: Its parameters do not say what it is to be asked.

    >>> def shorter(response):
    ...     return -len(response)
    >>> FunctionReward(shorter)([Sample("a", "bcd")])[0][0].value
    -3.0
    """

    def __init__(self, function: Callable[..., Any], *, name: str | None = None) -> None:
        self.function = function
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self._taken, self._columns = _parameters_of(function, self.name)
        self._at_once = all(one not in _TEXTS for one in self._taken)

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return the spans of each sample; see `read_spans` for what is refused."""
        if self._at_once:
            given = self.function(**self._batch(samples))
        else:
            given = [
                self.function(**{name: _TEXTS[name](sample) for name in self._taken}) for sample in samples
            ]
        return read_spans(given, samples, self.name)

    def _batch(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """Return what a function of all samples is asked."""
        asked: dict[str, Any] = {}
        if self._columns:
            shared = set.intersection(*(set(sample.metadata) for sample in samples)) if samples else set()
            asked = {name: [sample.metadata[name] for sample in samples] for name in sorted(shared)}
        for name in self._taken:
            of_one = _TEXTS[_singular(name)]
            asked[name] = [of_one(sample) for sample in samples]
        return asked


def as_reward(given: Any) -> Reward:
    """Return a reward as it is, and a plain function as a `FunctionReward`.

    Raises:
        SettingsError: It is neither.
    """
    if callable(given) and not isinstance(given, type):
        return given if hasattr(given, "name") else FunctionReward(given)
    raise SettingsError(
        got=f"{given!r} as a reward",
        needed=f"a Reward (with a name, called with samples), or a function {FORMS}",
        fix="make an instance of the class" if isinstance(given, type) else "give one of these",
    )


def _parameters_of(function: Callable[..., Any], name: str) -> tuple[list[str], bool]:
    """Return which parameters are filled, and whether the samples' metadata go along as columns."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # builtins
        parameters = []
    columns = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    named = [
        parameter
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    taken = [one.name for one in named if one.name in _TEXTS or _singular(one.name) in _TEXTS]
    missing = [one.name for one in named if one.default is one.empty and one.name not in taken]
    missing += [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_ONLY]
    mixed = {one in _TEXTS for one in taken} == {True, False}
    if missing or mixed or not taken:
        written = ", ".join(str(parameter) for parameter in parameters)
        raise SettingsError(
            got=f"the function {name}({written}) as a reward",
            needed=f"parameters that say what it is asked: {FORMS}",
            fix="name the parameters so; what else it needs it finds in sample.metadata",
        )
    return taken, columns


def _singular(name: str) -> str:
    return name.removesuffix("s")
