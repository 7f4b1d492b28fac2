from .checking import Looked as Looked
from .checking import look_at as look_at
from .checking import needs_of as needs_of
from .checking import refuse_lacks as refuse_lacks
from .data import DataNeed as DataNeed
from .data import HubFiles as HubFiles
from .data import HubSplit as HubSplit
from .endpoint import AnswerNeed as AnswerNeed
from .endpoint import judge_needs as judge_needs
from .endpoint import served_needs as served_needs
from .machine import DiskNeed as DiskNeed
from .machine import GrammarNeed as GrammarNeed
from .machine import PackagesNeed as PackagesNeed
from .memory import Held as Held
from .memory import MemoryNeed as MemoryNeed
from .models import ModelNeed as ModelNeed
from .need import Found as Found
from .need import Lack as Lack
from .need import Need as Need
from .programs import ProgramsNeed as ProgramsNeed
from .programs import RuntimeNeed as RuntimeNeed
from .work import HoursNeed as HoursNeed
from .work import Work as Work

__all__ = [
    "AnswerNeed",
    "DataNeed",
    "DiskNeed",
    "Found",
    "GrammarNeed",
    "Held",
    "HoursNeed",
    "HubFiles",
    "HubSplit",
    "Lack",
    "Looked",
    "MemoryNeed",
    "ModelNeed",
    "Need",
    "PackagesNeed",
    "ProgramsNeed",
    "RuntimeNeed",
    "Work",
    "judge_needs",
    "look_at",
    "needs_of",
    "refuse_lacks",
    "served_needs",
]
