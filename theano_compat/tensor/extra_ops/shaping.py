"""Repetition of elements, removal of dimensions and of elements."""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as tb


class CpuContiguous(Op):
    """Make sure that an array is C-contiguous, copying it only if it is not."""

    __props__ = ()
    view_map = {0: [0]}
    check_input = False

    def make_node(self, x):
        x = tb.as_tensor_variable(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        (x,) = inputs
        output_storage[0][0] = x if x.flags.c_contiguous else x.copy()

    def infer_shape(self, node, shapes):
        return shapes

    def grad(self, inputs, dout):
        return [dout[0]]

    def R_op(self, inputs, eval_points):
        return [None if eval_points[0] is None else self(eval_points[0])]


cpu_contiguous = CpuContiguous()


def compress(condition, x, axis=None):
    """Keep the slices of `x` where a vector is not zero.

    Parameters
    ----------
    condition : vector
        Of the length of the dimension, or shorter.
    x : tensor
    axis
        The dimension; None takes from the flattened tensor.
    """
    x = tb.as_tensor_variable(x)
    if not hasattr(condition, "type"):
        condition = tb.as_tensor_variable(np.asarray(condition))
    return x.take(tb.flatnonzero(condition), axis=axis)


def squeeze(x):
    """Drop the dimensions that are known to have extent one.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor variable
        A view of `x`; dimensions that are one only at run time stay.
    """
    x = tb.as_tensor_variable(x)
    return x.dimshuffle([k for k in range(x.ndim) if not x.broadcastable[k]])


class RepeatOp(Op):
    """Repeat the elements of a tensor along an axis, each as often as a number or vector says.

    Parameters
    ----------
    axis
        The dimension; None repeats in the flattened tensor.
    """

    __props__ = ("axis",)

    def __init__(self, axis=None):
        self.axis = axis

    def make_node(self, x, repeats):
        x = tb.as_tensor_variable(x)
        repeats = tb.as_tensor_variable(repeats)
        if repeats.dtype not in tb.integer_dtypes:
            raise TypeError("repeats.dtype must be an integer.")
        if repeats.dtype == "uint64":
            raise TypeError(
                "dtypes ('uint64',) are not supported by numpy.repeat"
                " for the 'repeats' parameter, ",
                repeats.dtype,
            )
        if self.axis is None:
            pattern = [False]
        else:
            pattern = list(x.broadcastable)
            try:
                once = tb.get_scalar_constant_value(repeats) == 1
            except tb.NotScalarConstantError:
                once = False
            if not once:
                pattern[self.axis] = False
        return Apply(self, [x, repeats], [tb.TensorType(x.dtype, pattern)()])

    def perform(self, node, inputs, output_storage):
        x, repeats = inputs
        output_storage[0][0] = np.repeat(x, repeats=repeats, axis=self.axis)

    def connection_pattern(self, node):
        return [[True], [False]]

    def grad(self, inputs, gout):
        x, repeats = inputs
        (gz,) = gout
        if x.dtype in tb.discrete_dtypes:
            return [x.zeros_like(dtype=config.floatX), DisconnectedType()()]
        if repeats.ndim == 0:
            place = x.ndim if self.axis is None else self.axis % x.ndim + 1
            shape = [x.shape[k] for k in range(x.ndim)]
            shape.insert(place, repeats)
            gx = gz.reshape(shape, x.ndim + 1).sum(axis=place)
        else:
            gx = self._grad_of_vector(x, repeats, gz)
        return [gx, DisconnectedType()()]

    def _grad_of_vector(self, x, repeats, gz):
        """Add the gradients of every copy to the element that it came from."""
        from theano_compat.tensor.subtensor import advanced_inc_subtensor1

        flat = x.flatten() if self.axis is None else x
        axis = 0 if self.axis is None else self.axis % x.ndim
        origin = RepeatOp(axis=0)(tb.arange(flat.shape[axis]), repeats)
        order = [axis, *(k for k in range(flat.ndim) if k != axis)]
        back = [order.index(k) for k in range(flat.ndim)]
        zeros = flat.zeros_like(dtype=gz.dtype).dimshuffle(order)
        gx = advanced_inc_subtensor1(zeros, gz.dimshuffle(order), origin).dimshuffle(back)
        return gx.reshape(x.shape, ndim=x.ndim) if self.axis is None else gx

    def R_op(self, inputs, eval_points):
        return [None if eval_points[0] is None else self(eval_points[0], inputs[1])]

    def infer_shape(self, node, ins_shapes):
        x_shape = list(ins_shapes[0])
        repeats = node.inputs[1]
        dtype = "int64" if repeats.dtype in ("uint8", "uint16", "uint32") else None
        if repeats.ndim == 0:
            if self.axis is None:
                total = repeats
                for extent in x_shape:
                    total = total * extent
                return [[total]]
            x_shape[self.axis] = x_shape[self.axis] * repeats
            return [x_shape]
        total = tb.sum(repeats, dtype=dtype)
        if self.axis is None:
            return [[total]]
        x_shape[self.axis] = total
        return [x_shape]


def repeat(x, repeats, axis=None):
    """Repeat the elements of a tensor.

    Parameters
    ----------
    x : tensor
    repeats : int, integer scalar or integer vector
        How often, for all elements or for each place on the axis.
    axis
        The dimension; None repeats in the flattened tensor.

    Returns
    -------
    tensor variable
        Of the shape of `x` except on `axis`.

    Raises
    ------
    ValueError
        `repeats` has more than one dimension, or `axis` is out of bounds.
    """
    x = tb.as_tensor_variable(x)
    repeats = tb.as_tensor_variable(repeats)
    if repeats.ndim > 1:
        raise ValueError("The dimension of repeats should not exceed 1.")
    if repeats.ndim == 1 and not repeats.broadcastable[0]:
        return RepeatOp(axis=axis)(x, repeats)
    if repeats.ndim == 1:
        repeats = repeats[0]
    if axis is None:
        axis, x = 0, x.flatten()
    else:
        if axis >= x.ndim:
            raise ValueError("Axis should not exceed x.ndim-1.")
        if axis < 0:
            axis += x.ndim
    shape = [x.shape[k] for k in range(x.ndim)]
    spread = [*shape[: axis + 1], repeats, *shape[axis + 1 :]]
    order = [*range(axis + 1), "x", *range(axis + 1, x.ndim)]
    shape[axis] = shape[axis] * repeats
    return tb.alloc(x.dimshuffle(*order), *spread).reshape(shape)
