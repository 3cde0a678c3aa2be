"""Products with chosen blocks of a large block matrix."""
from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.basic import discrete_dtypes

__all__ = ["SparseBlockGemv", "SparseBlockOuter", "discrete_dtypes", "sparse_block_dot", "sparse_block_gemv",
           "sparse_block_gemv_inplace", "sparse_block_outer", "sparse_block_outer_inplace"]


def _check_ndim(v, ndim, words):
    if v.ndim != ndim:
        raise TypeError(f"{words} must be a {ndim}D tensor")


class SparseBlockGemv(Op):
    r"""Accumulate products of vectors with chosen blocks.

    Notes
    -----
    ``o[b, j] += sum_i h[b, i] . W[inputIdx[b, i], outputIdx[b, j]]`` with

    * `o` (batch, output blocks, output size),
    * `W` (all input blocks, all output blocks, input size, output size),
    * `h` (batch, input blocks, input size),
    * `inputIdx` (batch, input blocks) and `outputIdx` (batch, output blocks), integers.
    """

    __props__ = ("inplace",)

    def __init__(self, inplace=False):
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [0]}

    def make_node(self, o, W, h, inputIdx, outputIdx):
        o, W, h, inputIdx, outputIdx = (tensor.as_tensor_variable(v) for v in (o, W, h, inputIdx, outputIdx))
        _check_ndim(o, 3, "The output o")
        _check_ndim(W, 4, "The weight matrix W")
        _check_ndim(h, 3, "The input h")
        _check_ndim(inputIdx, 2, "The input indices inputIdx")
        _check_ndim(outputIdx, 2, "The output indices outputIdx")
        for v, name in ((inputIdx, "inputIdx"), (outputIdx, "outputIdx")):
            if v.type.dtype not in discrete_dtypes:
                raise AssertionError(f"{name} must be integers, got {v.type}")
        return Apply(self, [o, W, h, inputIdx, outputIdx], [o.type()])

    def perform(self, node, inp, out_):
        o, W, h, inputIdx, outputIdx = inp
        if not self.inplace:
            o = o.copy()
        for b in range(o.shape[0]):
            blocks = W[inputIdx[b][:, None], outputIdx[b][None, :]]
            # (in, out, n, m) with (in, n) over in and n.
            o[b] += np.einsum("in,ijnm->jm", h[b], blocks)
        out_[0][0] = o

    def infer_shape(self, node, input_shapes):
        return [input_shapes[0]]

    def grad(self, inputs, grads):
        o, W, h, inputIdx, outputIdx = inputs
        (go,) = grads
        outer = SparseBlockOuter(self.inplace)
        gemv = SparseBlockGemv(self.inplace)
        gW = outer(W.zeros_like(), h, go, inputIdx, outputIdx)
        gh = gemv(h.zeros_like(), W.dimshuffle((1, 0, 3, 2)), go, outputIdx, inputIdx)
        return [go, gW, gh, DisconnectedType()(), DisconnectedType()()]

    def connection_pattern(self, node):
        return [[True], [True], [True], [False], [False]]


class SparseBlockOuter(Op):
    r"""Accumulate outer products into chosen blocks.

    Notes
    -----
    ``o[xIdx[b, i], yIdx[b, j]] += alpha * outer(x[b, i], y[b, j])``, summed over the batch, with `o` (all x blocks, all
    y blocks, x size, y size), `x` (batch, x blocks, x size), `y` (batch, y blocks, y size), and integer indices.
    """

    __props__ = ("inplace",)

    def __init__(self, inplace=False):
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [0]}

    def make_node(self, o, x, y, xIdx, yIdx, alpha=None):
        alpha = tensor.as_tensor_variable(np.asarray(1.0, dtype="float32") if alpha is None else alpha)
        o, x, y, xIdx, yIdx = (tensor.as_tensor_variable(v) for v in (o, x, y, xIdx, yIdx))
        _check_ndim(o, 4, "The output o")
        _check_ndim(x, 3, "The input x")
        _check_ndim(y, 3, "The input y")
        return Apply(self, [o, x, y, xIdx, yIdx, alpha], [o.type()])

    def perform(self, node, inp, out_):
        o, x, y, xIdx, yIdx, alpha = inp
        if not self.inplace:
            o = o.copy()
        products = alpha * (x[:, :, None, :, None] * y[:, None, :, None, :])
        # One block may be named more than once.
        np.add.at(o, (xIdx[:, :, None], yIdx[:, None, :]), products.astype(o.dtype, copy=False))
        out_[0][0] = o

    def infer_shape(self, node, input_shapes):
        return [input_shapes[0]]


sparse_block_gemv = SparseBlockGemv(False)
sparse_block_gemv_inplace = SparseBlockGemv(True)
sparse_block_outer = SparseBlockOuter(False)
sparse_block_outer_inplace = SparseBlockOuter(True)


def sparse_block_dot(W, h, inputIdx, b, outputIdx):
    """Product of vectors with chosen blocks of a matrix, plus the bias of the output blocks.

    Parameters
    ----------
    W : 4-d tensor, shape (input blocks, output blocks, input size, output size)
    h : 3-d tensor (batch, chosen input blocks, input size), or matrix without the batch
    inputIdx : integer matrix (batch, chosen input blocks), or vector
    b : matrix, shape (output blocks, output size)
    outputIdx : integer matrix (batch, chosen output blocks), or vector

    Returns
    -------
    3-d tensor (batch, chosen output blocks, output size), or matrix
        ``out[n, j] = b[outputIdx[n, j]] + sum_i h[n, i] . W[inputIdx[n, i], outputIdx[n, j]]``
    """
    W, h, inputIdx, b, outputIdx = (tensor.as_tensor_variable(v) for v in (W, h, inputIdx, b, outputIdx))
    if inputIdx.ndim != h.ndim - 1:
        raise AssertionError(f"inputIdx must have one dimension less than h, got {inputIdx.ndim} and {h.ndim}")
    if inputIdx.ndim != outputIdx.ndim:
        raise AssertionError(f"inputIdx and outputIdx must have as many dimensions, got {inputIdx.ndim} and "
                             f"{outputIdx.ndim}")
    single = h.ndim == 2
    if single:
        h, inputIdx, outputIdx = h.dimshuffle("x", 0, 1), inputIdx.dimshuffle("x", 0), outputIdx.dimshuffle("x", 0)
    out = SparseBlockGemv()(b.take(outputIdx, axis=0), W, h, inputIdx, outputIdx)
    return out.dimshuffle(1, 2) if single else out
