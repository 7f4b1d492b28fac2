"""Figures stay in the program, and what tests read of them is data: on both ends in one process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

from workbench.sandbox.inside import drawn, figures, inputs  # noqa: E402
from workbench.sandbox.inside.encoding import ForbiddenResult, decode, encode  # noqa: E402


class Seam:
    """Carries readings to a table and back as bytes, as the socket does."""

    def __init__(self) -> None:
        self.table = drawn.DrawnTable()
        self.asked: list[dict] = []

    def ask(self, request: dict) -> Any:
        self.asked.append(request)
        if request["kind"] == "refused":
            return None
        request = inputs.load(inputs.dump(request, reads=True), self.table.__getitem__)
        reply = decode(encode(self.table.answer(request), self.table.node), self.stand_in)
        if "raised" in reply:
            raise figures.as_error(*reply["raised"])
        return reply["value"]

    def stand_in(self, number: int, kind: type) -> figures.Drawn:
        return figures.stand_in(number, kind, self.ask)

    def seen(self, value: Any) -> Any:
        """Return a result as the grader gets it."""
        return decode(encode(value, self.table.node_of_drawing), self.stand_in)


@pytest.fixture
def seam() -> Iterator[Seam]:
    plt.close("all")
    yield Seam()
    plt.close("all")


def test_reads_are_data(seam: Seam):
    _, axes = plt.subplots()
    axes.plot([0, 1], [2, 3], "--", label="line")
    axes.legend(title="both")
    axes.set_xlim(5, 1)
    there = seam.seen(axes)
    assert there.get_xlim() == (5.0, 1.0)
    assert len(there.lines) == 1
    assert [line.get_linestyle() for line in there.get_lines()] == ["--"]
    np.testing.assert_array_equal(there.lines[0].get_xydata(), [[0, 2], [1, 3]])
    assert there.get_legend().get_texts()[0]._text == "line"
    assert there.xaxis._major_tick_kw == axes.xaxis._major_tick_kw
    assert {name for name, _ in there.spines.items()} == set(axes.spines)
    assert there.spines["top"].get_visible()
    assert there.get_position().x0 == axes.get_position().x0
    assert there.figure.axes[0] == there
    assert there != axes
    assert isinstance(there, mpl.axes.Axes)
    assert isinstance(there.lines[0], mpl.lines.Line2D)


def test_colour_maps_travel(seam: Seam):
    image = plt.imshow(np.eye(3), cmap="viridis")
    there = seam.seen(image)
    assert there.cmap.name == "viridis"
    assert there.cmap == plt.get_cmap("viridis")
    assert isinstance(there.cmap, mpl.colors.ListedColormap)


def test_methods_take_what_was_read(seam: Seam):
    figure, axes = plt.subplots()
    there = seam.seen(figure)
    renderer = there.canvas.get_renderer()
    assert there.axes[0].title.get_window_extent(renderer).width == pytest.approx(
        axes.title.get_window_extent(figure.canvas.get_renderer()).width
    )


def test_errors_are_raised_as_they_were(seam: Seam):
    there = seam.seen(plt.gcf())
    with pytest.raises(AttributeError, match="nothing"):
        _ = there.nothing
    assert not hasattr(there, "nothing")
    with pytest.raises(IndexError):
        _ = there.axes[3]
    with pytest.raises(AttributeError, match="read here"):
        there.dpi = 7


def test_pyplot_looks_at_the_open_figures_when_asked(seam: Seam, monkeypatch: pytest.MonkeyPatch):
    """The table of the program's figures is asked for at the first look, and the current figure is the last."""
    first, second = plt.figure(), plt.figure()
    second.suptitle("second")
    listing = [(1, seam.table.node(first)), (2, seam.table.node(second))]
    kept = plt._pylab_helpers.Gcf.figs
    monkeypatch.setattr(plt._pylab_helpers.Gcf, "figs", kept)
    asked: list[dict] = []

    def ask(request: dict) -> Any:
        asked.append(request)
        if request["kind"] == "figures":
            return [
                (number, seam.stand_in(node[1][0], mpl.figure.Figure)) for number, node in listing if node
            ]
        return seam.ask(request)

    figures.install_lazily(ask)
    assert asked == []
    assert plt.get_fignums() == [1, 2]
    assert plt.gcf()._suptitle.get_text() == "second"
    plt.show()
    plt.close()
    assert plt.get_fignums() == [1]


def test_nothing_read_equals_everything(seam: Seam):
    there = seam.seen(plt.gcf())
    for value in (1, "a", None, np.zeros(2), there.axes, object()):
        assert not np.any(there == value)
    with pytest.raises(TypeError):
        float(there)


def test_stand_in_needs_a_reader():
    table = drawn.DrawnTable()
    message = encode(plt.figure(), table.node_of_drawing)
    with pytest.raises(ForbiddenResult, match="left in the program"):
        decode(message)
    plt.close("all")


def test_only_what_the_class_has_is_asked_and_no_expected_value_goes_along(seam: Seam):
    """A patched artist was asked whether it `equals` the expected value, and was given that value to look at."""
    line = plt.plot([0, 1], [2, 3])[0]
    line.equals = lambda other: True
    there = seam.seen(line)
    with pytest.raises(AttributeError, match="equals"):
        there.equals(1)
    for expected in (np.zeros(2), [1, 2], (1, 2)):
        with pytest.raises(TypeError, match=f"not asked with a {type(expected).__name__}"):
            there.get_xdata(expected)
        assert seam.asked[-1] == {"kind": "refused"}
    assert there.get_xdata(orig=True).tolist() == [0, 1]
