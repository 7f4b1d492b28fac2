from .habits import HABITS as HABITS
from .habits import AnswerWritingSettings as AnswerWritingSettings
from .habits import write_answer as write_answer
from .lexicon import make_tokenizer as make_tokenizer
from .lexicon import vocabulary as vocabulary
from .task import SPLITS as SPLITS
from .task import Fact as Fact
from .task import PassageQuestion as PassageQuestion
from .task import Split as Split
from .task import draw_task as draw_task
from .task import read_prompt as read_prompt
from .utility import AnswerAssessment as AnswerAssessment
from .utility import assess as assess
from .utility import utility as utility

__all__ = [
    "HABITS",
    "SPLITS",
    "AnswerAssessment",
    "AnswerWritingSettings",
    "Fact",
    "PassageQuestion",
    "Split",
    "assess",
    "draw_task",
    "make_tokenizer",
    "read_prompt",
    "utility",
    "vocabulary",
    "write_answer",
]
