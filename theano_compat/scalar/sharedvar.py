"""Shared variables that hold one number as a `Scalar`, not as a 0-d tensor."""
from __future__ import annotations

import numpy as np

from theano_compat.compile.sharedvalue import SharedVariable
from theano_compat.scalar.type import Scalar
from theano_compat.scalar.variables import _scalar_py_operators

integer_types = (int, np.integer)


class ScalarSharedVariable(_scalar_py_operators, SharedVariable):
    """Shared variable of type `Scalar`."""


def shared(value, name=None, strict=False, allow_downcast=None):
    """Make a scalar shared variable.

    Parameters
    ----------
    value : number
        Its dtype is that of the variable; a Python number has NumPy's.
    name : str, optional
    strict, allow_downcast : bool
        How later values are converted, see `Scalar.filter`.

    Returns
    -------
    ScalarSharedVariable

    Raises
    ------
    TypeError
        `value` is no number.

    Notes
    -----
    `theano_compat.shared` does not use this constructor: it makes 0-d tensors.
    """
    if not isinstance(value, (np.generic, float, int, complex)):
        raise TypeError(f"A scalar shared variable needs a number, got {type(value)}.")
    dtype = getattr(value, "dtype", np.asarray(value).dtype)
    type_ = Scalar(str(dtype))
    return ScalarSharedVariable(
        type=type_,
        value=type_.filter(value, allow_downcast=True),
        name=name,
        strict=strict,
        allow_downcast=allow_downcast,
    )
