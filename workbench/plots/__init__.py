"""How results look: plots, their theme, and the report of a run."""

from workbench.plots.charts import bars, heatmap

__all__ = ["bars", "heatmap"]
