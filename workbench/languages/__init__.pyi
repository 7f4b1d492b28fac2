from .language import ErrorLocation as ErrorLocation
from .language import Language as Language
from .registry import LANGUAGES as LANGUAGES
from .registry import find_language as find_language

__all__ = ["LANGUAGES", "ErrorLocation", "Language", "find_language"]
