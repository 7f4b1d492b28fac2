"""Training: the losses of the papers, as pure functions, and reward models trained by them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
