"""Shared variables that hold arrays and numbers."""

from __future__ import annotations

import numpy as np

from theano_compat.compile.sharedvalue import SharedVariable, shared_constructor
from theano_compat.tensor.type import TensorType
from theano_compat.tensor.var import _tensor_py_operators

integer_types = (int, np.integer)


def load_shared_variable(val):
    """Return a shared variable with the value `val`: pickles of early versions call this."""
    return tensor_constructor(val)


class TensorSharedVariable(_tensor_py_operators, SharedVariable):
    """A shared variable whose value is an array."""


@shared_constructor
def tensor_constructor(
    value, name=None, strict=False, allow_downcast=None, borrow=False, broadcastable=None, target="cpu"
):
    """Return a shared variable for an array.

    Parameters
    ----------
    value : numpy.ndarray
    name : str, optional
    strict, allow_downcast
        How later values are converted; see `theano_compat.shared`.
    borrow : bool
        Use `value` itself, not a copy.
    broadcastable : sequence of bool, optional
        By default no dimension is broadcastable, since a later value may have other lengths.
    target : {'cpu'}

    Returns
    -------
    TensorSharedVariable

    Raises
    ------
    TypeError
        If `value` is no array of numbers, or is meant for another device: another constructor may take it.
    """
    if target != "cpu":
        raise TypeError("not for cpu")
    if not isinstance(value, np.ndarray):
        raise TypeError()
    if broadcastable is None:
        broadcastable = (False,) * value.ndim
    return TensorSharedVariable(
        type=TensorType(value.dtype, broadcastable=broadcastable),
        value=np.asarray(value) if borrow else np.array(value, copy=True, subok=False),
        name=name,
        strict=strict,
        allow_downcast=allow_downcast,
    )


class ScalarSharedVariable(_tensor_py_operators, SharedVariable):
    """A shared variable whose value is an array of no dimensions."""


@shared_constructor
def scalar_constructor(value, name=None, strict=False, allow_downcast=None, borrow=False, target="cpu"):
    """Return a shared variable for a number, of its own dtype (int64, float64 or complex128 for Python's).

    Raises
    ------
    TypeError
        If `value` is no number, or is meant for another device.
    """
    if target != "cpu":
        raise TypeError("not for cpu")
    if not isinstance(value, (np.number, np.bool_, float, int, complex)):
        raise TypeError()
    # NumPy's default for Python integers depends on the platform; graphs must not
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        dtype = "bool" if isinstance(value, bool) else np.asarray(value).dtype
        dtype = "int64" if np.dtype(dtype).kind == "i" else dtype
    kind = TensorType(dtype=str(np.dtype(dtype)), broadcastable=())
    return ScalarSharedVariable(
        type=kind,
        value=np.array(value, copy=True, dtype=kind.dtype),
        name=name,
        strict=strict,
        allow_downcast=allow_downcast,
    )


__all__ = [
    "ScalarSharedVariable", "SharedVariable", "TensorSharedVariable", "load_shared_variable",
    "scalar_constructor", "tensor_constructor",
]  # fmt: skip
