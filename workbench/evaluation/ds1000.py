"""A thin name: see `workbench.papers.ds1000.grading`."""

from workbench.papers.ds1000.grading import GradingSettings, collect_answers, grade, open_sandbox, score

__all__ = ["GradingSettings", "collect_answers", "grade", "open_sandbox", "score"]
