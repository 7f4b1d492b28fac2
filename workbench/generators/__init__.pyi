from .answer import Answer as Answer
from .answer import Generator as Generator
from .answers import extract_answer as extract_answer
from .registry import GENERATOR_KINDS as GENERATOR_KINDS
from .registry import make_generator as make_generator
from .resume import ResumableGenerator as ResumableGenerator
from .settings import GenerationSettings as GenerationSettings

__all__ = [
    "GENERATOR_KINDS",
    "Answer",
    "GenerationSettings",
    "Generator",
    "ResumableGenerator",
    "extract_answer",
    "make_generator",
]
