"""Languages that models write programs in, each a small adapter: how a program is run, where it went wrong."""

from workbench.languages.language import ErrorLocation, Language
from workbench.languages.registry import LANGUAGES, find_language

__all__ = ["LANGUAGES", "ErrorLocation", "Language", "find_language"]
