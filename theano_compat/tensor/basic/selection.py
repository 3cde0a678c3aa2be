"""Picking elements: nonzero, choose, permutations, defaults, grids, and moving between devices."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType, grad_not_implemented, grad_undefined
from theano_compat.tensor.basic import elementwise as ew
from theano_compat.tensor.basic.conversion import (
    as_tensor_variable,
    discrete_dtypes,
    int_dtypes,
    integer_dtypes,
)
from theano_compat.tensor.basic.creation import arange, ones_like
from theano_compat.tensor.basic.shaping import shape_padleft
from theano_compat.tensor.type import TensorType


class Nonzero(Op):
    """The indices of the elements that are not zero: one row a dimension."""

    __props__ = ()

    def make_node(self, a):
        """Take an array of at least one dimension."""
        a = as_tensor_variable(a)
        if a.ndim == 0:
            raise ValueError("Nonzero only supports non-scalar arrays.")
        return Apply(self, [a], [TensorType("int64", (False, False))()])

    def perform(self, node, inp, out_):
        """Store the indices."""
        rows = np.nonzero(inp[0])
        out_[0][0] = np.stack(rows).astype("int64", copy=False)

    def grad(self, inp, grads):
        """Indices are discrete."""
        return [grad_undefined(self, 0, inp[0])]


_nonzero = Nonzero()


def nonzero(a, return_matrix=False):
    """Return the indices of the elements of `a` that are not zero.

    Parameters
    ----------
    a : tensor_like
        Of at least one dimension.
    return_matrix : bool
        Return one int64 matrix with a row for each dimension, instead of a tuple of vectors.
    """
    indices = _nonzero(a)
    if return_matrix:
        return indices
    return tuple(indices[i] for i in range(as_tensor_variable(a).ndim))


def flatnonzero(a):
    """Return the positions in C order (an int64 vector) of the elements of `a` that are not zero."""
    a = as_tensor_variable(a)
    if a.ndim == 0:
        raise ValueError("Nonzero only supports non-scalar arrays.")
    return nonzero(a.flatten(), return_matrix=False)[0]


def nonzero_values(a):
    """Return the elements of `a` that are not zero, as a vector in C order."""
    a = as_tensor_variable(a)
    return a.flatten()[flatnonzero(a)]


class Choose(Op):
    """Elements of several arrays, picked by an array of their numbers."""

    __props__ = ("mode",)

    def __init__(self, mode):
        assert mode in ("raise", "wrap", "clip")
        self.mode = mode

    def make_node(self, a, choices):
        """Take integers, and an array whose first dimension they count (or a list of arrays)."""
        a = as_tensor_variable(a)
        if a.dtype not in integer_dtypes:
            raise TypeError(f"choose first argument must have an [u]int* dtype. Got {a.dtype}.")
        if isinstance(choices, (tuple, list)):
            return self._make_node_of_several(a, [as_tensor_variable(c) for c in choices])
        choices = as_tensor_variable(choices)
        # line both up: the picked arrays and the picker broadcast against each other
        ndim = max(a.ndim, choices.ndim - 1)
        a = shape_padleft(a, ndim - a.ndim)
        if choices.ndim - 1 < ndim:
            choices = choices.dimshuffle(0, *["x"] * (ndim - choices.ndim + 1), *range(1, choices.ndim))
        pattern = [x and y for x, y in zip(a.broadcastable, choices.broadcastable[1:])]
        return Apply(self, [a, choices], [TensorType(choices.dtype, pattern)()])

    def _make_node_of_several(self, a, choices):
        """Take arrays of a common dtype, of shapes that broadcast against each other."""
        from theano_compat.tensor.basic.casting import cast
        from theano_compat.tensor.basic.shaping import unbroadcast
        from theano_compat.typed_list import make_list

        ndim = max(c.ndim for c in [a, *choices])
        dtype = scal.upcast(*(c.dtype for c in choices))
        a, *choices = [shape_padleft(c, ndim - c.ndim) if c.ndim < ndim else c for c in [a, *choices]]
        choices = [unbroadcast(cast(c, dtype), *range(ndim)) for c in choices]
        return Apply(self, [a, make_list(choices)], [TensorType(dtype, (False,) * ndim)()])

    def perform(self, node, inputs, outputs):
        """Store the picked elements."""
        a, choices = inputs
        number = a.astype("int64")
        if isinstance(choices, list):
            choices = np.stack(np.broadcast_arrays(*choices))
        if self.mode == "raise":
            if number.size and (number.min() < 0 or number.max() >= choices.shape[0]):
                raise ValueError("invalid entry in choice array")
        elif self.mode == "wrap":
            number = number % choices.shape[0]
        else:
            number = np.clip(number, 0, choices.shape[0] - 1)
        shape = np.broadcast_shapes(number.shape, choices.shape[1:])
        number = np.broadcast_to(number, shape)
        choices = np.broadcast_to(choices, (choices.shape[0], *shape))
        outputs[0][0] = np.take_along_axis(choices, number[None], axis=0)[0]

    def infer_shape(self, node, shapes):
        """Return the lengths after broadcasting."""
        a, choices = node.inputs
        if not isinstance(choices.type, TensorType):
            # nothing is known of the arrays in a list
            return [tuple(node.outputs[0].shape[i] for i in range(a.ndim))]
        lengths = []
        for i, (picker, picked) in enumerate(zip(shapes[0], shapes[1][1:])):
            if a.type.broadcastable[i]:
                lengths.append(picked)
            elif choices.type.broadcastable[i + 1]:
                lengths.append(picker)
            else:
                lengths.append(ew.switch(ew.eq(picker, 1), picked, picker))
        return [tuple(lengths)]

    def connection_pattern(self, node):
        """Only what is picked from is continuous."""
        return [[False], [True]]

    def grad(self, inputs, grads):
        """Not implemented for what is picked from."""
        return [DisconnectedType()(), grad_not_implemented(self, 1, inputs[1])]


def choose(a, choices, out=None, mode="raise"):
    """Return an array whose elements are picked from `choices` by the integers `a`.

    Parameters
    ----------
    a : integer tensor_like
    choices : tensor_like, or list of tensor_like
        The first dimension is the one that `a` counts.
    out : None
        Not supported.
    mode : {'raise', 'wrap', 'clip'}
        What to do with numbers out of range.
    """
    assert out is None
    return Choose(mode)(a, choices)


class Default(Op):
    """A value, or another one where it is None."""

    view_map = {0: [0]}
    __props__ = ()

    def make_node(self, x, default):
        """Take two variables of the same type."""
        x, default = as_tensor_variable(x), as_tensor_variable(default)
        if x.type != default.type:
            raise TypeError("Both default() arguments must have same type", x, default)
        return Apply(self, [x, default], [default.type()])

    def perform(self, node, inp, out_):
        """Store the value, or a copy of the default."""
        x, default = inp
        out_[0][0] = default.copy() if x is None else x


default = Default()
setdefault = default


class PermuteRowElements(Op):
    """The elements of each row (the last dimension) in another order, or put back from it."""

    __props__ = ()

    def make_node(self, x, y, inverse):
        """Take the array, the order as integers, and whether to invert it."""
        x, y = as_tensor_variable(x), as_tensor_variable(y)
        inverse = as_tensor_variable(1 if inverse is True else 0 if inverse is False else inverse)
        if y.type.dtype not in integer_dtypes:
            raise TypeError("the order must be integers", y.type)
        assert inverse.type.ndim == 0 and inverse.type.dtype in integer_dtypes
        ndim = max(x.type.ndim, y.type.ndim)
        x, y = shape_padleft(x, ndim - x.type.ndim) if x.type.ndim < ndim else x, (
            shape_padleft(y, ndim - y.type.ndim) if y.type.ndim < ndim else y
        )
        pattern = [a and b for a, b in zip(x.type.broadcastable, y.type.broadcastable)]
        return Apply(self, [x, y, inverse], [TensorType(x.type.dtype, pattern)()])

    def perform(self, node, inp, out):
        """Store the rows in the new order."""
        x, y, inverse = inp
        if x.shape[-1] != y.shape[-1]:
            raise ValueError("the order must have as many entries as a row", x.shape, y.shape)
        shape = np.broadcast_shapes(x.shape, y.shape)
        x, y = np.broadcast_to(x, shape), np.broadcast_to(y, shape).astype("int64")
        if inverse:
            result = np.empty(shape, dtype=x.dtype)
            np.put_along_axis(result, y, x, axis=-1)
        else:
            result = np.take_along_axis(x, y, axis=-1)
        out[0][0] = result

    def infer_shape(self, node, in_shapes):
        """Return the lengths after broadcasting."""
        x, y, _ = node.inputs
        lengths = []
        for i, (a, b) in enumerate(zip(in_shapes[0], in_shapes[1])):
            lengths.append(b if x.type.broadcastable[i] else a if y.type.broadcastable[i] else ew.maximum(a, b))
        return [lengths]

    def grad(self, inp, grads):
        """Put the gradient in the original order, summed where a row was broadcast."""
        x, y, inverse = inp
        (gz,) = grads
        gx = permute_row_elements(gz, y, ew.eq(inverse, 0).astype("int8"))
        # x may have been broadcast against the order
        axes = [i for i, (a, b) in enumerate(zip(x.type.broadcastable, gx.type.broadcastable)) if a and not b]
        if axes:
            gx = gx.sum(axis=axes, keepdims=True)
        if x.type.dtype in discrete_dtypes:
            gx = x.zeros_like(dtype=gx.dtype)
        return [gx, grad_undefined(self, 1, y), grad_undefined(self, 1, inverse)]


_permute_row_elements = PermuteRowElements()


def permute_row_elements(x, y, inverse=0):
    """Return `x` with the elements of each row (last dimension) in the order `y`, or back from it if `inverse`."""
    return _permute_row_elements(x, y, inverse)


def inverse_permutation(perm):
    """Return the permutations that undo those in the rows of `perm` (a vector or matrix of integers)."""
    perm = as_tensor_variable(perm)
    return permute_row_elements(arange(perm.shape[-1], dtype=perm.dtype), perm, inverse=True)


class _nd_grid:
    """Coordinate grids made by indexing with slices, as NumPy's ``mgrid`` (dense) and ``ogrid`` (sparse)."""

    def __init__(self, sparse=False):
        self.sparse = sparse

    def __getitem__(self, slices):
        slices = slices if isinstance(slices, tuple) else (slices,)
        for s in slices:
            if isinstance(s.step, complex):
                raise NotImplementedError("Not implemented for slices whose step is complex")
        ranges = [arange(s.start or 0, s.stop, 1 if s.step is None else s.step) for s in slices]
        ndim = len(ranges)
        ranges = [
            r.reshape([1] * i + [r.shape[0]] + [1] * (ndim - 1 - i)) for i, r in enumerate(ranges)
        ]
        if self.sparse:
            return ranges
        grids = []
        for i, varying in enumerate(ranges):
            grid = 1
            for j, other in enumerate(ranges):
                grid = grid * (varying if i == j else ones_like(other))
            grids.append(grid)
        return grids


mgrid = _nd_grid()
ogrid = _nd_grid(sparse=True)


_all_transfers = []


def register_transfer(fn):
    """Register a function ``fn(variable, target)`` that moves a variable to a device it knows, else returns None."""
    _all_transfers.append(fn)


def transfer(var, target):
    """Return `var` moved to a device.

    Parameters
    ----------
    var : Variable
    target : str
        ``'cpu'``, or what a function given to `register_transfer` knows: the name of a GPU context.

    Raises
    ------
    ValueError
        If nobody knows the target.
    """
    if target == "cpu":
        return as_tensor_variable(var)
    for move in _all_transfers:
        moved = move(var, target)
        if moved is not None:
            return moved
    raise ValueError(f"Can't transfer to target {target}")


__all__ = [
    "Choose", "Default", "Nonzero", "PermuteRowElements", "_all_transfers", "_nd_grid", "_nonzero",
    "_permute_row_elements", "choose", "default", "flatnonzero", "int_dtypes", "inverse_permutation", "mgrid",
    "nonzero", "nonzero_values", "ogrid", "permute_row_elements", "register_transfer", "setdefault", "transfer",
]  # fmt: skip
