"""The world of translation: Spanish sentences, their exact English, and any translation's worth, exactly known."""

from workbench.worlds.translation.habits import HABITS, WritingSettings, write_translation
from workbench.worlds.translation.meaning import Meaning, draw_meaning
from workbench.worlds.translation.oracle import Assessment, assess, utility
from workbench.worlds.translation.rewards import ASPECTS
from workbench.worlds.translation.words import make_tokenizer, vocabulary

__all__ = [
    "ASPECTS",
    "HABITS",
    "Assessment",
    "Meaning",
    "WritingSettings",
    "assess",
    "draw_meaning",
    "make_tokenizer",
    "utility",
    "vocabulary",
    "write_translation",
]
