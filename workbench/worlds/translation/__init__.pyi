from .habits import HABITS as HABITS
from .habits import TranslationWritingSettings as TranslationWritingSettings
from .habits import write_translation as write_translation
from .meaning import Meaning as Meaning
from .meaning import draw_meaning as draw_meaning
from .oracle import TranslationAssessment as TranslationAssessment
from .oracle import assess as assess
from .oracle import utility as utility
from .rewards import ASPECTS as ASPECTS
from .words import make_tokenizer as make_tokenizer
from .words import vocabulary as vocabulary

__all__ = [
    "ASPECTS",
    "HABITS",
    "Meaning",
    "TranslationAssessment",
    "TranslationWritingSettings",
    "assess",
    "draw_meaning",
    "make_tokenizer",
    "utility",
    "vocabulary",
    "write_translation",
]
