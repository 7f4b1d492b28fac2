"""Problems in the DS-1000 format whose results are objects of every family that a user's problem may return."""

from sandbox_families.arrays import ARRAYS
from sandbox_families.estimators import ESTIMATORS
from sandbox_families.form import Problem
from sandbox_families.frames import FRAMES
from sandbox_families.pictures import PICTURES
from sandbox_families.plain import PLAIN
from sandbox_families.scientific import SCIENTIFIC
from sandbox_families.tables import TABLES
from sandbox_families.tensorflow import TENSORFLOW
from sandbox_families.tensors import TENSORS

__all__ = ["FAMILIES", "Problem"]

FAMILIES: dict[str, tuple[Problem, ...]] = {
    "plain": PLAIN,
    "arrays": ARRAYS,
    "frames": FRAMES,
    "scientific": SCIENTIFIC,
    "estimators": ESTIMATORS,
    "pictures": PICTURES,
    "tables": TABLES,
    "tensors": TENSORS,
    "tensorflow": TENSORFLOW,
}
"""Problems by the library that they are about: those of one family share a warm process."""
