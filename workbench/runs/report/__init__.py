"""The report of a run, and of several side by side: pages that hold all they show."""

from workbench.runs.report.comparison import render_comparison, write_comparison
from workbench.runs.report.page import render_report, write_report

__all__ = ["render_comparison", "render_report", "write_comparison", "write_report"]
