"""Shared variables that hold SciPy sparse matrices."""

from __future__ import annotations

import copy

from theano_compat.compile import SharedVariable, shared_constructor
from theano_compat.sparse.type import SparseType, issparse
from theano_compat.sparse.variables import _sparse_py_operators

__all__ = ["SparseTensorSharedVariable", "sparse_constructor"]


class SparseTensorSharedVariable(_sparse_py_operators, SharedVariable):
    """A shared variable whose value is a sparse matrix."""

    dtype = property(lambda self: self.type.dtype)
    format = property(lambda self: self.type.format)


@shared_constructor
def sparse_constructor(value, name=None, strict=False, allow_downcast=None, borrow=False, format=None):
    """A shared variable for a SciPy sparse matrix.

    Parameters
    ----------
    value : scipy.sparse matrix
        The first value, copied unless `borrow`.
    name : str, optional
        The variable's name.
    strict, allow_downcast : bool
        Whether later values are converted, and whether that may lose precision.
    borrow : bool
        Keep `value` itself.
    format : {'csr', 'csc', 'bsr'}, optional
        Of the stored matrix; that of `value` by default.

    Raises
    ------
    TypeError
        `value` is no sparse matrix.
    """
    if not issparse(value):
        raise TypeError("Expected a sparse matrix in the sparse shared variable constructor. Received: ", value.__class__)
    if format is None:
        format = value.format
    elif format != value.format:
        value = value.asformat(format)
    type_ = SparseType(format=format, dtype=value.dtype)
    if not borrow:
        value = copy.deepcopy(value)
    return SparseTensorSharedVariable(type=type_, value=value, name=name, strict=strict, allow_downcast=allow_downcast)
