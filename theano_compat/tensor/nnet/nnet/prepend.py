"""A column put in front of a matrix, of one constant or symbolic value."""
from __future__ import annotations

import numpy as np

from theano_compat import gof, scalar
from theano_compat.gof import Apply
from theano_compat.tensor import basic as tensor


def _matrix(mat):
    mat = tensor.as_tensor_variable(mat)
    if mat.type.broadcastable != (False, False):
        raise TypeError("Expected a matrix as input")
    return mat


def _prepended(value, mat):
    out = np.empty((mat.shape[0], mat.shape[1] + 1), dtype=mat.dtype)
    out[:, 0] = value
    out[:, 1:] = mat
    return out


class Prepend_scalar_constant_to_each_row(gof.Op):
    """Put a column filled with one constant in front of a matrix (n, k), giving (n, k + 1)."""

    __props__ = ()

    def __init__(self, val=0):
        if isinstance(val, float):
            val = scalar.constant(val)
        self.val = val

    def __str__(self):
        return f"{self.__class__.__name__}{{{self.val}}}"

    def __eq__(self, other):
        return type(self) is type(other) and self._value() == other._value()

    def __hash__(self):
        return hash((type(self), self._value()))

    def _value(self):
        return getattr(self.val, "data", self.val)

    def make_node(self, mat):
        mat = _matrix(mat)
        return Apply(self, [mat], [mat.type()])

    def perform(self, node, inp, out):
        out[0][0] = _prepended(self._value(), inp[0])

    def infer_shape(self, node, in_shapes):
        (shape,) = in_shapes
        return [(shape[0], shape[1] + 1)]

    def grad(self, inp, grads):
        return [grads[0][:, 1:]]


class Prepend_scalar_to_each_row(gof.Op):
    """Put a column filled with a symbolic scalar in front of a matrix (n, k), giving (n, k + 1)."""

    __props__ = ()

    def make_node(self, val, mat):
        val = tensor.as_tensor_variable(val)
        if isinstance(val.type, scalar.Scalar):
            val = tensor.tensor_from_scalar(val)
        mat = _matrix(mat)
        if val.type.ndim != 0:
            raise AssertionError(f"val must be a scalar, got {val.type}")
        return Apply(self, [val, mat], [mat.type()])

    def perform(self, node, inp, out):
        out[0][0] = _prepended(inp[0], inp[1])

    def infer_shape(self, node, in_shapes):
        shape = in_shapes[1]
        return [(shape[0], shape[1] + 1)]

    def grad(self, inp, grads):
        (gz,) = grads
        return gz[:, 0].sum(), gz[:, 1:]


prepend_scalar_to_each_row = Prepend_scalar_to_each_row()
prepend_0_to_each_row = Prepend_scalar_constant_to_each_row(0.0)
prepend_1_to_each_row = Prepend_scalar_constant_to_each_row(1.0)
