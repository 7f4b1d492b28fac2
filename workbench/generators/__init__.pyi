from .answer import Answer as Answer
from .answer import Generator as Generator
from .answers import extract_answer as extract_answer
from .completion import Completion as Completion
from .completion import Prompt as Prompt
from .completion import TextGenerator as TextGenerator
from .registry import GENERATOR_KINDS as GENERATOR_KINDS
from .registry import make_generator as make_generator
from .resume import ResumableGenerator as ResumableGenerator
from .settings import GenerationSettings as GenerationSettings
from .texts import make_text_generator as make_text_generator

__all__ = [
    "GENERATOR_KINDS",
    "Answer",
    "Completion",
    "GenerationSettings",
    "Generator",
    "Prompt",
    "ResumableGenerator",
    "TextGenerator",
    "extract_answer",
    "make_generator",
    "make_text_generator",
]
