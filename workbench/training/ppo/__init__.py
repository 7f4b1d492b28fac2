"""PPO with dense token rewards: what it computes, as pure functions, and the trainer that uses them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
