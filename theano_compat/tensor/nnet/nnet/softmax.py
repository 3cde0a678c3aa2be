"""Row-wise softmax and log-softmax, and the gradient of the softmax."""
from __future__ import annotations

import warnings

import numpy as np

from theano_compat import gof
from theano_compat.gof import Apply
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as tensor

_VECTOR_WARNING = (
    "DEPRECATION: If x is a vector, {} will not automatically pad x anymore in next releases. If you need it, please do "
    "it manually. The vector case is gonna be supported soon and the output will be a vector.")


def stable_softmax(x: np.ndarray) -> np.ndarray:
    """Softmax of the rows of a NumPy matrix, in its dtype (half precision is computed in single)."""
    wide = x.astype("float32") if x.dtype == np.float16 else x
    if wide.shape[1] == 0:
        return x.copy()
    e = np.exp(wide - wide.max(axis=1, keepdims=True))
    e /= e.sum(axis=1, keepdims=True)
    return e.astype(x.dtype, copy=False)


def stable_log_softmax(x: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax of the rows of a NumPy matrix, in its dtype."""
    wide = x.astype("float32") if x.dtype == np.float16 else x
    if wide.shape[1] == 0:
        return x.copy()
    shifted = wide - wide.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted.astype(x.dtype, copy=False)


def is_float_matrix(v) -> bool:
    """True where `v` is a symbolic float matrix."""
    return v.type.ndim == 2 and v.type.dtype in tensor.float_dtypes


def is_float_vector(v) -> bool:
    """True where `v` is a symbolic float vector."""
    return v.type.ndim == 1 and v.type.dtype in tensor.float_dtypes


def _rows_of_floats(x, who):
    """`x` as a float matrix; a vector becomes a matrix of one row, with a warning."""
    x = tensor.as_tensor_variable(x)
    if x.type.ndim not in (1, 2) or x.type.dtype not in tensor.float_dtypes:
        raise ValueError(f"x must be 1-d or 2-d tensor of floats. Got {x.type}")
    if x.ndim == 1:
        warnings.warn(_VECTOR_WARNING.format(who), stacklevel=5)
        x = tensor.shape_padleft(x, n_ones=1)
    return x


class SoftmaxWithBias(gof.Op):
    """Softmax of the rows of ``x + b``.

    Parameters of the apply node: a float matrix ``(n, k)`` and a float vector ``(k,)``; the result has the type of the
    matrix.
    """

    nin = 2
    nout = 1
    __props__ = ()

    def make_node(self, x, b):
        x, b = map(tensor.as_tensor_variable, (x, b))
        for variable, rank, holds in ((x, 2, is_float_matrix(x)), (b, 1, is_float_vector(b))):
            if not holds:
                raise ValueError(f"{'x' if variable is x else 'b'} must be {rank}-d tensor of floats")
        return Apply(self, [x, b], [x.type()])

    def perform(self, node, input_storage, output_storage):
        x, b = input_storage
        if b.shape[0] != x.shape[1]:
            raise ValueError("b must have same number of columns as x",
                             f"x.shape={x.shape}, b.shape={b.shape}")
        output_storage[0][0] = stable_softmax(x + b).astype(x.dtype, copy=False)

    def L_op(self, inp, outputs, grads):
        (g_sm,) = grads
        if isinstance(g_sm.type, DisconnectedType):
            return [DisconnectedType()(), DisconnectedType()()]
        dx = softmax_grad(g_sm, outputs[0])
        return dx, tensor.sum(dx, axis=0)

    def infer_shape(self, node, shape):
        return [shape[0]]


class SoftmaxGrad(gof.Op):
    r"""Gradient of the softmax with respect to its input.

    Notes
    -----
    :math:`dx_{ij} = s_{ij} (dy_{ij} - \sum_k dy_{ik} s_{ik})` from the outer gradient `dy` and the softmax `sm`.
    """

    nin = 2
    nout = 1
    __props__ = ()

    def make_node(self, dy, sm):
        dy = tensor.as_tensor_variable(dy)
        if dy.type.ndim not in (1, 2) or dy.type.dtype not in tensor.float_dtypes:
            raise ValueError("dy must be 1-d or 2-d tensor of floats. Got ", dy.type)
        sm = tensor.as_tensor_variable(sm)
        # A vector is one row.
        dy, sm = (v.dimshuffle("x", 0) if v.ndim == 1 else v for v in (dy, sm))
        return Apply(self, [dy, sm], [sm.type()])

    def perform(self, node, input_storage, output_storage):
        dy, sm = input_storage
        dx = dy * sm
        dx -= dx.sum(axis=1, keepdims=True) * sm
        output_storage[0][0] = dx.astype(sm.dtype, copy=False)

    def grad(self, inp, grads):
        dy, sm = inp
        (g,) = grads
        centred = g + tensor.neg(tensor.sum(g * sm, axis=1).dimshuffle((0, "x")))
        g_dy = centred * sm
        weight = tensor.sum(dy * sm, axis=1).dimshuffle((0, "x"))
        g_sm = centred * dy - g * weight
        return g_dy, g_sm

    def infer_shape(self, node, shape):
        return [shape[1]]


class Softmax(gof.Op):
    r"""Softmax of each row of a matrix.

    Notes
    -----
    :math:`s_{ij} = e^{x_{ij}} / \sum_k e^{x_{ik}}`, computed after the row's maximum is subtracted.
    """

    nin = 1
    nout = 1
    __props__ = ()

    def make_node(self, x):
        x = _rows_of_floats(x, "Softmax")
        return Apply(self, [x], [x.type()])

    def perform(self, node, input_storage, output_storage):
        output_storage[0][0] = stable_softmax(input_storage[0])

    def L_op(self, inputs, outputs, output_grads):
        return [softmax_grad(*output_grads, *outputs)]

    def R_op(self, inputs, eval_points):
        # The Jacobian is symmetric, so the R-op is the L-op.
        (v,) = eval_points
        return [None if v is None else softmax_grad(v, self(*inputs))]

    def infer_shape(self, node, shape):
        return shape


class LogSoftmax(gof.Op):
    r"""Logarithm of the softmax of each row of a matrix.

    Notes
    -----
    :math:`\ell_{ij} = x_{ij} - \log \sum_k e^{x_{ik}}`, computed after the row's maximum is subtracted, so that no
    probability is ever rounded to zero before its logarithm is taken.
    """

    nin = 1
    nout = 1
    __props__ = ()

    def make_node(self, x):
        x = _rows_of_floats(x, "LogSoftmax")
        return Apply(self, [x], [x.type()])

    def perform(self, node, input_storage, output_storage):
        output_storage[0][0] = stable_log_softmax(input_storage[0])

    def grad(self, inp, grads):
        (x,) = inp
        (gz,) = grads
        sm = softmax_op(x)
        return [gz - tensor.sum(gz, axis=1, keepdims=True) * sm]

    def R_op(self, inputs, eval_points):
        if None in eval_points:
            return [None]
        (x,) = inputs
        (v,) = eval_points
        sm = softmax_op(x)
        return [v - tensor.sum(v * sm, axis=1, keepdims=True)]

    def infer_shape(self, node, shape):
        return shape


softmax_with_bias = SoftmaxWithBias()
softmax_grad = SoftmaxGrad()
softmax_op = Softmax()
logsoftmax_op = LogSoftmax()


def softmax(c):
    """Softmax of each row.

    Parameters
    ----------
    c : float matrix, shape (n, k)
        A vector is taken as one row, with a warning.

    Returns
    -------
    float matrix, shape (n, k)
        Rows that sum to one.
    """
    c = tensor.as_tensor_variable(c)
    if c.broadcastable[-1]:
        warnings.warn("The softmax is applied on a dimension of shape 1, which does not have a semantic meaning.")
    return softmax_op(c)


def logsoftmax(c):
    """Logarithm of the softmax of each row.

    Parameters
    ----------
    c : float matrix, shape (n, k)

    Returns
    -------
    float matrix, shape (n, k)
    """
    return logsoftmax_op(c)


def softmax_graph(c):
    """Softmax of the last axis, written with elementary ops (for any number of axes, and for double gradients).

    Parameters
    ----------
    c : float tensor

    Returns
    -------
    float tensor of the same shape
    """
    return tensor.exp(c) / tensor.exp(c).sum(axis=-1, keepdims=True)
