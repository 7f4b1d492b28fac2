from .charts import bars as bars
from .charts import heatmap as heatmap

__all__ = ["bars", "heatmap"]
