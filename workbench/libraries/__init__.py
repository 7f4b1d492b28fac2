"""Fresh libraries: an installed package under names that no model can have seen, with problems on it."""

from workbench.libraries.checking import LibraryCheck, check_library
from workbench.libraries.library import FreshLibrary, load_library, make_library
from workbench.libraries.problems import NotRewritten, rewrite_problem

__all__ = [
    "FreshLibrary",
    "LibraryCheck",
    "NotRewritten",
    "check_library",
    "load_library",
    "make_library",
    "rewrite_problem",
]
