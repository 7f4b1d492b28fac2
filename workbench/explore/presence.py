"""Showing a widget where somebody can use it, and always a picture of it that stays.

A notebook's saved output holds two things for each widget: its picture as plain HTML, and the widget itself. While
the widget lives it hides its picture. Reopened without its kernel, and on GitHub, the picture is what there is. A
notebook that runs with nobody watching (papermill, `workbench run`, nbconvert) gets the picture alone: its controls
would be dead from the start.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.explore.markup import MONO, Markup, card, escape
from workbench.plots.theme import FONT, INK, RULE
from workbench.runs.showing import show_html

if TYPE_CHECKING:
    from ipywidgets import Widget

__all__ = ["Picture", "is_watched", "picture_with_widget", "present", "show_picture"]

SESSION = "JPY_SESSION_NAME"
"""Set by Jupyter's server for the kernel of a notebook that is open in it, and by nothing else."""


def is_watched() -> bool:
    """Tell whether this code runs in a notebook that is open before somebody's eyes."""
    from IPython import get_ipython
    from ipywidgets import Widget

    shell = get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None:
        return False
    # other programs than Jupyter's server make themselves known by this channel, which papermill never opens
    return is_session(os.environ, _around()) or Widget._control_comm is not None


def is_session(own: Mapping[str, str], around: Mapping[str, str]) -> bool:
    """Tell whether a kernel is that of a notebook that is open, by its environment.

    Args:
        own: The kernel's.
        around: That of the process that started it. A run that is started from inside an open notebook inherits the
            notebook's mark, and hands it to kernels that nobody watches.
    """
    return SESSION in own and SESSION not in around


def _around() -> Mapping[str, str]:
    import psutil

    try:
        parent = psutil.Process().parent()
        return parent.environ() if parent is not None else {}
    except psutil.Error:  # it is somebody else's, or gone
        return {}


def present(title: str, picture: Markup, make: Callable[[], Widget], *, text: str = "") -> None:
    """Show a widget and its picture below the cell.

    Args:
        title: What it is; the heading of the picture.
        picture: What the widget shows at first.
        make: Builds the widget; called only where somebody watches.
        text: The picture in words, where there is no notebook at all.
    """
    if is_watched():
        Picture(title).show(picture, make())
    else:
        show_picture(title, picture, text)


def show_picture(title: str, picture: Markup, text: str = "") -> None:
    """Show a picture that no widget belongs to; its text where there is no notebook."""
    show_html(card(picture, title=title), text or title)


class Picture:
    """The picture of a widget that is live, which stays when the widget is gone.

    Args:
        title: Its heading.
        name: Ties picture and widget together; one of its own if empty.
    """

    def __init__(self, title: str, name: str = "") -> None:
        self.title, self.name = title, f"explore-{name or uuid.uuid4().hex[:12]}"

    def show(self, picture: Markup, widget: Widget) -> None:
        """Show the picture and the widget, of which the reader sees one."""
        from IPython.display import display
        from ipywidgets import HTML, VBox

        display(self._bundle(picture), raw=True, display_id=self.name)
        look = HTML(f"<style>{_live_look(self.name)}</style>", layout={"display": "none"})
        heading = HTML(f'<div style="font-size: 15px; font-weight: 600">{escape(self.title)}</div>')
        whole = VBox([look, heading, widget])
        whole.add_class(self.name)
        whole.add_class("explore-live")
        bundle = whole._repr_mimebundle_() or {}
        bundle["text/plain"] = "Run this cell to use the controls."
        display(bundle, raw=True)

    def update(self, picture: Markup) -> None:
        """Replace the picture that stays."""
        from IPython.display import update_display

        update_display(self._bundle(picture), raw=True, display_id=self.name)

    def _bundle(self, picture: Markup) -> dict[str, Any]:
        return {"text/html": picture_with_widget(self.title, picture, self.name), "text/plain": self.title}


def picture_with_widget(title: str, picture: Markup, name: str) -> Markup:
    """Return a picture with the rule by which what JupyterLab says of a dead widget below it is not shown.

    Args:
        title: The picture's heading.
        picture: The picture.
        name: Ties the two together: the picture's id, and a class of the widget.
    """
    output = ".jp-OutputArea-child"
    rule = f"{output}:has(#{name}) + {output}:not(:has(.{name})) {{ display: none }}"
    return f"<style>{rule}</style>{card(picture, title=title, name=name)}"


def _live_look(name: str) -> str:
    """Return the style of a live widget: its picture hidden, and a white card in dark themes too."""
    light = {"color": INK, "label-color": INK, "readout-color": INK, "input-color": INK}
    light |= {"input-background-color": "#ffffff", "input-border-color": "#b7c0ca"}
    names = "; ".join(f"--jp-widgets-{key}: {value}" for key, value in light.items())
    frame = (
        f"background: #ffffff; color: {INK}; border: 1px solid {RULE}; border-radius: 8px; padding: 12px 14px"
    )
    return (
        f"#{name} {{ display: none !important }} "
        f".{name} {{ {names}; {frame}; box-sizing: border-box; overflow-x: hidden; font-family: {FONT} }} "
        f".{name} .widget-html-content {{ color: {INK}; font-size: 13px; line-height: 1.5; overflow-x: auto }} "
        f".{name} .explore-editor textarea {{ font-family: {MONO}; font-size: 12px }}"
    )
