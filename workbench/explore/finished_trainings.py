"""The curves of finished trainings, chosen from a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.explore.curves import Rows, curves_figure, curves_picture, panels_of, read_logs
from workbench.explore.markup import note
from workbench.explore.presence import present

if TYPE_CHECKING:
    from ipywidgets import Widget

__all__ = ["curves_widget", "training_curves"]


def training_curves(source: Any) -> None:
    """Show the curves of finished trainings.

    Args:
        source: What a training returned, its folder, the rows of its log, or several of these by name; see
            `read_logs`.

    Raises:
        DataError: There is no log.
    """
    logs = read_logs(source)
    present(
        f"Training curves: {len(logs)} training{'s' * (len(logs) > 1)}",
        curves_picture(panels_of(_first(logs))),
        lambda: curves_widget(logs),
        text=f"training curves of {', '.join(logs)}",
    )


def curves_widget(logs: Mapping[str, Rows]) -> Widget:
    """Return curves of the trainings that are chosen."""
    import ipywidgets as w

    chosen = w.SelectMultiple(
        options=list(logs), value=list(_first(logs)), rows=min(8, len(logs)), description="trainings",
        layout={"width": "auto"}, style={"description_width": "auto"},
    )  # fmt: skip
    place = w.VBox([])

    def draw(_: Any = None) -> None:
        panels = panels_of({name: logs[name] for name in chosen.value})
        place.children = (
            (curves_figure(panels, live=True),) if panels else (w.HTML(note("Choose a training.")),)
        )

    chosen.observe(draw, "value")
    draw()
    whole = w.VBox([chosen, place] if len(logs) > 1 else [place])
    whole.add_class("explore-curves")
    return whole


def _first(logs: Mapping[str, Rows], most: int = 3) -> dict[str, Rows]:
    """Return a few of the logs, from all over the list: neighbours are often seeds of the same."""
    places = {k * len(logs) // most for k in range(most)}
    return {name: rows for k, (name, rows) in enumerate(logs.items()) if k in places}
