from .classes import classes_around as classes_around
from .coding import Damaged as Damaged
from .coding import Unstorable as Unstorable
from .coding import decode as decode
from .coding import encode as encode
from .keeping import stored as stored

__all__ = ["Damaged", "Unstorable", "classes_around", "decode", "encode", "stored"]
