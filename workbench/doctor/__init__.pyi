from .check import Check as Check
from .check import State as State
from .examination import examine as examine

__all__ = ["Check", "State", "examine"]
