"""Setting and incrementing the places that a basic index selects."""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as tb
from theano_compat.tensor.subtensor.basic import (
    Subtensor,
    check_template_inputs,
    hashable_index,
    index_as_scalar,
)
from theano_compat.tensor.subtensor.indices import fill_template


def _sum_grad_over_bcasted_dims(x, gx):
    """Sum a gradient over the dimensions that were broadcast to reach its shape.

    Parameters
    ----------
    x
        The variable whose gradient is wanted.
    gx
        The gradient at the broadcast shape.

    Returns
    -------
    tensor variable
        With the number of dimensions and the broadcast pattern of `x`.
    """
    if gx.broadcastable == x.broadcastable:
        return gx
    added = gx.ndim - x.ndim
    pattern = (True,) * added + tuple(x.broadcastable)
    axes = [
        axis
        for axis, (narrow, one) in enumerate(zip(pattern, gx.broadcastable))
        if narrow and not one
    ]
    if axes:
        gx = gx.sum(axis=axes, keepdims=True)
    if added:
        gx = gx.dimshuffle(*range(added, gx.ndim))
    return gx


def float_zeros_like(x):
    """Zeros of the shape of `x`, in ``floatX`` where `x` is discrete: a gradient that vanishes."""
    return x.zeros_like(dtype=config.floatX)


class IncSubtensor(Op):
    """Return `x` with `y` added to (or written into) ``x[idx]``.

    Parameters
    ----------
    idx_list
        Index template, see :class:`Subtensor`.
    inplace
        Work on the input itself.
    set_instead_of_inc
        Write instead of adding.
    destroyhandler_tolerate_aliased
        Pairs of input positions that may share memory although one of them is destroyed.
    """

    check_input = False
    __props__ = ("idx_list", "inplace", "set_instead_of_inc")

    def __init__(
        self,
        idx_list,
        inplace=False,
        set_instead_of_inc=False,
        destroyhandler_tolerate_aliased=None,
    ):
        self.idx_list = [Subtensor.convert(entry) for entry in idx_list]
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [0]}
        self.destroyhandler_tolerate_aliased = list(destroyhandler_tolerate_aliased or [])
        self.set_instead_of_inc = set_instead_of_inc

    def __eq__(self, other):
        return (
            type(self) is type(other)
            and self.idx_list == other.idx_list
            and self.inplace == other.inplace
            and self.set_instead_of_inc == other.set_instead_of_inc
        )

    def __hash__(self):
        return hash(
            (type(self), hashable_index(self.idx_list), self.inplace, self.set_instead_of_inc)
        )

    def __str__(self):
        word = ("Inplace" if self.inplace else "") + ("Set" if self.set_instead_of_inc else "Inc")
        return f"{type(self).__name__}{{{word};{Subtensor.str_from_indices(self.idx_list)}}}"

    def make_node(self, x, y, *inputs):
        x, y = tb.as_tensor_variable(x), tb.as_tensor_variable(y)
        selected = x.ndim - sum(1 for entry in self.idx_list if not isinstance(entry, slice))
        if len(self.idx_list) <= x.ndim and y.ndim > selected:
            raise ValueError(
                f"Trying to increment a {selected}-dimensional "
                f"subtensor with a {y.ndim}-dimensional value."
            )
        inputs = tuple(index_as_scalar(a) for a in inputs)
        check_template_inputs(self.idx_list, x.type.ndim, inputs)
        return Apply(self, (x, y, *inputs), [x.type()])

    def decl_view(self):
        """C text that declares the view; empty, as kernels address the places directly."""
        return ""

    def perform(self, node, inputs, out_):
        x, y = inputs[0], inputs[1]
        index = fill_template(self.idx_list, inputs[2:])
        if not self.inplace:
            x = x.copy()
        if self.set_instead_of_inc:
            x[index] = y
        else:
            view = x[index]
            if isinstance(view, np.ndarray):
                view += y
            else:
                x[index] += y
        out_[0][0] = x

    def infer_shape(self, node, shapes):
        return [shapes[0]]

    def connection_pattern(self, node):
        return [[True], [True]] + [[False] for _ in node.inputs[2:]]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None or eval_points[1] is None:
            return [None]
        return self(eval_points[0], eval_points[1], *inputs[2:], return_list=True)

    def grad(self, inputs, grads):
        (g_output,) = grads
        x, y, *index = inputs
        if x.dtype in tb.discrete_dtypes:
            gx = float_zeros_like(x)
            gy = float_zeros_like(y)
        elif x.dtype in tb.complex_dtypes:
            raise NotImplementedError("No support for complex grad yet")
        else:
            if self.set_instead_of_inc:
                blank = IncSubtensor(self.idx_list, set_instead_of_inc=True)
                gx = blank(g_output, tb.zeros_like(y), *index)
            else:
                gx = g_output
            if y.dtype in tb.discrete_dtypes:
                gy = float_zeros_like(y)
            else:
                gy = _sum_grad_over_bcasted_dims(y, Subtensor(self.idx_list)(g_output, *index))
        return [gx, gy] + [DisconnectedType()() for _ in index]
