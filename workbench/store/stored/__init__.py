"""Values on disk as data: what a step or a job returns is written so that reading it runs nothing of the file's."""

from workbench.store.stored.classes import classes_around
from workbench.store.stored.coding import Damaged, Unstorable, decode, encode
from workbench.store.stored.keeping import stored

__all__ = ["Damaged", "Unstorable", "classes_around", "decode", "encode", "stored"]
