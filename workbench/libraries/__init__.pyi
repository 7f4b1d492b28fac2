from .checking import LibraryCheck as LibraryCheck
from .checking import check_library as check_library
from .library import FreshLibrary as FreshLibrary
from .library import load_library as load_library
from .library import make_library as make_library
from .problems import NotRewritten as NotRewritten
from .problems import rewrite_problem as rewrite_problem

__all__ = [
    "FreshLibrary",
    "LibraryCheck",
    "NotRewritten",
    "check_library",
    "load_library",
    "make_library",
    "rewrite_problem",
]
