"""Values on disk as data: what a step or a job returns is written so that reading it runs nothing of the file's."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
