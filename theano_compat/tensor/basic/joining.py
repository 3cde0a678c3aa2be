"""Arrays put together and taken apart: join, stack, split, roll, tile."""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op, Variable
from theano_compat.gradient import DisconnectedType, grad_undefined
from theano_compat.printing import FunctionPrinter, pprint
from theano_compat.tensor.basic import elementwise as ew
from theano_compat.tensor.basic.conversion import (
    NotScalarConstantError,
    as_tensor_variable,
    complex_dtypes,
    float_dtypes,
    get_scalar_constant_value,
    int_dtypes,
    integer_dtypes,
)
from theano_compat.tensor.basic.creation import alloc, arange
from theano_compat.tensor.basic.shaping import patternbroadcast, shape_padaxis
from theano_compat.tensor.elemwise import DimShuffle
from theano_compat.tensor.type import TensorType
from theano_compat.tensor.var import TensorVariable


def _constant_axis(axis, ndim):
    """Return the constant dimension `axis` counted from the front, or None if it is not known."""
    try:
        axis = int(get_scalar_constant_value(axis))
    except NotScalarConstantError:
        return None
    return axis + ndim if axis < 0 else axis


class Split(Op):
    """An array cut along one dimension into a fixed number of parts."""

    __props__ = ("len_splits",)

    def __init__(self, len_splits):
        self.len_splits = int(len_splits)

    def __str__(self):
        return f"{self.__class__.__name__}{{{self.len_splits}}}"

    def make_node(self, x, axis, splits):
        """Take the array, the dimension, and the lengths of the parts."""
        x, axis, splits = (as_tensor_variable(v) for v in (x, axis, splits))
        if splits.type.dtype not in integer_dtypes or splits.type.ndim != 1:
            raise TypeError("splits must have type tensor.lvector", splits.type)
        if axis.type.dtype not in integer_dtypes or axis.type.ndim != 0:
            raise TypeError("axis must have type lscalar", axis.type)
        # a part of a dimension of length one may be empty
        along = _constant_axis(axis, x.type.ndim)
        one = [known and along is not None and i != along for i, known in enumerate(x.type.broadcastable)]
        if self.len_splits == 1:
            one = list(x.type.broadcastable)
        part = x.type.clone(broadcastable=one)
        return Apply(self, [x, axis, splits], [part() for _ in range(self.len_splits)])

    def perform(self, node, inputs, outputs):
        """Store copies of the parts."""
        x, axis, splits = inputs
        axis = int(axis)
        try:
            length = x.shape[axis]
        except IndexError:
            raise ValueError(f"Split.perform() with axis={axis} is invalid for x.shape=={x.shape}") from None
        if len(splits) != self.len_splits:
            raise ValueError("In Split.perform(), len(splits) != len_splits.", (len(splits), self.len_splits))
        if np.sum(splits) != length:
            raise ValueError(f"The splits sum to {np.sum(splits)}, expected {length}")
        if np.any(np.asarray(splits) < 0):
            raise ValueError("Split: you tried to make an ndarray with a negative number of elements.")
        start = 0
        before = (slice(None),) * (axis % x.ndim)
        for storage, size in zip(outputs, splits):
            storage[0] = x[(*before, slice(start, start + int(size)))].copy()
            start += int(size)

    def infer_shape(self, node, in_shapes):
        """Return the shape of the array with the length of each part along the dimension."""
        axis, splits = node.inputs[1], node.inputs[2]
        lengths = list(in_shapes[0])
        along = _constant_axis(axis, len(lengths))
        shapes = []
        for part in range(self.len_splits):
            if along is not None:
                shapes.append([splits[part] if i == along else length for i, length in enumerate(lengths)])
            else:
                position = ew.switch(ew.lt(axis, 0), axis + len(lengths), axis)
                shapes.append(
                    [ew.switch(ew.eq(position, i), splits[part], length) for i, length in enumerate(lengths)]
                )
        return shapes

    def connection_pattern(self, node):
        """Neither dimension nor lengths are continuous."""
        return [[True] * self.len_splits] + [[False] * self.len_splits] * 2

    def grad(self, inputs, g_outputs):
        """Join the gradients, with zeros for the parts that nothing depends on."""
        x, axis, splits = inputs
        if all(isinstance(g.type, DisconnectedType) for g in g_outputs):
            return [DisconnectedType()(), DisconnectedType()(), DisconnectedType()()]
        parts = self(x, axis, splits, return_list=True)
        filled = [
            part.zeros_like(dtype=config.floatX if part.dtype in integer_dtypes else None)
            if isinstance(g.type, DisconnectedType) else g
            for part, g in zip(parts, g_outputs)
        ]  # fmt: skip
        return [patternbroadcast(join(axis, *filled), x.broadcastable), DisconnectedType()(), DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        """Split the direction."""
        if eval_points[0] is None:
            return [None] * self.len_splits
        return self(eval_points[0], *inputs[1:], return_list=True)


class Join(Op):
    """Arrays put together along one dimension.

    With ``view=i`` the result may be array number `i` itself if all others are empty.
    """

    check_input = False
    __props__ = ("view",)

    def __init__(self, view=-1):
        if view >= 0:
            # input 0 is the dimension
            self.view_map = {0: [view + 1]}
        self.view = view

    def __str__(self):
        option = "" if self.view < 0 else f"{{view={self.view}}}"
        return type(self).__name__ + option

    def __setstate__(self, d):
        self.__dict__.update(d)
        if not hasattr(self, "view"):
            self.view = -1

    def make_node(self, *axis_and_tensors):
        """Take the dimension and the arrays, all of the same rank."""
        axis, tensors = axis_and_tensors[0], axis_and_tensors[1:]
        if not tensors:
            raise ValueError("Cannot join an empty list of tensors")
        tensors = [as_tensor_variable(x) for x in tensors]
        dtype = scal.upcast(*(x.type.dtype for x in tensors))
        if not all(x.type.ndim for x in tensors):
            raise TypeError("Join cannot handle arguments of dimension 0. For joining scalar values, see @stack")
        if len({x.type.ndim for x in tensors}) > 1:
            raise TypeError("Join() can only join tensors with the same number of dimensions.")
        ndim = tensors[0].type.ndim
        along = axis if isinstance(axis, int) else None
        if along is None and not isinstance(axis, int):
            axis = as_tensor_variable(axis)
            along = _raw_constant(axis)
        if len(tensors) == 1:
            pattern = tensors[0].type.broadcastable
        elif along is None:
            # any dimension may be the one that grows
            pattern = [False] * ndim
        else:
            if along < -ndim:
                raise IndexError(
                    f"Join axis {along} out of bounds [0, {ndim})"
                )
            if along < 0:
                along += ndim
                axis = along
            if along >= ndim:
                raise ValueError('Join argument "axis" is out of range (given input dimensions)')
            # elsewhere all lengths agree: one of length one makes all so
            pattern = [
                i != along and any(x.type.broadcastable[i] for x in tensors) for i in range(ndim)
            ]
        axis = as_tensor_variable(axis)
        if axis.type.dtype not in integer_dtypes or axis.type.ndim != 0:
            raise TypeError(f"Axis {axis} must be an integer of no dimensions.")
        return Apply(self, [axis, *tensors], [TensorType(dtype, pattern)()])

    def perform(self, node, axis_and_tensors, out_):
        """Store the joined array."""
        axis, arrays = int(axis_and_tensors[0]), axis_and_tensors[1:]
        ndim = arrays[0].ndim
        if not -ndim <= axis < ndim:
            raise IndexError(f"Join axis {axis} out of bounds [0, {ndim})")
        if self.view != -1 and all(
            x.shape[axis] == 0 for i, x in enumerate(arrays) if i != self.view
        ):
            out_[0][0] = arrays[self.view]
            return
        out_[0][0] = np.asarray(np.concatenate(arrays, axis=axis), dtype=node.outputs[0].type.dtype)

    def infer_shape(self, node, ishapes):
        """Return the sum of the lengths along the dimension, and those of the first array elsewhere."""
        axis, shapes = node.inputs[0], ishapes[1:]
        ndim = node.outputs[0].type.ndim
        along = _constant_axis(axis, ndim)

        def total(i):
            length = shapes[0][i]
            for other in shapes[1:]:
                length = length + other[i]
            return length

        if along is not None:
            return [tuple(total(i) if i == along else shapes[0][i] for i in range(ndim))]
        position = ew.switch(ew.ge(axis, 0), axis, axis + ndim)
        return [tuple(ew.switch(ew.eq(position, i), total(i), shapes[0][i]) for i in range(ndim))]

    def grad(self, axis_and_tensors, grads):
        """Split the gradient."""
        (gz,) = grads
        axis, tensors = axis_and_tensors[0], axis_and_tensors[1:]
        out = [grad_undefined(self, 0, axis)]
        dtype = scal.upcast(*(x.type.dtype for x in tensors))
        if dtype not in float_dtypes and dtype not in complex_dtypes:
            return out + [x.zeros_like(dtype=config.floatX) for x in tensors]
        lengths = stack([x.shape[axis] for x in tensors])
        parts = Split(len(tensors))(gz, axis, lengths, return_list=True)
        return out + [
            part if part.type.broadcastable == x.type.broadcastable else patternbroadcast(part, x.type.broadcastable)
            for x, part in zip(tensors, parts)
        ]

    def R_op(self, inputs, eval_points):
        """Join the directions."""
        if None in eval_points[1:]:
            return [None]
        return self(inputs[0], *eval_points[1:], return_list=True)


def _raw_constant(axis):
    """Return the value of a constant dimension as given, or None."""
    try:
        value = get_scalar_constant_value(axis)
    except NotScalarConstantError:
        return None
    if value != int(value):
        raise TypeError(f"Axis could not be cast to an integer: {axis}")
    return int(value)


join_ = Join()
pprint.assign(Join, FunctionPrinter("join"))


def join(axis, *tensors_list):
    """Return arrays put together along a dimension.

    Parameters
    ----------
    axis : int or integer scalar variable
        A negative one counts from the end.
    tensors_list : tensor_like
        All of the same rank, and of the same lengths but along `axis`.
    """
    if len(tensors_list) == 1:
        return as_tensor_variable(tensors_list[0])
    return join_(axis, *tensors_list)


def concatenate(tensor_list, axis=0):
    """Return the arrays of a list or tuple put together along a dimension; see `join`."""
    if not isinstance(tensor_list, (tuple, list)):
        raise TypeError(
            "The 'tensors' argument must be either a tuple or a list, make sure you did not forget () or [] around "
            "arguments of concatenate.",
            tensor_list,
        )
    return join(axis, *tensor_list)


def stack(*tensors, **kwargs):
    """Return arrays of the same shape put together along a new dimension.

    Parameters
    ----------
    tensors : list or tuple of tensor_like
    axis : int
        The number that the new dimension has in the result, 0 by default.

    Returns
    -------
    TensorVariable
        Of one dimension more than the arrays.
    """
    if not tensors and not kwargs:
        raise Exception("theano.tensor.stack(tensors, axis) needs at least one tensor")
    if not tensors:
        tensors, axis = kwargs["tensors"], kwargs.get("axis", 0)
    elif isinstance(tensors[0], (list, tuple)):
        axis = kwargs.get("axis", tensors[1] if len(tensors) > 1 else 0)
        tensors = tensors[0]
    else:
        import warnings

        warnings.warn(
            "stack(*tensors) interface is deprecated, use stack(tensors, axis=0) instead.",
            DeprecationWarning,
            stacklevel=3,
        )
        axis = kwargs.get("axis", 0)
    if len(tensors) == 0:
        raise Exception(
            "tensors is empty. You should at least provide one tensor to theano.tensor.stack(tensors, axis)."
        )
    if axis:
        ndim = as_tensor_variable(tensors[0]).ndim + 1
        if not -ndim <= axis < ndim:
            raise IndexError(f"axis {axis} is out of bounds [-{ndim}, {ndim})")
        axis %= ndim
    if all(_is_number(t) for t in tensors):
        # numbers make a vector in one op, which rewrites can look into
        from theano_compat.tensor.opt import MakeVector

        tensors = [as_tensor_variable(t) for t in tensors]
        return MakeVector(scal.upcast(*(t.dtype for t in tensors)))(*tensors)
    return join(axis, *(shape_padaxis(t, axis) for t in tensors))


def _is_number(t):
    if isinstance(t, Variable):
        return isinstance(t.type, (TensorType, scal.Scalar)) and t.ndim == 0
    return isinstance(t, (np.number, float, int, complex)) and not isinstance(t, bool)


def stacklists(arg):
    """Return a tensor made of nested lists of tensors: each level of lists is one dimension."""
    return stack([stacklists(item) for item in arg]) if isinstance(arg, (tuple, list)) else arg


def horizontal_stack(*args):
    """Return two or more matrices put side by side."""
    return concatenate(_several_matrices(args), axis=1)


def vertical_stack(*args):
    """Return two or more matrices put one below the other."""
    return concatenate(_several_matrices(args), axis=0)


def _several_matrices(args):
    assert len(args) > 1 and all(matrix.type.ndim == 2 for matrix in args), "needs two or more matrices"
    return args


def split(x, splits_size, n_splits, axis=0):
    """Return `x` cut along `axis` into `n_splits` parts of the lengths `splits_size`."""
    return Split(n_splits)(x, axis, splits_size)


def roll(x, shift, axis=None):
    """Return `x` with its elements moved by `shift` places along `axis`, round the end.

    Without an axis the elements are moved in C order.
    """
    x = as_tensor_variable(x)
    if axis is None:
        return roll(x, shift, axis=0) if x.ndim == 1 else roll(x.flatten(), shift, axis=0).reshape(x.shape)
    axis = axis + x.ndim if axis < 0 else axis
    shift = shift % x.shape[axis]
    before = (slice(None),) * axis
    after = (slice(None),) * (x.ndim - axis - 1)
    tail = x[(*before, slice(-shift, None), *after)]
    head = x[(*before, slice(0, -shift), *after)]
    return join(axis, tail, head)


class Tile(Op):
    """An array repeated along its dimensions (`tile` uses Alloc and Reshape instead)."""

    __props__ = ("ndim",)

    def __init__(self, ndim):
        self.ndim = ndim

    def __str__(self):
        return f"{self.__class__.__name__}{{ndim={self.ndim}}}"

    def make_node(self, x, reps):
        """Take the array and a vector of numbers of repetitions."""
        import warnings

        warnings.warn(
            "Tile op is deprecated, use tile function instead.", DeprecationWarning, stacklevel=3
        )
        x, reps = as_tensor_variable(x), as_tensor_variable(reps)
        return Apply(self, [x, reps], [TensorType(x.type.dtype, [False] * self.ndim)()])

    def perform(self, node, inp, out_):
        """Store the repeated array."""
        x, reps = inp
        result = np.tile(x, reps)
        if result.ndim != self.ndim:
            raise ValueError(f"Tile.perform produced incorrect number of dimensions: {result.ndim}, not {self.ndim}")
        out_[0][0] = result if not np.may_share_memory(result, x) else result.copy()

    def infer_shape(self, node, in_shapes):
        """Return each length times its number of repetitions."""
        lengths, reps = in_shapes[0], node.inputs[1]
        padded = [1] * (self.ndim - len(lengths)) + list(lengths)
        return [[length * reps[i] for i, length in enumerate(padded)]]

    def grad(self, inp, grads):
        """Not defined: use the function `tile`."""
        raise NotImplementedError()


def tile(x, reps, ndim=None):
    """Return `x` repeated along its dimensions.

    Parameters
    ----------
    x : tensor_like
    reps : int, integer scalar, sequence of them, or integer vector
        Number of repetitions of each dimension; ones are added in front where there are too few.
    ndim : int, optional
        Rank of the result; needed if `reps` is a vector variable.

    Returns
    -------
    TensorVariable
        Of the greatest of ``x.ndim``, the number of `reps`, and `ndim` dimensions.
    """
    x = as_tensor_variable(x)
    if ndim is not None and ndim < x.ndim:
        raise ValueError("ndim should be equal or larger than x.ndim")
    if not isinstance(reps, (list, tuple)):
        vector = as_tensor_variable(reps)
        if vector.dtype not in int_dtypes + [d for d in integer_dtypes if d not in int_dtypes]:
            raise ValueError("if reps is a scalar, it should be an integer scalar" if vector.ndim == 0 else
                             "if reps is a vector, it should be an integer vector")  # fmt: skip
        if vector.ndim not in (0, 1):
            raise ValueError("the dimension of reps should not exceed 1")
        if vector.ndim == 0:
            reps = [reps]
        elif not isinstance(reps, Variable):
            reps = list(reps)
        else:
            reps = _reps_of_unknown_length(vector, x, ndim)
    elif not all(_is_integer(r) for r in reps):
        raise ValueError("elements of reps must be scalars of integer dtype")
    ndim = max(len(reps), x.ndim) if ndim is None else ndim
    if len(reps) > ndim:
        raise ValueError("len(reps) should be equal or less than ndim")
    reps = [1] * (ndim - len(reps)) + list(reps)
    lengths = [1] * (ndim - x.ndim) + [x.shape[i] for i in range(x.ndim)]
    # all repetitions as leading dimensions, each then moved before the dimension that it repeats
    repeated = alloc(x, *reps, *lengths)
    order = [axis for i in range(ndim) for axis in (i, i + ndim)]
    return repeated.dimshuffle(*order).reshape([length * r for length, r in zip(lengths, reps)])


def _is_integer(r):
    return isinstance(r, (int, np.integer)) or (isinstance(r, TensorVariable) and r.dtype in integer_dtypes) or (
        isinstance(r, Variable) and r.ndim == 0 and r.dtype in integer_dtypes
    )


def _reps_of_unknown_length(reps, x, ndim):
    from theano_compat.tensor.opt import Assert

    if ndim is None:
        raise ValueError("if reps is tensor.vector, you should specify the ndim")
    missing = ndim - reps.shape[0]
    missing = Assert("Theano Assert failed!")(missing, ew.ge(missing, 0))
    return [ew.switch(ew.gt(missing, i), 1, reps[i - missing]) for i in range(ndim)]


__all__ = [
    "Join", "Split", "Tile", "arange", "concatenate", "horizontal_stack", "join", "join_", "roll", "split", "stack",
    "stacklists", "tile", "vertical_stack", "DimShuffle",
]  # fmt: skip
