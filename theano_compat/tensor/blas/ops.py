"""The BLAS ops on matrices and vectors."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op, ParamsType
from theano_compat.gof.fg import InconsistencyError
from theano_compat.gof.graph import view_roots
from theano_compat.scalar import bool as bool_t
from theano_compat.tensor import basic as tb

_FLOATS = ("float16", "float32", "float64", "complex64", "complex128")


def _accumulate(target: np.ndarray, beta, product) -> np.ndarray:
    """Compute ``beta * target + product`` in place; a zero `beta` ignores what `target` holds."""
    if beta == 0:
        target[...] = product
    else:
        if beta != 1:
            target *= beta
        target += product
    return target


def _scaled(alpha, product):
    return product if alpha == 1 else alpha * product


def _check_inner(x: np.ndarray, y: np.ndarray) -> None:
    """Compare the inner extents of a matrix product."""
    if x.shape[1] != y.shape[0]:
        raise ValueError(
            f"Shape mismatch: x has {x.shape[1]} cols (and {x.shape[0]} rows)"
            f" but y has {y.shape[0]} rows (and {y.shape[1]} cols)"
        )


class Gemv(Op):
    """``beta * y + alpha * dot(A, x)`` for a matrix `A` and vectors `x` and `y`.

    Parameters
    ----------
    inplace
        Put the result where `y` was.

    Notes
    -----
    Inputs are ``y, alpha, A, x, beta``; all of one floating dtype.
    """

    __props__ = ("inplace",)

    def __init__(self, inplace):
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [0]}

    def __str__(self):
        return f"{type(self).__name__}{{{'inplace' if self.inplace else 'no_inplace'}}}"

    def make_node(self, y, alpha, A, x, beta):
        y, x, A, alpha, beta = (tb.as_tensor_variable(v) for v in (y, x, A, alpha, beta))
        if y.dtype != A.dtype or y.dtype != x.dtype:
            raise TypeError("Gemv requires matching dtypes", (y.dtype, A.dtype, x.dtype))
        if A.ndim != 2:
            raise TypeError("gemv requires matrix for A", A.type)
        if x.ndim != 1:
            raise TypeError("gemv requires vector for x", x.type)
        if y.ndim != 1:
            raise TypeError("gemv requires vector for y", y.type)
        return Apply(self, [y, alpha, A, x, beta], [y.type()])

    def perform(self, node, inputs, out_storage, params=None):
        y, alpha, A, x, beta = inputs
        if A.shape[0] != y.shape[0]:
            raise ValueError("Shape mismatch: A.shape[0] != y.shape[0]")
        if A.shape[1] != x.shape[0]:
            raise ValueError("Shape mismatch: A.shape[1] != x.shape[0]")
        out = y if self.inplace else np.array(y, copy=True)
        out_storage[0][0] = _accumulate(out, beta, _scaled(alpha, np.dot(A, x)))

    def infer_shape(self, node, input_shapes):
        return [input_shapes[0]]


class Ger(Op):
    """``A + alpha * outer(x, y)`` for a matrix `A` and vectors `x` and `y`.

    Parameters
    ----------
    destructive
        Put the result where `A` was.

    Notes
    -----
    Inputs are ``A, alpha, x, y``; all of one floating or complex dtype. Nothing is conjugated.
    """

    __props__ = ("destructive",)

    def __init__(self, destructive):
        self.destructive = destructive
        if destructive:
            self.destroy_map = {0: [0]}

    def __str__(self):
        word = "destructive" if self.destructive else "non-destructive"
        return f"{type(self).__name__}{{{word}}}"

    def make_node(self, A, alpha, x, y):
        A, y, x, alpha = (tb.as_tensor_variable(v) for v in (A, y, x, alpha))
        if not A.dtype == x.dtype == y.dtype == alpha.dtype:
            raise TypeError(
                "ger requires matching dtypes", (A.dtype, alpha.dtype, x.dtype, y.dtype)
            )
        if alpha.ndim != 0:
            raise TypeError("ger requires scalar alpha", alpha.type)
        if A.ndim != 2:
            raise TypeError("ger requires matrix for A", A.type)
        if x.ndim != 1:
            raise TypeError("ger requires vector for x", x.type)
        if y.ndim != 1:
            raise TypeError("ger requires vector for y", y.type)
        if x.dtype not in _FLOATS[1:]:
            raise TypeError("only float and complex types supported", x.dtype)
        return Apply(self, [A, alpha, x, y], [A.type()])

    def perform(self, node, inp, out, params=None):
        A, alpha, x, y = inp
        A = A if self.destructive else A.copy()
        A += np.outer(_scaled(alpha, x), y)
        out[0][0] = A

    def infer_shape(self, node, input_shapes):
        return [input_shapes[0]]


class GemmRelated(Op):
    """Parent of the ops that are one matrix product."""

    __props__ = ()


class Gemm(GemmRelated):
    """``b * z + a * dot(x, y)`` for matrices `x`, `y` and `z`.

    Parameters
    ----------
    inplace
        Put the result where `z` was.

    Notes
    -----
    Inputs are ``z, a, x, y, b``; all of one floating or complex dtype. What `z` holds is not read
    where `b` is zero.
    """

    E_rank = "gemm only works for rank 2"
    E_scalar = "gemm requires scalar argument"
    E_z_uniq = "argument z aliased to x or y"
    E_mixed = "gemm requires matching dtypes"
    E_float = "gemm requires floating-point dtypes"

    __props__ = ("inplace",)
    params_type = ParamsType(inplace=bool_t)

    def __init__(self, inplace):
        self.inplace = bool(inplace)
        if self.inplace:
            self.destroy_map = {0: [0]}

    def __str__(self):
        return f"{type(self).__name__}{{{'inplace' if self.inplace else 'no_inplace'}}}"

    def make_node(self, *inputs):
        inputs = [tb.as_tensor_variable(v) for v in inputs]
        if len(inputs) != 5:
            raise TypeError(
                f"Wrong number of inputs for {self} (expected 5, got {len(inputs)})"
            )
        z, a, x, y, b = inputs
        if self.inplace:
            roots = set(view_roots(z))
            for other in (x, y):
                if not roots.isdisjoint(view_roots(other)):
                    raise InconsistencyError(Gemm.E_z_uniq, (z, other))
        for matrix in (z, x, y):
            if matrix.ndim != 2:
                raise TypeError(Gemm.E_rank, matrix)
        for number in (a, b):
            if number.ndim != 0:
                raise TypeError(Gemm.E_scalar, number)
        dtypes = tuple(v.dtype for v in (z, a, x, y, b))
        if len(set(dtypes)) != 1:
            raise TypeError(Gemm.E_mixed, dtypes)
        if z.dtype not in _FLOATS:
            raise TypeError(Gemm.E_float, z.dtype)
        return Apply(self, inputs, [z.type()])

    def perform(self, node, inp, out, params=None):
        z, a, x, y, b = inp
        _check_inner(x, y)
        if x.shape[0] != z.shape[0]:
            raise ValueError(
                f"Shape mismatch: x has {x.shape[0]} rows but z has {z.shape[0]} rows"
            )
        if y.shape[1] != z.shape[1]:
            raise ValueError(
                f"Shape mismatch: y has {y.shape[1]} cols but z has {z.shape[1]} cols"
            )
        z = z if self.inplace else z.copy()
        out[0][0] = _accumulate(z, b, _scaled(a, np.dot(x, y)))

    def infer_shape(self, node, input_shapes):
        return [input_shapes[0]]


class Dot22(GemmRelated):
    """``dot(x, y)`` for two matrices of one floating or complex dtype."""

    def make_node(self, x, y):
        x, y = tb.as_tensor_variable(x), tb.as_tensor_variable(y)
        for matrix in (x, y):
            if matrix.type.ndim != 2 or matrix.type.dtype not in _FLOATS:
                raise TypeError(matrix)
        if y.type.dtype != x.type.dtype:
            raise TypeError("dtype mismatch to Dot22")
        pattern = (x.type.broadcastable[0], y.type.broadcastable[1])
        return Apply(self, [x, y], [tb.tensor(x.type.dtype, pattern)])

    def perform(self, node, inp, out):
        x, y = inp
        _check_inner(x, y)
        out[0][0] = np.asarray(np.dot(x, y))

    def infer_shape(self, node, input_shapes):
        return [[input_shapes[0][0], input_shapes[1][1]]]


class Dot22Scalar(GemmRelated):
    """``a * dot(x, y)`` for two matrices and a number of one floating or complex dtype."""

    def make_node(self, x, y, a):
        x, y, a = (tb.as_tensor_variable(v) for v in (x, y, a))
        if a.ndim != 0:
            raise TypeError(Gemm.E_scalar, a)
        for matrix in (x, y):
            if matrix.ndim != 2:
                raise TypeError(Gemm.E_rank, matrix)
        dtypes = (a.dtype, x.dtype, y.dtype)
        if len(set(dtypes)) != 1:
            raise TypeError("Dot22Scalar requires matching dtypes", dtypes)
        if a.dtype not in _FLOATS:
            raise TypeError("Dot22Scalar requires float or complex args", a.dtype)
        pattern = (x.type.broadcastable[0], y.type.broadcastable[1])
        return Apply(self, [x, y, a], [tb.tensor(x.type.dtype, pattern)])

    def perform(self, node, inp, out):
        x, y, scalar = inp
        _check_inner(x, y)
        out[0][0] = np.asarray(scalar * np.dot(x, y), dtype=x.dtype)

    def infer_shape(self, node, input_shapes):
        return [[input_shapes[0][0], input_shapes[1][1]]]


gemv_no_inplace = Gemv(inplace=False)
gemv_inplace = Gemv(inplace=True)
gemv = gemv_no_inplace

ger = Ger(destructive=False)
ger_destructive = Ger(destructive=True)

gemm_inplace = Gemm(inplace=True)
gemm_no_inplace = Gemm(inplace=False)
gemm = gemm_no_inplace

_dot22 = Dot22()
_dot22scalar = Dot22Scalar()
