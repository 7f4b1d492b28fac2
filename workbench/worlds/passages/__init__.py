"""The world of passages: short texts about people, questions on them, and answers whose worth is exactly known."""

from workbench.worlds.passages.habits import HABITS, WritingSettings, write_answer
from workbench.worlds.passages.lexicon import make_tokenizer, vocabulary
from workbench.worlds.passages.task import SPLITS, Fact, Split, Task, draw_task, read_prompt
from workbench.worlds.passages.utility import Assessment, assess, utility

__all__ = [
    "HABITS",
    "SPLITS",
    "Assessment",
    "Fact",
    "Split",
    "Task",
    "WritingSettings",
    "assess",
    "draw_task",
    "make_tokenizer",
    "read_prompt",
    "utility",
    "vocabulary",
    "write_answer",
]
