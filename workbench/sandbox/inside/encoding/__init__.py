"""Values as data: a closed typed encoding that a process may read without trusting who wrote it.

It runs in the interpreter of any runtime, with the standard library and whatever libraries that runtime has.
"""

from .checked import ForbiddenResult
from .decoder import Decoder, decode
from .encoder import Encoder, encode, warm

__all__ = ["Decoder", "Encoder", "ForbiddenResult", "decode", "encode", "warm"]
