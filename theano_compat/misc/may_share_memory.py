"""Whether two values of any array type overlap in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["may_share_memory"]


def _is_sparse(value: Any) -> bool:
    return type(value).__module__.startswith("scipy.sparse") and hasattr(value, "data")


def may_share_memory(a: Any, b: Any, raise_other_type: bool = True) -> bool:
    """Whether `a` and `b` may overlap.

    Parameters
    ----------
    a, b : ndarray or sparse matrix
        The values.
    raise_other_type : bool
        Raise for values of other types; without it they do not overlap.

    Raises
    ------
    TypeError
        A value is neither.
    """
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.may_share_memory(a, b)
    sparse = _is_sparse(a), _is_sparse(b)
    if any(sparse) and all(s or isinstance(v, np.ndarray) for s, v in zip(sparse, (a, b))):
        from theano_compat.sparse.type import SparseType

        return SparseType.may_share_memory(a, b)
    if raise_other_type:
        raise TypeError(f"may_share_memory support only ndarray and scipy.sparse or GpuArray type, not {type(a)}, {type(b)}")
    return False
