from .check import Check as Check
from .check import State as State
from .examination import examine as examine
from .model import model_checks as model_checks

__all__ = ["Check", "State", "examine", "model_checks"]
