"""C names and literals of dtypes."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

__all__ = ["COMPLEX", "FLOATS", "INTS", "compute_type", "is_supported", "itemsize", "literal", "storage_type"]

_STORAGE = {
    "bool": "uint8_t",
    "int8": "int8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "uint8": "uint8_t",
    "uint16": "uint16_t",
    "uint32": "uint32_t",
    "uint64": "uint64_t",
    "float16": "uint16_t",
    "float32": "float",
    "float64": "double",
    "complex64": "float _Complex",
    "complex128": "double _Complex",
}
INTS = tuple(n for n in _STORAGE if n.startswith(("int", "uint")))
FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")


def is_supported(dtype: str) -> bool:
    """Tell whether values of `dtype` can live in generated code."""
    return dtype in _STORAGE


def storage_type(dtype: str) -> str:
    """C type of one element in memory; float16 is kept as its bits."""
    return _STORAGE[dtype]


def compute_type(dtype: str) -> str:
    """C type in which a loaded element is computed with."""
    return "float" if dtype == "float16" else _STORAGE[dtype]


@cache
def itemsize(dtype: str) -> int:
    """Bytes of one element."""
    return np.dtype(dtype).itemsize


def _float_literal(x: float, single: bool) -> str:
    ctype = "float" if single else "double"
    if math.isnan(x):
        return f"(({ctype})NAN)"
    if math.isinf(x):
        return f"(({ctype}){'-' if x < 0 else ''}INFINITY)"
    if x == int(x) and abs(x) < 1e6:
        text = f"{x:.1f}"
    else:
        text = float(x).hex()
    text += "f" if single else ""
    return f"({text})" if text.startswith("-") else text


def literal(value, dtype: str) -> str:
    """Return one element as an exact C expression of type `compute_type`.

    Examples
    --------
    >>> literal(0.1, "float64")
    '0x1.999999999999ap-4'
    >>> literal(-3, "int32")
    '((int32_t)-3)'
    """
    if dtype == "bool":
        return "((uint8_t)1)" if value else "((uint8_t)0)"
    if dtype in FLOATS:
        if dtype == "float16":
            value = np.float16(value)
        return _float_literal(float(value), dtype != "float64")
    if dtype in COMPLEX:
        single = dtype == "complex64"
        z = complex(value)
        return (
            f"({'CMPLXF' if single else 'CMPLX'}({_float_literal(z.real, single)}, {_float_literal(z.imag, single)}))"
        )
    n = int(value)
    if dtype == "int64":
        if n == -(2**63):
            return "(-INT64_C(9223372036854775807) - 1)"
        return f"INT64_C({n})" if n >= 0 else f"(-INT64_C({-n}))"
    if dtype == "uint64":
        return f"UINT64_C({n})"
    if dtype == "uint32":
        return f"((uint32_t){n}u)"
    if dtype == "int32" and n == -(2**31):
        return "((int32_t)(-2147483647 - 1))"
    return f"(({_STORAGE[dtype]}){n})"
