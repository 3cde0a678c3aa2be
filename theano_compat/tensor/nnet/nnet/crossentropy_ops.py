"""Crossentropy of a softmax against class indices, as ops of their own: stable, and one pass over the rows."""
from __future__ import annotations

import numpy as np

from theano_compat import gof
from theano_compat.gof import Apply
from theano_compat.gradient import DisconnectedType, grad_not_implemented
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.subtensor import inc_subtensor
from theano_compat.tensor.type import TensorType

from .softmax import is_float_matrix, is_float_vector, softmax_grad, softmax_with_bias

__all__ = ["CrossentropyCategorical1Hot", "CrossentropyCategorical1HotGrad", "CrossentropySoftmax1HotWithBiasDx",
           "CrossentropySoftmaxArgmax1HotWithBias", "crossentropy_categorical_1hot", "crossentropy_categorical_1hot_grad",
           "crossentropy_softmax_1hot", "crossentropy_softmax_1hot_with_bias", "crossentropy_softmax_1hot_with_bias_dx",
           "crossentropy_softmax_argmax_1hot_with_bias", "crossentropy_softmax_max_and_argmax_1hot",
           "crossentropy_softmax_max_and_argmax_1hot_with_bias"]


def _is_index_vector(v) -> bool:
    return v.type.ndim == 1 and v.type.dtype in tensor.discrete_dtypes


class CrossentropySoftmaxArgmax1HotWithBias(gof.Op):
    r"""Negative log-likelihood, softmax and argmax of ``x + b`` given the index of the true class.

    Notes
    -----
    Inputs: float matrix `x` (n, k), float vector `b` (k,), integer vector `y_idx` (n,).
    Outputs: :math:`-\log s_{i, y_i}` (n,), the softmax :math:`s` (n, k), and the index of each row's maximum (n,) in
    the type of `y_idx`.
    """

    nin = 3
    nout = 3
    __props__ = ()

    def __init__(self, **kwargs):
        gof.Op.__init__(self, **kwargs)

    def make_node(self, x, b, y_idx):
        x, b, y_idx = map(tensor.as_tensor_variable, (x, b, y_idx))
        wanted = ((is_float_matrix, x, "x must be 2-d tensor of floats"), (is_float_vector, b, "b must be 1-d tensor of floats"),
                  (_is_index_vector, y_idx, "y_idx must be 1-d tensor of [u]ints"))
        for holds, variable, message in wanted:
            if not holds(variable):
                raise ValueError(message, variable.type)
        nll = TensorType(x.type.dtype, y_idx.type.broadcastable).make_variable()
        return Apply(self, [x, b, y_idx], [nll, x.type(), y_idx.type()])

    def perform(self, node, input_storage, output_storage):
        x, b, y_idx = input_storage
        if b.shape[0] != x.shape[1]:
            raise ValueError("b must have same number of columns as x",
                             f"x.shape={x.shape}, b.shape={b.shape}")
        if y_idx.shape[0] != x.shape[0]:
            raise ValueError("y_idx must have same number of rows as x",
                             f"x.shape={x.shape}, y_idx.shape={y_idx.shape}")
        if y_idx.size and (y_idx.min() < 0 or y_idx.max() >= x.shape[1]):
            raise ValueError("y_i value out of bounds",
                             f"classes are 0 to {x.shape[1] - 1}, y_idx has {y_idx.min()} to {y_idx.max()}")
        row = (x + b).astype("float32" if x.dtype == np.float16 else x.dtype, copy=False)
        if x.shape[1]:
            am = row.argmax(axis=1)
            row = row - row.max(axis=1, keepdims=True)
        else:
            am = np.zeros(x.shape[0], dtype="int64")
        sm = np.exp(row)
        total = sm.sum(axis=1)
        nll = np.log(total) - row[np.arange(x.shape[0]), y_idx.astype("int64", copy=False)]
        sm /= total[:, None]
        output_storage[0][0] = nll.astype(x.dtype, copy=False)
        output_storage[1][0] = sm.astype(x.dtype, copy=False)
        output_storage[2][0] = am.astype(y_idx.dtype, copy=False)

    def infer_shape(self, node, shapes):
        x_shp, b_shp, idx_shp = shapes
        return [(x_shp[0],), (x_shp[0], x_shp[1]), (x_shp[0],)]

    def connection_pattern(self, node):
        # x and b reach every output (the argmax with gradient zero); the indices give the argmax its type.
        return [[True, True, True],
                [True, True, True],
                [False, False, True]]

    def grad(self, inp, grads):
        x, b, y_idx = inp
        of_nll, of_softmax, of_argmax = (None if isinstance(g.type, DisconnectedType) else g for g in grads)
        dx = None if of_argmax is None else x.zeros_like()
        if of_nll is not None:
            sm = crossentropy_softmax_1hot_with_bias(x, b, y_idx)[1]
            term = crossentropy_softmax_1hot_with_bias_dx(of_nll, sm, y_idx)
            dx = term if dx is None else dx + term
        if of_softmax is not None:
            term = softmax_grad(of_softmax, softmax_with_bias(x, b))
            dx = term if dx is None else dx + term
        if dx is None:
            return [DisconnectedType()() for _ in inp]
        return [dx, dx.sum(axis=0), DisconnectedType()()]


class CrossentropySoftmax1HotWithBiasDx(gof.Op):
    r"""Gradient of `CrossentropySoftmaxArgmax1HotWithBias` with respect to `x`.

    Notes
    -----
    :math:`dx_{ij} = dy_i (s_{ij} - [j = y_i])`. `dy` is a float vector (n,) or a scalar.
    """

    nin = 3
    nout = 1
    __props__ = ()

    def make_node(self, dy, sm, y_idx, **kwargs):
        dy, sm, y_idx = map(tensor.as_tensor_variable, (dy, sm, y_idx))
        if dy.ndim == 0 and dy.dtype in tensor.float_dtypes:
            dy = dy.dimshuffle("x")
        wanted = ((is_float_vector, dy, "dy must be {0,1}-d tensor of floats"), (is_float_matrix, sm, "sm must be 2-d tensor of floats"),
                  (_is_index_vector, y_idx, "y_idx must be 1-d tensor of [u]ints"))
        for holds, variable, message in wanted:
            if not holds(variable):
                raise ValueError(message, variable.type)
        return Apply(self, [dy, sm, y_idx], [sm.type()])

    def perform(self, node, input_storage, output_storage):
        dy, sm, y_idx = input_storage
        n, k = sm.shape
        if y_idx.size and (y_idx.min() < 0 or y_idx.max() >= k):
            raise ValueError("y_i value out of bounds")
        if dy.shape[0] not in (1, n):
            raise ValueError(f"dy.shape[0] == {dy.shape[0]} but should be 1 or the number of rows of sm, {n}")
        if y_idx.shape[0] != n:
            raise ValueError("rows mismatch in sm and y_idx", f"sm.shape={sm.shape}, y_idx.shape={y_idx.shape}")
        column = np.broadcast_to(dy[:, None], (n, 1))
        dx = column * sm
        dx[np.arange(n), y_idx.astype("int64", copy=False)] -= column[:, 0]
        output_storage[0][0] = dx.astype(sm.dtype, copy=False)

    def infer_shape(self, node, shapes):
        return [shapes[1]]

    def grad(self, inp, grads):
        dy, sm, y_idx = inp
        (g_dx,) = grads
        rows = tensor.arange(y_idx.shape[0])
        g_dy = tensor.sum(g_dx * inc_subtensor(sm[rows, y_idx], -1), axis=1)
        if dy.type.broadcastable[0]:
            g_dy = tensor.patternbroadcast(tensor.sum(g_dy, keepdims=True), dy.type.broadcastable)
        g_sm = dy.dimshuffle(0, "x") * g_dx
        return [g_dy, g_sm, grad_not_implemented(self, 2, y_idx)]


class CrossentropyCategorical1HotGrad(gof.Op):
    """Gradient of `CrossentropyCategorical1Hot` with respect to the coding distribution."""

    __props__ = ()

    def make_node(self, g_y, coding_dist, true_one_of_n):
        return Apply(self, [tensor.as_tensor_variable(g_y), tensor.as_tensor_variable(coding_dist),
                            tensor.as_tensor_variable(true_one_of_n)], [coding_dist.type()])

    def perform(self, node, inp, out):
        g_y, coding_dist, true_one_of_n = inp
        g_coding = np.zeros_like(coding_dist)
        rows = np.arange(coding_dist.shape[0])
        g_coding[rows, true_one_of_n] = -g_y / coding_dist[rows, true_one_of_n]
        out[0][0] = g_coding

    def infer_shape(self, node, in_shapes):
        return [in_shapes[1]]


class CrossentropyCategorical1Hot(gof.Op):
    r"""Crossentropy of rows of probabilities against the index of the true class.

    Notes
    -----
    :math:`-\log p_{i, y_i}` of a float matrix (n, k) and an integer vector (n,), giving a vector (n,).
    """

    __props__ = ()

    def make_node(self, coding_dist, true_one_of_n):
        coding_dist = tensor.as_tensor_variable(coding_dist)
        true_one_of_n = tensor.as_tensor_variable(true_one_of_n)
        if coding_dist.type.ndim != 2:
            raise TypeError("matrix required for argument: coding_dist")
        if not _is_index_vector(true_one_of_n):
            raise TypeError("integer vector required for argument: true_one_of_n"
                            f"(got type: {true_one_of_n.type} instead of: {tensor.lvector})")
        return Apply(self, [coding_dist, true_one_of_n],
                     [TensorType(dtype=coding_dist.dtype, broadcastable=[False])()])

    def perform(self, node, inp, out):
        coding, one_of_n = inp
        if len(one_of_n) != len(coding):
            raise ValueError(f"{len(one_of_n)} classes were given for {len(coding)} rows")
        with np.errstate(divide="ignore"):
            y = -np.log(coding[np.arange(len(coding)), one_of_n])
        out[0][0] = y.astype(node.outputs[0].dtype, copy=False)

    def infer_shape(self, node, in_shapes):
        return [(in_shapes[0][0],)]

    def grad(self, inp, grads):
        coding, one_of_n = inp
        (g_y,) = grads
        return [crossentropy_categorical_1hot_grad(g_y, coding, one_of_n),
                grad_not_implemented(self, 1, one_of_n)]


crossentropy_softmax_argmax_1hot_with_bias = CrossentropySoftmaxArgmax1HotWithBias()
crossentropy_softmax_1hot_with_bias_dx = CrossentropySoftmax1HotWithBiasDx()
crossentropy_categorical_1hot_grad = CrossentropyCategorical1HotGrad()
crossentropy_categorical_1hot = CrossentropyCategorical1Hot()


def crossentropy_softmax_1hot_with_bias(x, b, y_idx, **kwargs):
    """Negative log-likelihood (n,) and softmax (n, k) of ``x + b`` given class indices `y_idx` (n,)."""
    return crossentropy_softmax_argmax_1hot_with_bias(x, b, y_idx, **kwargs)[0:2]


def crossentropy_softmax_1hot(x, y_idx, **kwargs):
    """Negative log-likelihood (n,) and softmax (n, k) of `x` given class indices `y_idx` (n,)."""
    b = tensor.zeros_like(x[0])
    return crossentropy_softmax_1hot_with_bias(x, b, y_idx, **kwargs)


def crossentropy_softmax_max_and_argmax_1hot_with_bias(x, b, y_idx, **kwargs):
    """Negative log-likelihood, softmax, largest probability and its index, per row of ``x + b``.

    Returns
    -------
    tuple
        vector (n,), matrix (n, k), vector (n,), integer vector (n,)
    """
    xent, softmax = crossentropy_softmax_1hot_with_bias(x, b, y_idx, **kwargs)
    max_pr, argmax = tensor.max_and_argmax(softmax, axis=-1)
    return xent, softmax, max_pr, argmax


def crossentropy_softmax_max_and_argmax_1hot(x, y_idx, **kwargs):
    """As `crossentropy_softmax_max_and_argmax_1hot_with_bias`, without a bias."""
    b = tensor.zeros_like(x[0])
    return crossentropy_softmax_max_and_argmax_1hot_with_bias(x, b, y_idx, **kwargs)
