"""What libraries print while a model is loaded or adapted that no reader can act upon, kept from the screen."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["LATE_S", "late_bars", "silent", "without_old_name"]

LATE_S = 2.0
"""Seconds that loading or saving may take before it shows a bar."""


@contextmanager
def late_bars() -> Iterator[None]:
    """Within this context transformers draws a bar for what takes longer than `LATE_S` only."""
    from transformers.utils import logging

    def late(make: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        options = {"delay": LATE_S} | options
        return make(*args, **options) if previous is None else previous(make, args, options)

    previous = logging.set_tqdm_hook(late)
    try:
        yield
    finally:
        logging.set_tqdm_hook(previous)


@contextmanager
def without_old_name() -> Iterator[None]:
    """Within this context transformers does not say that peft uses an attribute's old name.

    Every other warning is shown.
    """
    with warnings.catch_warnings():
        said = "`is_gradient_checkpointing` is deprecated"
        warnings.filterwarnings("ignore", message=said, category=FutureWarning)
        yield


@contextmanager
def silent() -> Iterator[None]:
    """Within this context transformers draws no bar, and its warnings stay away; errors are raised as ever."""
    from transformers.utils import logging

    level, previous = logging.get_verbosity(), logging.set_tqdm_hook(_hidden)
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        logging.set_tqdm_hook(previous)


def _hidden(make: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return make(*args, **(options | {"disable": True}))
