"""The report of a run, and of several side by side: pages that hold all they show."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
