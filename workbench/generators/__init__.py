"""Generators: what answers problems, be it a model, a file of answers, or a yardstick."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
