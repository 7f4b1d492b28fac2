"""What this machine has of all that the workbench can use, as values."""

from workbench.doctor.check import Check, State
from workbench.doctor.examination import examine

__all__ = ["Check", "State", "examine"]
