"""Other shapes of the same elements: reshape, flatten, transpose, padding and known dimensions."""

from __future__ import annotations

import numpy as np

from theano_compat.compile.ops import Rebroadcast, Shape, Shape_i, SpecifyShape, shape, specify_shape
from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor.basic import elementwise as ew
from theano_compat.tensor.basic.conversion import (
    NotScalarConstantError,
    as_tensor_variable,
    get_scalar_constant_value,
    get_vector_length,
    int_dtypes,
    uint_dtypes,
)
from theano_compat.tensor.basic.extents import Extent
from theano_compat.tensor.basic.vector_elements import elements
from theano_compat.tensor.elemwise import DimShuffle
from theano_compat.tensor.type import TensorType
from theano_compat.tensor.var import TensorConstant

# --- known dimensions of length one -----------------------------------------------------------------------


def _rebroadcast(x, wanted):
    """Return `x` with the given dimensions known (True) or not known (False) to have length one."""
    wanted = dict(wanted)
    if any(axis >= x.type.ndim for axis in wanted):
        return Rebroadcast(*sorted(wanted.items()))(x)  # raises
    pattern = [wanted.get(axis, known) for axis, known in enumerate(x.type.broadcastable)]
    # several in a row are one
    while x.owner is not None and isinstance(x.owner.op, Rebroadcast):
        x = x.owner.inputs[0]
    changed = [(axis, known) for axis, known in enumerate(pattern) if known != x.type.broadcastable[axis]]
    return Rebroadcast(*changed)(x) if changed else x


def addbroadcast(x, *axes):
    """Return `x` with dimensions declared to have length one, which is checked when it is computed.

    Parameters
    ----------
    x : tensor_like
    axes : int

    Raises
    ------
    ValueError
        If there is no such dimension.
    """
    return _rebroadcast(as_tensor_variable(x), [(axis, True) for axis in axes])


def unbroadcast(x, *axes):
    """Return `x` with dimensions no longer known to have length one."""
    return _rebroadcast(as_tensor_variable(x), [(axis, False) for axis in axes])


def patternbroadcast(x, broadcastable):
    """Return `x` with exactly the broadcast pattern given."""
    return _rebroadcast(as_tensor_variable(x), list(enumerate(broadcastable)))


# --- reshape --------------------------------------------------------------------------------------------


def _is_one(length):
    try:
        return bool(get_scalar_constant_value(length) == 1)
    except NotScalarConstantError:
        return False


class Reshape(Op):
    """The elements in C order with other lengths; a length of -1 is found from the others."""

    view_map = {0: [0]}
    _f16_ok = True
    check_input = False
    __props__ = ("ndim",)

    def __init__(self, ndim, name=None):
        self.ndim = int(ndim)
        if ndim < 0:
            raise ValueError("The output dimensions after reshape must be 0 or greater")
        assert name is None, "name attribute for Reshape has been deprecated"

    def __str__(self):
        return f"{self.__class__.__name__}{{{self.ndim}}}"

    def make_node(self, x, shp):
        """Take the array, and the lengths as an integer vector or a list of integer scalars."""
        x, given = as_tensor_variable(x), shp
        shp = as_tensor_variable(given, ndim=1)
        empty = isinstance(shp, TensorConstant) and shp.data.size == 0
        if not (shp.dtype in int_dtypes or shp.dtype in uint_dtypes or empty):
            raise TypeError("Shape must be integers", shp, shp.dtype)
        if isinstance(shp, TensorConstant):
            pattern = [length == 1 for length in shp.data]
        elif getattr(given, "ndim", 1) == 0:
            pattern = [_is_one(given)]
        else:
            pattern = [_is_one(as_tensor_variable(given[i])) for i in range(self.ndim)]
        return Apply(self, [x, shp], [TensorType(x.type.dtype, pattern)()])

    def perform(self, node, inp, out_, params=None):
        """Store a view where NumPy can make one."""
        x, shp = inp
        if len(shp) != self.ndim:
            raise ValueError(
                f"shape argument to Reshape.perform has incorrect length {len(shp)}, should be {self.ndim}"
            )
        try:
            out_[0][0] = np.reshape(x, [int(length) for length in shp])
        except ValueError:
            raise ValueError(f"Cannot reshape input of shape {x.shape} to shape {shp}") from None

    def connection_pattern(self, node):
        """The elements do not depend on the shape."""
        return [[True], [False]]

    def grad(self, inp, grads):
        """Reshape back."""
        x, _ = inp
        return [reshape(grads[0], x.shape, ndim=x.ndim), DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        """Reshape the direction too."""
        return [None] if eval_points[0] is None else self(eval_points[0], *inputs[1:], return_list=True)

    def infer_shape(self, node, ishapes):
        """Return the lengths, with -1 replaced by what is left of the elements."""
        lengths = [_known_or_symbolic(length) for length in elements(node.inputs[1], self.ndim)]
        if len(lengths) != self.ndim:
            raise ValueError(f"Reshape to {self.ndim} dimensions, but there are {len(lengths)} lengths")
        size = ew.mul(*ishapes[0]) if len(ishapes[0]) > 1 else (ishapes[0][0] if ishapes[0] else 1)
        if any(isinstance(length, int) and length == -1 for length in lengths):
            # the others are no -1
            others = [length for length in lengths if not (isinstance(length, int) and length == -1)]
            rest = size
            if others:
                rest = size // (ew.mul(*others) if len(others) > 1 else others[0])
            return [tuple(rest if isinstance(length, int) and length == -1 else length for length in lengths)]
        unsure = [not isinstance(length, int) and not Extent.of(length).is_at_least(0) for length in lengths]
        if not any(unsure):
            return [tuple(lengths)]
        # any of these may turn out to be -1; then minus the product is what the others multiply to
        product = ew.mul(*lengths) if len(lengths) > 1 else lengths[0]
        rest = size // ew.maximum(-product, 1)
        return [
            tuple(
                ew.switch(ew.eq(length, -1), rest, length) if may_be_rest else length
                for length, may_be_rest in zip(lengths, unsure)
            )
        ]


def _known_or_symbolic(length):
    if isinstance(length, int):
        return length
    try:
        return int(get_scalar_constant_value(length, max_recur=3))
    except NotScalarConstantError:
        return length


def reshape(x, newshape, ndim=None):
    """Return `x` with another shape.

    Parameters
    ----------
    x : tensor_like
    newshape : sequence of int or scalar variables, or an integer vector
        One length may be -1: it is found from the number of elements.
    ndim : int, optional
        Rank of the result, needed if the length of `newshape` is not known.

    Raises
    ------
    TypeError
        If `newshape` is no vector.
    ValueError
        If the rank is not known.
    """
    if ndim is None:
        newshape = as_tensor_variable(newshape)
        if newshape.ndim != 1:
            raise TypeError(
                "New shape in reshape must be a vector or a list/tuple of scalar. "
                f"Got {newshape} after conversion to a vector."
            )
        try:
            ndim = get_vector_length(newshape)
        except ValueError:
            raise ValueError(
                f"The length of the provided shape ({newshape}) cannot be automatically determined, so Theano is not "
                "able to know what the number of dimensions of the reshaped variable will be. You can provide the "
                "'ndim' keyword argument to 'reshape' to avoid this problem."
            ) from None
    return Reshape(ndim)(x, newshape)


class Flatten(Op):
    """The elements in C order with all but the first ``outdim - 1`` dimensions collapsed (`flatten` uses Reshape)."""

    view_map = {0: [0]}
    _f16_ok = True
    check_input = False
    __props__ = ("outdim",)

    def __init__(self, outdim=1):
        self.outdim = int(outdim)

    def __str__(self):
        return f"{self.__class__.__name__}{{{self.outdim}}}"

    def make_node(self, x):
        """Take the array."""
        x = as_tensor_variable(x)
        if self.outdim < 1 or (x.ndim and self.outdim > x.ndim):
            raise ValueError(f"invalid output ndimensions ({self.outdim}) for tensor of rank {x.ndim}")
        kept = self.outdim - 1
        pattern = (*x.broadcastable[:kept], all(x.broadcastable[kept:]))
        return Apply(self, [x], [TensorType(x.type.dtype, pattern)()])

    def perform(self, node, inp, out_):
        """Store a view where NumPy can make one."""
        (x,) = inp
        kept = x.shape[: self.outdim - 1]
        rest = int(np.prod(x.shape[self.outdim - 1 :], dtype="int64"))
        out_[0][0] = x.reshape((*kept, rest))

    def infer_shape(self, node, in_shapes):
        """Return the kept lengths and the product of the others."""
        (lengths,) = in_shapes
        rest = 1
        for length in lengths[self.outdim - 1 :]:
            rest = length if isinstance(rest, int) else rest * length
        return [(*lengths[: self.outdim - 1], as_tensor_variable(rest))]

    def grad(self, inp, grads):
        """Reshape back."""
        (x,) = inp
        return [reshape(grads[0], x.shape, x.ndim)]

    def R_op(self, inputs, eval_points):
        """Flatten the direction too."""
        return [None] if eval_points[0] is None else self(*eval_points, return_list=True)


def is_flat(var, ndim=None, outdim=None):
    """Return whether `var` has `ndim` dimensions (1 by default)."""
    if outdim is not None and ndim is not None:
        raise ValueError("You should only specify ndim")
    wanted = outdim if outdim is not None else 1 if ndim is None else ndim
    return var.ndim == wanted


def flatten(x, ndim=None, outdim=None):
    """Return `x` with all but the first ``ndim - 1`` dimensions collapsed into one.

    Parameters
    ----------
    x : tensor_like
    ndim : int
        Rank of the result, 1 by default.
    outdim : int, optional
        Old name of `ndim`.

    Raises
    ------
    ValueError
        If `x` has fewer dimensions.
    """
    if outdim is not None:
        if ndim is not None:
            raise ValueError("You should only specify ndim")
        import warnings

        warnings.warn("flatten outdim parameter is deprecated, use ndim instead.", stacklevel=2)
        ndim = outdim
    ndim = 1 if ndim is None else ndim
    x = as_tensor_variable(x)
    if ndim < 1 or (ndim > 1 and ndim > x.ndim):
        raise ValueError(f"ndim {ndim} out of bound [1, {x.ndim + 1})")
    lengths = (*x.shape[: ndim - 1], -1) if ndim > 1 else (-1,)
    pattern = (*x.broadcastable[: ndim - 1], all(x.broadcastable[ndim - 1 :]))
    return addbroadcast(x.reshape(lengths), *(i for i, one in enumerate(pattern) if one))


# --- dimshuffles ------------------------------------------------------------------------------------------


def transpose(x, axes=None):
    """Return `x` with its dimensions permuted: reversed, or in the order of `axes`."""
    x = as_tensor_variable(x)
    if axes is None:
        axes = list(range(x.type.ndim - 1, -1, -1))
    result = DimShuffle(x.broadcastable, axes)(x)
    if x.name and axes == list(range(x.type.ndim - 1, -1, -1)):
        result.name = x.name + ".T"
    return result


def swapaxes(y, axis1, axis2):
    """Return `y` with two dimensions exchanged."""
    y = as_tensor_variable(y)
    order = list(range(y.type.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return y.dimshuffle(order)


def shape_padleft(t, n_ones=1):
    """Return `t` with `n_ones` dimensions of length one added in front."""
    t = as_tensor_variable(t)
    return DimShuffle(t.broadcastable, ["x"] * n_ones + list(range(t.type.ndim)))(t)


def shape_padright(t, n_ones=1):
    """Return `t` with `n_ones` dimensions of length one added at the end."""
    t = as_tensor_variable(t)
    return DimShuffle(t.broadcastable, list(range(t.type.ndim)) + ["x"] * n_ones)(t)


def shape_padaxis(t, axis):
    """Return `t` with a dimension of length one added so that it is number `axis` of the result."""
    t = as_tensor_variable(t)
    ndim = t.ndim + 1
    if not -ndim <= axis < ndim:
        raise IndexError(f"axis {axis} is out of bounds [-{ndim}, {ndim})")
    order = list(range(t.type.ndim))
    order.insert(axis % ndim, "x")
    return DimShuffle(t.broadcastable, order)(t)


__all__ = [
    "Flatten", "Rebroadcast", "Reshape", "Shape", "Shape_i", "SpecifyShape", "addbroadcast", "flatten", "is_flat",
    "patternbroadcast", "reshape", "shape", "shape_padaxis", "shape_padleft", "shape_padright", "specify_shape",
    "swapaxes", "transpose", "unbroadcast",
]  # fmt: skip
