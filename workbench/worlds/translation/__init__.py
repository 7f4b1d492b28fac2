"""The world of translation: Spanish sentences, their exact English, and any translation's worth, exactly known."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
