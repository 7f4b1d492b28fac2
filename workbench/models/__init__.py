"""Models: load any causal language model, adapt it, and make a reward model of it that stays a policy."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
