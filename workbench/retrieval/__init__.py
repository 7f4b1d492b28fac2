"""Retrieval for code generation: a soup of knowledge that grows, retrievers over it, and the active loop."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
