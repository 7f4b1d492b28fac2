from .comparison import render_comparison as render_comparison
from .comparison import write_comparison as write_comparison
from .page import render_report as render_report
from .page import write_report as write_report

__all__ = ["render_comparison", "render_report", "write_comparison", "write_report"]
