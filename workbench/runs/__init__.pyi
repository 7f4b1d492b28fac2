from .kept import show_kept as show_kept
from .run import Run as Run
from .run import unkeyed as unkeyed

__all__ = ["Run", "show_kept", "unkeyed"]
