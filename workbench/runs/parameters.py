"""A notebook's parameters: names, kinds, defaults, help and limits, all read from its `parameters` cell.

A line of the cell says everything, for people, papermill and the workbench alike::

    samples: int = 1  # answers per problem; at least 1

The annotation is the kind (int, float, str, bool, or list of names), the value the pocket profile's, the comment the
help; `at least NUMBER` at its end is the smallest value allowed.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import RunError, SettingsError
from workbench.core.suggestion import suggestion
from workbench.runs.notebooks import inspected

__all__ = ["RESERVED", "Parameter", "parameters_given", "read_parameters", "resolve"]

RESERVED = ("profile", "out", "cluster")
"""Parameters of every notebook that say how it is run, and not what it does."""

KINDS: Mapping[str, type] = {"int": int, "float": float, "str": str, "bool": bool, "list": tuple}
_MINIMUM = re.compile(r"\bat least (-?[\d.]+)\s*$")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook."""

    name: str
    kind: type | None
    """int, float, str, bool or tuple (of strings); None where the notebook does not say: any value is taken."""
    default: Any
    """Its value in the pocket profile."""
    help: str = ""
    """What it sets, in a line, with its unit."""
    minimum: float | None = None
    """Smallest value allowed, for numbers."""


def read_parameters(notebook: Path) -> dict[str, Parameter]:
    """Read the parameters of a notebook, but for `profile` and `out`.

    Raises:
        RunError: A default is no plain value, or not one that the parameter itself would take.
    """
    found = inspected(notebook).items()
    return {name: _parameter(name, about, notebook) for name, about in found if name not in RESERVED}


def _parameter(name: str, about: Mapping[str, str], notebook: Path) -> Parameter:
    said = about["help"].strip()
    least = _MINIMUM.search(said)
    kind = KINDS.get(about["inferred_type_name"])
    try:
        default = ast.literal_eval(about["default"])
        if kind is None:
            return Parameter(name, None, default, said)
        parameter = Parameter(name, kind, None, said, float(least[1]) if least else None)
        return Parameter(name, kind, _convert(parameter, default), said, parameter.minimum)
    except (ValueError, SyntaxError) as fault:
        raise RunError(
            got=f"{notebook}: parameter {name} is {about['default']} ({fault})",
            needed="a plain value of its kind: name: int = 1  # what it sets; at least 1",
            fix="correct the line in the cell tagged `parameters`",
        ) from fault


def parameters_given(variables: Mapping[str, Any], table: Mapping[str, Parameter] | None) -> dict[str, Any]:
    """Return the parameters among a notebook's variables.

    Args:
        variables: `globals()` of the notebook, or the parameters alone.
        table: The notebook's parameters, where its file is known; else those variables count that are annotated.
    """
    if "__name__" not in variables:
        return dict(variables)
    names = table if table is not None else variables.get("__annotations__", {})
    return {name: variables[name] for name in names if name in variables and name not in RESERVED}


def resolve(
    table: Mapping[str, Parameter], usual: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Put a run's parameters together: the cell's values, the profile's, and what was given instead.

    Args:
        table: The notebook's parameters.
        usual: The profile's values by name.
        given: Values that replace them; None means 'as the profile says'.

    Returns:
        Every parameter with its value, in the order of the cell.

    Raises:
        SettingsError: Unknown names, or values of the wrong kind; all faults at once.
    """
    replaced = {name: value for name, value in given.items() if value is not None}
    values = {**usual, **replaced}
    faults = [f"parameter {name!r}" + suggestion(name, table) for name in values if name not in table]
    resolved = {}
    for name, parameter in table.items():
        try:
            resolved[name] = _convert(parameter, values.get(name, parameter.default))
        except ValueError as fault:
            faults.append(f"{name}={values[name]!r} ({fault})")
    if faults:
        raise SettingsError(
            got="; ".join(faults),
            needed=f"values of these parameters: {', '.join(table)}",
            fix="correct the values named above; `workbench run --help` shows how they are given",
        )
    return resolved


def _convert(parameter: Parameter, value: Any) -> Any:
    """Bring a value to its parameter's kind; ValueError says what was needed instead."""
    kind = parameter.kind
    if kind is None:
        return value
    if kind is tuple:
        return _names(value)
    if kind is str:
        # a file may be called 2024: papermill turns such a word into a number on its way here
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("needs text")
        return str(value)
    if kind is bool:
        value = {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
        if not isinstance(value, bool):
            raise ValueError("needs True or False")
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("needs a finite number")
    if isinstance(value, bool) or not isinstance(value, int | float) or kind(value) != value:
        raise ValueError("needs a whole number" if kind is int else "needs a number")
    if parameter.minimum is not None and value < parameter.minimum:
        raise ValueError(f"needs at least {parameter.minimum:g}")
    return kind(value)


def _names(value: Any) -> tuple[str, ...]:
    """Read a list of names from a list, from JSON or from words separated by commas."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            try:
                value = json.loads(value)
            except json.JSONDecodeError:
                raise ValueError('needs a list, as a,b or ["a", "b"]') from None
        else:
            value = [word.strip() for word in value.split(",") if word.strip()]
    # a lone name may look like a number: papermill turns it into one on its way here
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = [str(value)]
    if not isinstance(value, list | tuple) or not value or not all(isinstance(word, str) for word in value):
        raise ValueError("needs a list of at least one name")
    return tuple(value)
