"""Names of element types: the lists, what promotes to what, and each one's C spelling."""
from __future__ import annotations

from functools import cache

import numpy as np

from theano_compat import config

BOOL = ("bool",)
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
DISCRETE = BOOL + SIGNED + UNSIGNED
ALL = DISCRETE + FLOATS + COMPLEX

#: dtype name -> (C99 type of a value in an expression, NumPy C-API type name, NumPy enum suffix).
#: A float16 value is a ``float`` while it is computed with; it is rounded where it is stored.
C_NAMES = {
    "bool": ("uint8_t", "npy_bool", "Bool"),
    "int8": ("int8_t", "npy_int8", "Int8"),
    "int16": ("int16_t", "npy_int16", "Int16"),
    "int32": ("int32_t", "npy_int32", "Int32"),
    "int64": ("int64_t", "npy_int64", "Int64"),
    "uint8": ("uint8_t", "npy_uint8", "UInt8"),
    "uint16": ("uint16_t", "npy_uint16", "UInt16"),
    "uint32": ("uint32_t", "npy_uint32", "UInt32"),
    "uint64": ("uint64_t", "npy_uint64", "UInt64"),
    "float16": ("float", "npy_float16", "Float16"),
    "float32": ("float", "npy_float32", "Float32"),
    "float64": ("double", "npy_float64", "Float64"),
    "complex64": ("float _Complex", "theano_complex64", "Complex64"),
    "complex128": ("double _Complex", "theano_complex128", "Complex128"),
}

NUMPY_TYPES = {name: np.dtype(name).type for name in ALL}

_CODES = {name: i for i, name in enumerate(ALL)}


@cache
def _promote(dtypes: tuple, keep_float32: bool) -> str:
    """Promote `dtypes`; `keep_float32` says that float64 may not come out of integers and float32."""
    result = dtypes[0]
    for other in dtypes[1:]:
        result = np.promote_types(result, other).name
    if result == "float64" and keep_float32 and "float64" not in dtypes and "float32" in dtypes:
        return "float32"
    return result


def upcast(dtype: str, *dtypes: str) -> str:
    """Give the smallest dtype that holds values of all the given ones.

    Parameters
    ----------
    dtype, *dtypes : str
        Names such as ``'int8'``.

    Returns
    -------
    str
        The name of the promoted dtype. With ``config.cast_policy='numpy+floatX'`` and
        ``config.floatX='float32'``, integers mixed with float32 stay float32.
    """
    names = (str(dtype),) + tuple(map(str, dtypes))
    keep = config.cast_policy == "numpy+floatX" and config.floatX == "float32"
    return _promote(names, keep)
