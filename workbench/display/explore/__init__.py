"""Widgets for notebooks: what is behind a run's numbers, one example at a time."""

from workbench.display.explore.finished_trainings import training_curves
from workbench.display.explore.launcher import launch
from workbench.display.explore.problem_browser import browse_problems
from workbench.display.explore.reward_inspector import (
    inspect_answers,
    inspect_examples,
    inspect_outcomes,
    inspect_pairs,
)
from workbench.display.explore.run_comparer import compare_runs
from workbench.display.explore.trace_explorer import explore_traces
from workbench.display.explore.training_monitor import watch_training

__all__ = [
    "browse_problems",
    "compare_runs",
    "explore_traces",
    "inspect_answers",
    "inspect_examples",
    "inspect_outcomes",
    "inspect_pairs",
    "launch",
    "training_curves",
    "watch_training",
]
