"""The world of passages: short texts about people, questions on them, and answers whose worth is exactly known."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
