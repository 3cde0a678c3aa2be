"""Arrays of a dtype, aligned."""

from __future__ import annotations

from typing import Any

import numpy as np


def _asarray(a: Any, dtype: Any, order: str | None = None) -> np.ndarray:
    """``numpy.asarray`` whose result really has the canonical form of `dtype`.

    Parameters
    ----------
    a : array_like
        The values.
    dtype : dtype or str
        ``'floatX'`` stands for the configured one.
    order : {'C', 'F'}, optional
        The layout.
    """
    if isinstance(dtype, str) and dtype == "floatX":
        from theano_compat import config

        dtype = config.floatX
    wanted = np.dtype(dtype)
    result = np.asarray(a, dtype=wanted, order=order)
    # Platforms have two integer types of one size: give the one that was asked for.
    if result.dtype.num != wanted.num and result.dtype.str == wanted.str:
        return result.view(dtype=wanted)
    return result
