"""The progress bar of all long work: in a notebook, what is saved of it is its last state, and not its first."""

from __future__ import annotations

from typing import Any, ClassVar

from tqdm.auto import tqdm
from tqdm.notebook import tqdm_notebook

__all__ = ["Bar"]


class Bar(tqdm):
    """tqdm's bar of a terminal or a notebook. Below a cell, the text of its end takes the bar's place.

    A widget's text is written down when it is first shown: a saved notebook would say ``scoring: 0%`` for ever. Of a
    bar that was part of another's work, or had nothing to do, nothing stays.
    """

    _shown: Any = None
    _within: bool = False
    _open: ClassVar[int] = 0
    """Bars below this notebook's cells that have not ended."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        in_cell = issubclass(tqdm, tqdm_notebook)
        super().__init__(*args, **kwargs, **({"display": False} if in_cell else {}))
        if in_cell and not self.disable:
            from IPython.display import display

            self._shown = display(self.container, display_id=True)
            self.displayed = True
            self._within = Bar._open > 0
            Bar._open += 1

    def close(self) -> None:
        """End the bar where it stands."""
        shown, self._shown = self._shown, None
        state = {**self.format_dict, "ncols": None} if shown is not None else {}
        super().close()
        if shown is not None:
            Bar._open -= 1
            told = not self._within and (self.total or self.n)
            shown.update({"text/plain": self.format_meter(**state) if told else ""}, raw=True)
