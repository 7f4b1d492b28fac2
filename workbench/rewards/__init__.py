"""Rewards: one protocol for whole answers and parts of them, their hierarchy, and what they are good for."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
