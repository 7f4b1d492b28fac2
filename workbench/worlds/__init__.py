"""Worlds: small tasks whose truth is known exactly, with tiny models that live in them."""
