from .finished_trainings import training_curves as training_curves
from .launcher import launch as launch
from .problem_browser import browse_problems as browse_problems
from .reward_inspector import inspect_answers as inspect_answers
from .reward_inspector import inspect_examples as inspect_examples
from .reward_inspector import inspect_pairs as inspect_pairs
from .run_comparer import compare_runs as compare_runs
from .trace_explorer import explore_traces as explore_traces
from .training_monitor import watch_training as watch_training

__all__ = [
    "browse_problems",
    "compare_runs",
    "explore_traces",
    "inspect_answers",
    "inspect_examples",
    "inspect_pairs",
    "launch",
    "training_curves",
    "watch_training",
]
