"""The look: contrasts are computed, not believed."""

import plotly.graph_objects as go
import pytest

from workbench.plots.theme import COLORS, PAGE, PAGE_DARK, PLOT_DARK, dress


def luminance(colour):
    """Relative luminance of #rrggbb, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_of_black_on_white():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("colour", COLORS)
def test_plotted_colours_stand_out_on_white(colour):
    assert contrast(colour, "#ffffff") >= 3


@pytest.mark.parametrize("colour", COLORS)
def test_plotted_colours_stand_out_on_dark_pages(colour):
    assert contrast(PLOT_DARK[colour], PAGE_DARK["paper"]) >= 4.5


@pytest.mark.parametrize("page", [PAGE, PAGE_DARK], ids=["light", "dark"])
@pytest.mark.parametrize("verdict", ["yes", "maybe", "no", "none"])
def test_verdicts_are_readable(page, verdict):
    assert contrast(page[f"{verdict}_ink"], page[f"{verdict}_ground"]) >= 7


@pytest.mark.parametrize("page", [PAGE, PAGE_DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "desk", "soft"])
def test_text_is_readable_on_the_page(page, ground):
    assert contrast(page["ink"], page[ground]) >= 7
    assert contrast(page["muted"], page[ground]) >= 4.5
    assert contrast(page["accent"], page[ground]) >= 4.5


def test_dark_pages_have_every_colour_of_light_ones():
    assert set(PAGE_DARK) == set(PAGE)


def test_a_figure_is_dressed_unless_it_has_a_style_of_its_own():
    assert dress(go.Figure()).layout.template.layout.colorway == COLORS
    assert dress(go.Figure(layout={"template": "plotly_dark"})).layout.template.layout.colorway != COLORS
