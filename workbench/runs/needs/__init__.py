"""What a run needs, looked for before anything is trained: data, models, packages, programs, keys, memory."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
