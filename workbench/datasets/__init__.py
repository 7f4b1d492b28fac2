"""Data sets: DS-1000, our own suite, preference pairs, QA-Feedback, and the door to the Hub."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
