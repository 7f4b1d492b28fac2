from .cluster import AnySandbox as AnySandbox
from .cluster import ClusterSandbox as ClusterSandbox
from .cluster import open_on as open_on
from .pool import Sandbox as Sandbox
from .program import Limits as Limits
from .program import Program as Program
from .verdict import Verdict as Verdict

__all__ = ["AnySandbox", "ClusterSandbox", "Limits", "Program", "Sandbox", "Verdict", "open_on"]
