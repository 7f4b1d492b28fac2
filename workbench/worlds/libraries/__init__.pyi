from .coder import PocketCoder as PocketCoder
from .library import Function as Function
from .library import Library as Library
from .library import invent_library as invent_library
from .operations import OPERATIONS as OPERATIONS
from .operations import Operation as Operation
from .problems import Benchmark as Benchmark
from .problems import draw_benchmark as draw_benchmark
from .wording import PocketTemplate as PocketTemplate

__all__ = [
    "OPERATIONS",
    "Benchmark",
    "Function",
    "Library",
    "Operation",
    "PocketCoder",
    "PocketTemplate",
    "draw_benchmark",
    "invent_library",
]
