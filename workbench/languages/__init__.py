"""Languages that models write programs in, each a small adapter: how a program is run, where it went wrong."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
