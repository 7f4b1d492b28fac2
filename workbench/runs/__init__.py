"""What a run is: settings, cached steps, results on disk, and the execution of notebooks."""

from workbench.runs.run import Run
from workbench.store.fingerprint import unkeyed

__all__ = ["Run", "unkeyed"]
