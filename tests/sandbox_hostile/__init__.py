"""Programs that attack the sandbox: what each tries, and the verdict that it must get.

A program reports by printing: a line that starts with ESCAPED says that something worked which must not. Words
such as @OUTSIDE@ are replaced before it runs: see `tests/sandbox/test_hostile.py`.
"""

from sandbox_hostile.form import Hostile
from sandbox_hostile.hidden import HIDDEN
from sandbox_hostile.judging import JUDGING
from sandbox_hostile.left import LEFT
from sandbox_hostile.outside import OUTSIDE
from sandbox_hostile.privileges import PRIVILEGES
from sandbox_hostile.processes import PROCESSES
from sandbox_hostile.resources import RESOURCES
from sandbox_hostile.telling import TELLING

__all__ = ["HOSTILE", "Hostile"]

HOSTILE: tuple[Hostile, ...] = (
    *PROCESSES,
    *RESOURCES,
    *HIDDEN,
    *OUTSIDE,
    *PRIVILEGES,
    *TELLING,
    *JUDGING,
    *LEFT,
)
