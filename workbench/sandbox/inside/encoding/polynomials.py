"""numpy's polynomials: a class of a closed list, and its coefficients."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import an_array

__all__ = ["DECODERS", "encoders"]


def encoders() -> dict[type, Callable]:
    """Return the encoders of numpy's polynomials, old and new."""
    numpy = sys.modules["numpy"]
    table: dict[type, Callable] = dict.fromkeys(_polynomials(numpy).values(), _series)
    table[numpy.poly1d] = lambda value, out: ["poly1d", value.variable, [out.child(value.coeffs)]]
    return table


def _series(value: Any, out: Any) -> list:
    parts = [value.coef, value.domain, value.window]
    symbol = getattr(value, "symbol", "x")
    return ["polynomial", [type(value).__name__, symbol], out.children(parts)]


def _polynomials(numpy: Any) -> dict[str, type]:
    names = ("Polynomial", "Chebyshev", "Legendre", "Hermite", "HermiteE", "Laguerre")
    return {name: getattr(numpy.polynomial, name) for name in names}


def _decode_polynomial(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    name, symbol = checked.a_list(meta, 2)
    kinds = _polynomials(numpy)
    coefficients, domain, window = (an_array(part, dimensions=1) for part in parts)
    made = kinds[checked.one_of(name, kinds)](coefficients, domain=domain, window=window)
    if symbol != "x":
        made._symbol = checked.text(symbol)
    return made


def _decode_poly1d(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    return numpy.poly1d(an_array(parts[0], dimensions=1), variable=checked.text(meta))


DECODERS: dict[str, Callable] = {"polynomial": _decode_polynomial, "poly1d": _decode_poly1d}
