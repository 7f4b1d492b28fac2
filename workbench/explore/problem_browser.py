"""The problem browser: answers to coding problems by library, perturbation, verdict and generator."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkbenchError
from workbench.explore.attempts import Attempt, load_attempts
from workbench.explore.markup import badge, note
from workbench.explore.presence import is_watched, present
from workbench.explore.problem_page import KINDS, attempt_page
from workbench.explore.rerun import Workshop

if TYPE_CHECKING:
    from ipywidgets import Widget

__all__ = ["Filter", "browse_problems", "first_shown", "problem_browser"]

ALL = "all"
LONGEST = 1_000
"""Most lines of the list of attempts: browsers slow down with many more."""


@dataclass(frozen=True)
class Filter:
    """Which attempts are listed; `all` lets every one through."""

    generator: str = ALL
    library: str = ALL
    kind: str = ALL
    status: str = ALL

    def lets(self, attempt: Attempt) -> bool:
        """Tell whether an attempt is listed."""
        wanted = (self.generator, self.library, self.kind, self.status)
        has = (attempt.generator, attempt.library, attempt.kind, attempt.status)
        return all(want in (ALL, value) for want, value in zip(wanted, has, strict=True))


def browse_problems(source: Any, *, problems: Sequence[Any] | None = None, runtime: str = "main") -> None:
    """Show a run's answers one by one: question, answer and reference side by side, verdict, figures.

    An answer can be edited in place and run again in the sandbox.

    Args:
        source: A run's folder or anything else that `load_attempts` takes.
        problems: The problems, where the source does not tell how to load them again.
        runtime: Environment that edited answers run in: `main` or `ds1000`.

    Raises:
        DataError: There are no judged answers.
    """
    attempts = load_attempts(source, problems=problems)
    shop = Workshop(runtime)
    first = first_shown(attempts)
    figures = drawn(shop, first)
    present(
        f"Problem browser: {len(attempts):,} answers",
        attempt_page(first, figures=figures),
        lambda: problem_browser(attempts, shop),
        text=f"Problem browser: {len(attempts):,} answers, such as {_line(first)}",
    )
    if not is_watched():
        shop.close()  # nobody will run anything again


def first_shown(attempts: Sequence[Attempt]) -> Attempt:
    """Return the attempt to begin with: a failure that has a line, else any failure, else the first."""
    failed = [one for one in attempts if one.status == "failed"]
    return next((one for one in failed if one.line), (failed or list(attempts))[0])


def drawn(
    shop: Workshop, attempt: Attempt, code: str | None = None
) -> tuple[list[bytes], list[bytes]] | None:
    """Return the figures of an answer and of its reference; None for problems that ask for none."""
    if attempt.library != "Matplotlib" or attempt.problem is None:
        return None
    try:
        return (
            shop.figures(attempt.problem, attempt.answer if code is None else code),
            shop.figures(attempt.problem, attempt.reference),
        )
    except WorkbenchError:  # no sandbox here: running again says so, looking goes without
        return None


def problem_browser(attempts: Sequence[Attempt], shop: Workshop) -> Widget:
    """Return the widget.

    Args:
        attempts: What to browse.
        shop: Where answers are run again and drawn.
    """
    return _Browser(attempts, shop).whole


class _Browser:
    """The state of one widget: the filter, the attempt that is open, and its edited answer."""

    def __init__(self, attempts: Sequence[Attempt], shop: Workshop) -> None:
        import ipywidgets as w

        self.attempts, self.shop = attempts, shop
        wide, narrow = {"width": "auto", "flex": "1 1 200px"}, {"width": "auto"}
        self.filters = {
            name: w.Dropdown(options=[ALL, *_values(attempts, name)], description=title, layout=wide)
            for name, title in (
                ("generator", "answers by"), ("library", "library"), ("kind", "kind"), ("status", "verdict"),
            )
        }  # fmt: skip
        self.chosen = w.Dropdown(description="problem", layout={"width": "auto", "flex": "3 1 320px"})
        self.before = w.Button(icon="arrow-left", tooltip="the one before", layout={"width": "44px"})
        self.after = w.Button(icon="arrow-right", tooltip="the next one", layout={"width": "44px"})
        self.count = w.HTML()
        self.page = w.HTML(layout={"width": "auto"})
        self.editor = w.Textarea(layout={"width": "auto", "height": "110px"})
        self.editor.add_class("explore-editor")
        self.again = w.Button(description="Run again", icon="play", button_style="primary", layout=narrow)
        self.reset = w.Button(description="Reset", icon="undo", layout=narrow)
        self.says = w.HTML()
        self.whole = w.VBox(
            [
                w.HBox(list(self.filters.values()), layout={"flex_flow": "row wrap"}),
                w.HBox(
                    [self.chosen, self.before, self.after, self.count],
                    layout={"flex_flow": "row wrap", "align_items": "center"},
                ),
                self.page,
                w.HTML("<b>Edit the answer and run it again</b>"),
                self.editor,
                w.HBox([self.again, self.reset, self.says], layout={"align_items": "center"}),
            ]
        )
        self.whole.add_class("explore-problems")
        self._listed: list[Attempt] = []
        self._filling = False
        first = first_shown(attempts)
        if len(attempts) > LONGEST:
            self.filters["generator"].value = first.generator
        for box in self.filters.values():
            box.observe(lambda _: self.refilter(), "value")
        self.chosen.observe(self._chosen, "value")
        self.before.on_click(lambda _: self.step(-1))
        self.after.on_click(lambda _: self.step(1))
        self.again.on_click(lambda _: self.run_again())
        self.reset.on_click(lambda _: self.open())
        self.refilter(first)

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that is open; None where the filter lets none through."""
        place = self.chosen.value
        return None if place is None else self._listed[place]

    def refilter(self, wanted: Attempt | None = None) -> None:
        """List the attempts that the filter lets through, and open one of them."""
        wanted = wanted or self.attempt
        chosen = Filter(**{name: box.value for name, box in self.filters.items()})
        listed = [one for one in self.attempts if chosen.lets(one)]
        passed, cut = sum(one.passed for one in listed), len(listed) > LONGEST
        said = f"{passed:,} of {len(listed):,} pass" + (f"; the first {LONGEST:,} are listed" if cut else "")
        self.count.value = f"<span>{said}</span>"
        place = listed.index(wanted) if wanted in listed else 0
        self._listed = listed[:LONGEST] if place < LONGEST else [listed[place], *listed[:LONGEST]]
        self._filling = True
        self.chosen.options = [(_line(one), k) for k, one in enumerate(self._listed)]
        self.chosen.value = (place if place < LONGEST else 0) if listed else None
        self._filling = False
        self.open()

    def _chosen(self, _: Any) -> None:
        if not self._filling:
            self.open()

    def step(self, by: int) -> None:
        """Open the attempt before or after."""
        if self._listed and self.chosen.value is not None:
            self.chosen.value = (self.chosen.value + by) % len(self._listed)

    def open(self) -> None:
        """Show the attempt that is chosen, as it was judged."""
        attempt = self.attempt
        self.says.value = ""
        self.again.disabled = attempt is None or attempt.problem is None
        if attempt is None:
            self.page.value, self.editor.value = note("No answer is like that. Choose `all` in a filter."), ""
            return
        self.editor.value = attempt.answer
        self.page.value = attempt_page(attempt)
        if attempt.library == "Matplotlib" and attempt.problem is not None:
            self._apart(self._draw, attempt)

    def run_again(self) -> None:
        """Run the edited answer against the problem's tests, without blocking the notebook."""
        attempt = self.attempt
        if attempt is not None and attempt.problem is not None:
            self.again.disabled = True
            self.says.value = "<span>running in the sandbox…</span>"
            self._apart(self._judge, replace(attempt, answer=self.editor.value))

    def _judge(self, edited: Attempt) -> None:
        try:
            rerun = self.shop.run(edited.problem, edited.answer)  # type: ignore[arg-type]
            figures = drawn(self.shop, edited)
        except WorkbenchError as fault:
            self.says.value = badge("could not run", "bad") + note(str(fault))
        else:
            if self._still(edited):
                self.page.value = attempt_page(edited, rerun=rerun, figures=figures)
                self.says.value = badge(rerun.status, KINDS.get(rerun.status, "bad"))
        finally:
            self.again.disabled = False

    def _draw(self, attempt: Attempt) -> None:
        figures = drawn(self.shop, attempt)
        if self._still(attempt) and self.editor.value == attempt.answer:
            self.page.value = attempt_page(attempt, figures=figures)

    def _still(self, attempt: Attempt) -> bool:
        """Tell whether the user still looks at this attempt: by now another one may be open."""
        now = self.attempt
        return now is not None and replace(now, answer=attempt.answer) == attempt

    def _apart(self, work: Any, attempt: Attempt) -> None:
        threading.Thread(target=work, args=(attempt,), daemon=True).start()


def _line(attempt: Attempt) -> str:
    """Return an attempt as a line of the list."""
    symbol = {"passed": "✓", "skipped": "–", "silent": "~"}.get(attempt.status, "✗")
    sample = f" #{attempt.sample}" if attempt.sample else ""
    facts = ", ".join(filter(None, (attempt.library, attempt.kind, attempt.generator)))
    return f"{symbol} {attempt.problem_id}{sample}  {facts}"


def _values(attempts: Sequence[Attempt], name: str) -> list[str]:
    """Return the values of a filter, in the order in which they come, without empty ones."""
    return [value for value in dict.fromkeys(getattr(one, name) for one in attempts) if value]
