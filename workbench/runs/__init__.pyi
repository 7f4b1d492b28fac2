from .run import Run as Run
from .run import unkeyed as unkeyed

__all__ = ["Run", "unkeyed"]
