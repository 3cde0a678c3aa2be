"""One matrix product per row of a batch."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op
from theano_compat.tensor import basic as tb

_NAME = "theano.tensor.blas.BatchedDot"


class BatchedDot(Op):
    """``dot(x[i], y[i])`` for every ``i`` of the first dimension.

    Notes
    -----
    Inputs have 2 or 3 dimensions and are brought to their common dtype. The output has shape
    ``x.shape[:-1] + y.shape[2:]``.
    """

    __props__ = ()

    def make_node(self, *inputs):
        inputs = [tb.as_tensor_variable(v) for v in inputs]
        if len(inputs) != 2:
            raise TypeError(f"{_NAME}: 2 arguments required, {len(inputs)} given ")
        for position, value in enumerate(inputs):
            if value.ndim not in (2, 3):
                raise TypeError(
                    f"{_NAME}: input {position} (0-indexed) must have ndim of 2 or 3, "
                    f"{value.ndim} given. Consider calling theano.tensor.batched_dot instead."
                )
        dtype = scal.upcast(*(value.type.dtype for value in inputs))
        x, y = (tb.cast(value, dtype) for value in inputs)
        pattern = (
            (x.type.broadcastable[0] or y.type.broadcastable[0],)
            + x.type.broadcastable[1:-1]
            + y.type.broadcastable[2:]
        )
        return Apply(self, [x, y], [tb.tensor(dtype, pattern)])

    def perform(self, node, inp, out):
        x, y = inp
        if x.shape[0] != y.shape[0]:
            raise ValueError(
                "Shape mismatch: batch sizes unequal."
                f" x.shape is {x.shape}, y.shape is {y.shape}."
            )
        left = x if x.ndim == 3 else x[:, np.newaxis, :]
        right = y if y.ndim == 3 else y[:, :, np.newaxis]
        product = np.matmul(left, right)
        out[0][0] = product.reshape(x.shape[:-1] + y.shape[2:])

    def infer_shape(self, node, shapes):
        x, y = shapes
        return [tuple(x[:-1]) + tuple(y[2:])]

    def grad(self, inp, grads):
        x, y = inp
        (gz,) = grads

        def columns(matrix):
            return matrix.dimshuffle(0, 1, "x")

        def rows(matrix):
            return matrix.dimshuffle(0, "x", 1)

        def turned(tensor):
            return tensor.dimshuffle(0, 2, 1)

        if x.ndim == y.ndim == 2:
            gx = gz.dimshuffle(0, "x") * y
            gy = gz.dimshuffle(0, "x") * x
        elif x.ndim == 2:
            gx = batched_dot(gz, turned(y))
            gy = columns(x) * rows(gz)
        elif y.ndim == 2:
            gx = columns(gz) * rows(y)
            gy = batched_dot(turned(x), gz)
        else:
            gx = batched_dot(gz, turned(y))
            gy = batched_dot(turned(x), gz)
        # A product with extents that are not known to be one must not lose the inputs' patterns.
        return [
            g if g.broadcastable == v.broadcastable else tb.patternbroadcast(g, v.broadcastable)
            for g, v in ((gx, x), (gy, y))
        ]

    def R_op(self, inputs, eval_points):
        x, y = inputs
        dx, dy = eval_points
        parts = []
        if dx is not None:
            parts.append(self(dx, y))
        if dy is not None:
            parts.append(self(x, dy))
        if not parts:
            return [None]
        return [parts[0] if len(parts) == 1 else parts[0] + parts[1]]


batched_dot = BatchedDot()
