"""A research workbench for aligning and evaluating language models."""

from importlib.metadata import PackageNotFoundError, version

from workbench.core.bitsandbytes_cpu import compute_alike

__all__ = ["__version__"]

try:
    __version__ = version("alignment-workbench")
except PackageNotFoundError:  # running from a source tree that was not installed
    __version__ = "0+source"

compute_alike()
