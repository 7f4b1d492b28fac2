from .pool import Sandbox as Sandbox
from .program import Limits as Limits
from .program import Program as Program
from .verdict import Verdict as Verdict

__all__ = ["Limits", "Program", "Sandbox", "Verdict"]
