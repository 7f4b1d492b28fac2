"""What a run is: settings, cached steps, results on disk, and the execution of notebooks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
