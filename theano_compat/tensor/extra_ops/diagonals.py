"""Filling the diagonals of matrices."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op
from theano_compat.gradient import grad_undefined
from theano_compat.tensor import basic as tb


def _check_value(name: str, a, val):
    """Bring the value to the dtype of the tensor, or say why that cannot be."""
    if val.ndim != 0:
        raise TypeError(f"{name}: second parameter must be a scalar")
    val = tb.cast(val, dtype=scal.upcast(a.dtype, val.dtype))
    if val.dtype != a.dtype:
        raise TypeError(f"{name}: type of second parameter must be the same as the first's")
    return val


class FillDiagonal(Op):
    """Copy a tensor with its main diagonal replaced by a number.

    Notes
    -----
    Tensors of more than two dimensions must have all extents equal. The gradient is there for
    matrices.
    """

    __props__ = ()

    def make_node(self, a, val):
        a, val = tb.as_tensor_variable(a), tb.as_tensor_variable(val)
        if a.ndim < 2:
            raise TypeError(
                f"{type(self).__name__}: first parameter must have at least two dimensions"
            )
        val = _check_value(type(self).__name__, a, val)
        return Apply(self, [a, val], [a.type()])

    def perform(self, node, inputs, output_storage):
        a, val = inputs
        a = a.copy()
        if a.ndim == 2:
            count = min(a.shape)
            a[np.arange(count), np.arange(count)] = val.item()
        else:
            np.fill_diagonal(a, val.item())
        output_storage[0][0] = a

    def infer_shape(self, node, in_shapes):
        return [in_shapes[0]]

    def grad(self, inp, cost_grad):
        a, val = inp
        (g,) = cost_grad
        if a.dtype in tb.complex_dtypes:
            return [None, None]
        if a.ndim > 2:
            raise NotImplementedError(
                f"{type(self).__name__}: gradient is currently implemented for matrices only"
            )
        return [fill_diagonal(g, 0), tb.diag(g).sum()]


fill_diagonal_ = FillDiagonal()


def fill_diagonal(a, val):
    """Return a copy of a tensor with its main diagonal replaced by a number.

    Parameters
    ----------
    a : tensor of at least two dimensions
        If more than two, all of one extent.
    val : scalar
        Of a dtype that does not widen that of `a`.

    Returns
    -------
    tensor variable
        Of the type of `a`. Of a tall matrix only the first square is touched.
    """
    return fill_diagonal_(a, val)


class FillDiagonalOffset(Op):
    """Copy a matrix with the diagonal at an offset replaced by a number."""

    __props__ = ()

    def make_node(self, a, val, offset):
        a, val, offset = (tb.as_tensor_variable(v) for v in (a, val, offset))
        name = type(self).__name__
        if a.ndim != 2:
            raise TypeError(f"{name}: first parameter must have exactly two dimensions")
        if val.ndim != 0:
            raise TypeError(f"{name}: second parameter must be a scalar")
        if offset.ndim != 0:
            raise TypeError(f"{name}: third parameter must be a scalar")
        val = _check_value(name, a, val)
        if offset.dtype not in tb.integer_dtypes:
            raise TypeError(
                f"{name}: type of third parameter must be as integer"
                " use theano.tensor.cast( input, 'int32/int64')"
            )
        return Apply(self, [a, val, offset], [a.type()])

    def perform(self, node, inputs, output_storage):
        a, val, offset = inputs
        a = a.copy()
        height, width = a.shape
        down, right = max(-int(offset), 0), max(int(offset), 0)
        places = np.arange(max(min(height - down, width - right), 0))
        a[places + down, places + right] = val.item()
        output_storage[0][0] = a

    def infer_shape(self, node, in_shapes):
        return [in_shapes[0]]

    def grad(self, inp, cost_grad):
        a, val, offset = inp
        (g,) = cost_grad
        if a.dtype in tb.complex_dtypes:
            return [None, None, None]
        height, width = g.shape[0], g.shape[1]
        down, right = tb.maximum(-offset, 0), tb.maximum(offset, 0)
        places = tb.arange(tb.maximum(tb.minimum(height - down, width - right), 0))
        return [
            fill_diagonal_offset(g, 0, offset),
            g[places + down, places + right].sum(),
            grad_undefined(
                self,
                2,
                offset,
                "offset is not defined for non-integer offset so"
                " fill_diagonal_offset(a,val,offset+eps) is undefined",
            ),
        ]


fill_diagonal_offset_ = FillDiagonalOffset()


def fill_diagonal_offset(a, val, offset):
    """Return a copy of a matrix with one of its diagonals replaced by a number.

    Parameters
    ----------
    a : matrix
    val : scalar
        Of a dtype that does not widen that of `a`.
    offset : integer scalar
        How far the diagonal lies to the right of the main one; negative to the left.

    Returns
    -------
    matrix
        Of the type of `a`.
    """
    return fill_diagonal_offset_(a, val, offset)
