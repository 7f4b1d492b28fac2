"""Widgets for notebooks: what is behind a run's numbers, one example at a time."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
