"""Fresh libraries: an installed package under names that no model can have seen, with problems on it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
