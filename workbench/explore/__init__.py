"""Widgets for notebooks: what is behind a run's numbers, one example at a time."""

from workbench.explore.finished_trainings import training_curves
from workbench.explore.launcher import launch
from workbench.explore.problem_browser import browse_problems
from workbench.explore.reward_inspector import (
    inspect_answers,
    inspect_examples,
    inspect_outcomes,
    inspect_pairs,
)
from workbench.explore.run_comparer import compare_runs
from workbench.explore.trace_explorer import explore_traces
from workbench.explore.training_monitor import watch_training

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
