"""One look for plots and pages: a restrained palette that the colour-blind can tell apart.

The hues follow Okabe and Ito (2008), darkened until each has a contrast of at least 3:1 on white.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "BLUE",
    "COLORS",
    "FONT",
    "INK",
    "PAGE",
    "PAGE_DARK",
    "PLOT_DARK",
    "dress",
    "line_style",
    "template",
]

BLUE = "#1f6098"
COLORS = (BLUE, "#c2541b", "#1d8567", "#8c5a9e", "#a87900", "#5d6875", "#3a8fc4", "#b03a5b")
"""For categories, in this order."""
DASHES = ("solid", "dash", "dashdot", "longdash")
"""For lines, when the colours have all been used."""
SCALE = ((0.0, "#f3f6f9"), (0.5, "#7fabd0"), (1.0, "#123f66"))
"""For amounts, from none to all; it keeps its order in grey."""
INK, MUTED, RULE = "#1c2430", "#566170", "#dde2e8"
GRID, AXIS = "#edf0f3", "#b7c0ca"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
PAGE = {
    "ink": INK,
    "muted": MUTED,
    "rule": RULE,
    "accent": BLUE,
    "yes_ink": "#14532f",
    "yes_ground": "#e3f3e9",
    "maybe_ink": "#6b4500",
    "maybe_ground": "#fdf1d6",
    "no_ink": "#7d1f1f",
    "no_ground": "#fbe7e5",
    "none_ink": "#3f4956",
    "none_ground": "#e9edf1",
    "paper": "#ffffff",
    "desk": "#f4f6f8",
    "soft": "#f7f9fa",
}
"""Colours of the report page; each ink has a contrast of at least 7:1 on its ground."""
PAGE_DARK = {
    "ink": "#e6eaf0",
    "muted": "#a9b4c0",
    "rule": "#303944",
    "accent": "#86bdec",
    "yes_ink": "#9fe3bd",
    "yes_ground": "#12351f",
    "maybe_ink": "#f3d18a",
    "maybe_ground": "#3b2c08",
    "no_ink": "#f6b3ad",
    "no_ground": "#481c1a",
    "none_ink": "#c6ced7",
    "none_ground": "#2a323c",
    "paper": "#161b22",
    "desk": "#0d1117",
    "soft": "#1b222b",
}
"""The same for readers whose system asks for dark pages."""
PLOT_DARK = {
    INK: PAGE_DARK["ink"],
    MUTED: PAGE_DARK["muted"],
    "#ffffff": PAGE_DARK["paper"],
    GRID: PAGE_DARK["rule"],
    AXIS: "#5b6673",
    **dict(
        zip(
            COLORS,
            ("#6aa9dc", "#ee8f5b", "#4fc3a0", "#c39bd3", "#dcae3c", "#a3adb9", "#8fd0f2", "#ee86a3"),
            strict=True,
        )
    ),
}
"""What each colour of a figure becomes on a dark page; shades of maps stay as they are."""


def line_style(number: int, width: float = 2) -> dict[str, Any]:
    """Return plotly's settings of a line: where a figure has more lines than colours, dashes tell them apart.

    Args:
        number: Its place among the lines, from 0.
        width: In pixels.
    """
    rounds, tone = divmod(number, len(COLORS))
    return {"color": COLORS[tone], "dash": DASHES[rounds % len(DASHES)], "width": width}


def template() -> Any:
    """Return the plotly template of the workbench."""
    import plotly.graph_objects as go

    axis = {
        "gridcolor": GRID,
        "linecolor": AXIS,
        "zerolinecolor": AXIS,
        "ticks": "outside",
        "tickcolor": AXIS,
        "title": {"standoff": 10},
        "automargin": True,
    }
    layout = go.Layout(
        colorway=list(COLORS),
        colorscale={"sequential": list(SCALE)},
        font={"family": FONT, "size": 13, "color": INK},
        title={"x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 15}},
        paper_bgcolor="#ffffff",
        plot_bgcolor="#ffffff",
        xaxis=axis,
        yaxis=axis,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        margin={"l": 56, "r": 16, "t": 56, "b": 48},
        height=420,
        bargap=0.25,
        hoverlabel={"font": {"family": FONT}},
    )
    bars = {"error_y": {"color": MUTED, "thickness": 1.5, "width": 3}, "marker": {"line": {"width": 0}}}
    bars["error_x"] = bars["error_y"]
    maps = {"heatmap": [go.Heatmap(colorscale=list(SCALE), xgap=2, ygap=2)]}
    return go.layout.Template(layout=layout, data={"bar": [go.Bar(**bars)], **maps})


def dress(figure: go.Figure) -> go.Figure:
    """Give a figure the workbench's template where it still wears plotly's own; returns the figure."""
    import plotly.io

    worn = figure.layout.template
    default = plotly.io.templates[plotly.io.templates.default] if plotly.io.templates.default else None
    if worn == default or not worn.to_plotly_json():
        figure.update_layout(template=template())
    return figure
