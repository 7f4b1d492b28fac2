"""Fictional libraries whose documentation is all that tells how to use them, and a tiny code model that reads it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
