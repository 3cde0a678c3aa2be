"""3-D convolution by 2-D convolutions, and the diagonal sub-tensors that it needs."""
from __future__ import annotations

import numpy as np

from theano_compat.compile.mode import optdb
from theano_compat.gof import Apply, Op
from theano_compat.gof.opt import TopoOptimizer, copy_stack_trace, local_optimizer
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.subtensor import set_subtensor

from .abstract_conv import conv2d

__all__ = ["DiagonalSubtensor", "IncDiagonalSubtensor", "conv3d", "diagonal_subtensor", "get_diagonal_subtensor_view",
           "inc_diagonal_subtensor", "local_inplace_DiagonalSubtensor"]


def get_diagonal_subtensor_view(x, i0, i1):
    """View of the diagonals of two axes.

    Parameters
    ----------
    x : array
    i0, i1 : int
        Axes; `x.shape[i0]` must be at least `x.shape[i1]`.

    Returns
    -------
    array
        ``out[..., j, ..., k, ...] = x[..., j + n - 1 - k, ..., k, ...]``, with axis `i0` shortened by ``n - 1``, `n`
        the length of axis `i1`.
    """
    i0, i1 = int(i0), int(i1)
    if x.shape[i0] < x.shape[i1]:
        raise NotImplementedError("is this allowed?")
    shape, strides = list(x.shape), list(x.strides)
    n = x.shape[i1]
    shape[i0] = x.shape[i0] - n + 1
    strides[i1] = x.strides[i1] - x.strides[i0]
    start = [slice(None)] * x.ndim
    start[i0] = slice(n - 1, None)
    base = x[tuple(start)]
    return np.lib.stride_tricks.as_strided(base, shape, strides)


class DiagonalSubtensor(Op):
    """The diagonals of two axes as a tensor; in place it is a view.

    See `get_diagonal_subtensor_view` for what it contains.
    """

    __props__ = ("inplace",)

    def __init__(self, inplace=False):
        self.inplace = inplace
        if inplace:
            self.view_map = {0: [0]}

    def __str__(self):
        return f"{self.__class__.__name__}{{inplace}}" if self.inplace else self.__class__.__name__

    def make_node(self, x, i0, i1):
        return Apply(self, [x, tensor.as_tensor_variable(i0), tensor.as_tensor_variable(i1)], [x.type()])

    def perform(self, node, inputs, output_storage):
        view = get_diagonal_subtensor_view(*inputs)
        output_storage[0][0] = view if self.inplace else view.copy()

    def grad(self, inputs, g_outputs):
        z = tensor.zeros_like(inputs[0])
        gx = inc_diagonal_subtensor(z, inputs[1], inputs[2], g_outputs[0])
        return [gx, DisconnectedType()(), DisconnectedType()()]

    def connection_pattern(self, node):
        return [[True], [False], [False]]


diagonal_subtensor = DiagonalSubtensor(False)


class IncDiagonalSubtensor(Op):
    """A tensor with something added to the diagonals of two of its axes; the gradient of `DiagonalSubtensor`."""

    __props__ = ("inplace",)

    def __init__(self, inplace=False):
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [0]}

    def __str__(self):
        return f"{self.__class__.__name__}{{inplace}}" if self.inplace else self.__class__.__name__

    def make_node(self, x, i0, i1, amt):
        return Apply(self, [x, tensor.as_tensor_variable(i0), tensor.as_tensor_variable(i1), amt], [x.type()])

    def perform(self, node, inputs, output_storage):
        x, i0, i1, amt = inputs
        if not self.inplace:
            x = x.copy()
        # Two elements of the view are never the same element of x.
        view = get_diagonal_subtensor_view(x, i0, i1)
        view += amt
        output_storage[0][0] = x

    def grad(self, inputs, g_outputs):
        _, i0, i1, _ = inputs
        (gy,) = g_outputs
        return [gy, DisconnectedType()(), DisconnectedType()(), diagonal_subtensor(gy, i0, i1)]

    def connection_pattern(self, node):
        return [[True], [False], [False], [True]]


inc_diagonal_subtensor = IncDiagonalSubtensor(False)


def conv3d(signals, filters, signals_shape=None, filters_shape=None, border_mode="valid"):
    """Convolve volumes with filters (both turned round), by 2-D convolutions and a sum along diagonals.

    Parameters
    ----------
    signals : 5-d tensor, shape (batch, time, channels, rows, columns)
    filters : 5-d tensor, shape (filters, time, channels, rows, columns)
    signals_shape, filters_shape : tuple of int or None, optional
    border_mode : {"valid", "full", "half"} or tuple of three such
        For time, rows and columns; rows and columns must have the same.

    Returns
    -------
    5-d tensor, shape (batch, output time, filters, output rows, output columns)
    """
    if isinstance(border_mode, str):
        border_mode = (border_mode,) * 3
    if len(border_mode) != 3 or border_mode[1] != border_mode[2]:
        raise NotImplementedError("height and width bordermodes must match")

    def lengths(tensor_shape, known):
        return [tensor_shape[i] if known is None or known[i] is None else known[i] for i in range(5)]

    batch, time, channels, rows, columns = lengths(signals.shape, signals_shape)
    n_filters, taps, _, f_rows, f_columns = lengths(filters.shape, filters_shape)
    flat_known = None if signals_shape is None else (
        None if None in signals_shape[:2] else signals_shape[0] * signals_shape[1],) + tuple(signals_shape[2:])
    filters_known = None if filters_shape is None else (
        None if None in filters_shape[:2] else filters_shape[0] * filters_shape[1],) + tuple(filters_shape[2:])
    # All frames against all slices of the filters.
    pairs = conv2d(signals.reshape((batch * time, channels, rows, columns)),
                   filters.reshape((n_filters * taps, channels, f_rows, f_columns)),
                   input_shape=flat_known, filter_shape=filters_known, border_mode=border_mode[1])
    out_rows, out_columns = pairs.shape[2], pairs.shape[3]
    pairs = pairs.reshape((batch, time, n_filters, taps, out_rows, out_columns))
    if border_mode[0] == "valid":
        before = after = 0
    elif border_mode[0] == "full":
        before = after = taps - 1
    elif border_mode[0] == "half":
        before = after = taps // 2
    else:
        raise ValueError(f"invalid border mode {border_mode[0]}")
    if border_mode[0] != "valid":
        padded = tensor.zeros((batch, time + before + after, n_filters, taps, out_rows, out_columns), dtype=pairs.dtype)
        pairs = set_subtensor(padded[:, before:before + time], pairs)
    # Convolution in time: frame t + taps - 1 - k meets slice k.
    return diagonal_subtensor(pairs, 1, 3).sum(axis=3)


@local_optimizer([DiagonalSubtensor, IncDiagonalSubtensor], inplace=True)
def local_inplace_DiagonalSubtensor(node):
    """The diagonal ops in place, where that is allowed."""
    if isinstance(node.op, (DiagonalSubtensor, IncDiagonalSubtensor)) and not node.op.inplace:
        new = node.op.__class__(inplace=True)(*node.inputs)
        copy_stack_trace(node.outputs[0], new)
        return [new]
    return False


optdb.register(
    "local_inplace_DiagonalSubtensor",
    TopoOptimizer(local_inplace_DiagonalSubtensor, failure_callback=TopoOptimizer.warn_inplace),
    60, "fast_run", "inplace")
