"""Advanced indexing by any mixture of arrays, masks, slices and new axes."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op, Variable
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as tb
from theano_compat.tensor.subtensor.inc import _sum_grad_over_bcasted_dims, float_zeros_like
from theano_compat.tensor.subtensor.indices import (
    AdvancedLayout,
    _is_bool,
    adv_index_broadcastable_pattern,
    as_index_variable,
    check_advanced_indexing_dimensions,
    check_and_reject_bool,
    slice_len,
)
from theano_compat.tensor.type_other import MakeSlice, NoneTypeT


class BaseAdvancedSubtensor(Op):
    """Take ``x[index]`` by NumPy's rules; the parent of the integer and the boolean form."""

    __props__ = ()

    def make_node(self, x, *index):
        x = tb.as_tensor_variable(x)
        index = tuple(as_index_variable(entry) for entry in index)
        pattern = adv_index_broadcastable_pattern(x, index)
        return Apply(self, (x, *index), [tb.tensor(dtype=x.type.dtype, broadcastable=pattern)])

    def perform(self, node, inputs, out_):
        x, *index = inputs
        check_advanced_indexing_dimensions(x, index)
        result = x[tuple(index)]
        out_[0][0] = np.asarray(result, dtype=x.dtype)

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None]
        return self.make_node(eval_points[0], *inputs[1:]).outputs

    def connection_pattern(self, node):
        return [[True]] + [[False] for _ in node.inputs[1:]]

    def infer_shape(self, node, ishapes):
        return [_advanced_shape(node.inputs[0].ndim, node.inputs[1:], ishapes)]

    #: The op that scatters a gradient back, set below.
    scatter: Op

    def grad(self, inputs, grads):
        x, *index = inputs
        (gz,) = grads
        if x.dtype in tb.discrete_dtypes:
            gx = float_zeros_like(x)
        elif x.dtype in tb.complex_dtypes:
            raise NotImplementedError("No support for complex grad yet")
        else:
            gx = self.scatter(x.zeros_like(), gz, *index)
        return [gx] + [DisconnectedType()() for _ in index]


def _advanced_shape(ndim: int, index, ishapes) -> list:
    """Shape of ``x[index]``, where it follows from shapes alone."""
    if any(_is_bool(entry) for entry in index):
        raise tb.ShapeError("the extent of a boolean index depends on its values")
    layout = AdvancedLayout(ndim, index)
    shape_of = dict(zip((id(entry) for entry in index), ishapes[1:]))
    joint: list = [None] * layout.rank
    for entry, arity in layout.arrays:
        for k in range(arity):
            place = layout.rank - arity + k
            one = entry.type.broadcastable[k]
            if not one or joint[place] is None:
                joint[place] = shape_of[id(entry)][k]
    result = []
    for origin, *where in layout.dims:
        if origin == "new":
            result.append(1)
        elif origin == "index":
            result.append(joint[where[0]])
        else:
            axis, entry = where
            extent = ishapes[0][axis]
            result.append(extent if entry is None else slice_len(_symbolic_slice(entry), extent))
    return result


def _symbolic_slice(entry) -> slice:
    """Give the slice that a variable of slice type stands for."""
    data = getattr(entry, "data", None)
    if isinstance(data, slice):
        return data
    if entry.owner is None or not isinstance(entry.owner.op, MakeSlice):
        raise tb.ShapeError("the slice is not known before the function runs")
    return slice(
        *(
            None if isinstance(part, Variable) and isinstance(part.type, NoneTypeT) else part
            for part in entry.owner.inputs
        )
    )


class AdvancedSubtensor(BaseAdvancedSubtensor):
    """Take ``x[index]``, where `index` has integer arrays but no masks."""

    def make_node(self, x, *index):
        check_and_reject_bool(index)
        return BaseAdvancedSubtensor.make_node(self, x, *index)

    @property
    def scatter(self):
        return advanced_inc_subtensor


class AdvancedBooleanSubtensor(BaseAdvancedSubtensor):
    """Take ``x[index]``, where `index` has at least one boolean mask."""

    @property
    def scatter(self):
        return advanced_boolean_inc_subtensor


class BaseAdvancedIncSubtensor(Op):
    """Return `x` with `y` added to (or written into) ``x[index]`` by NumPy's rules.

    Parameters
    ----------
    inplace
        Must be false.
    set_instead_of_inc
        Write instead of adding.

    Raises
    ------
    NotImplementedError
        `inplace` is true.
    """

    __props__ = ("inplace", "set_instead_of_inc")

    def __init__(self, inplace=False, set_instead_of_inc=False):
        self.inplace = inplace
        self.set_instead_of_inc = set_instead_of_inc
        if inplace:
            raise NotImplementedError("In place computation is not implemented")

    def __str__(self):
        return (
            f"{type(self).__name__}{{inplace={self.inplace},  "
            f"set_instead_of_inc={self.set_instead_of_inc}}}"
        )

    def make_node(self, x, y, *inputs):
        x, y = tb.as_tensor_variable(x), tb.as_tensor_variable(y)
        index = [as_index_variable(entry) for entry in inputs]
        return Apply(
            self, [x, y, *index], [tb.tensor(dtype=x.type.dtype, broadcastable=x.type.broadcastable)]
        )

    def perform(self, node, inputs, out_):
        x, y, *index = inputs
        check_advanced_indexing_dimensions(x, index)
        x = x.copy()
        index = tuple(index)
        if self.set_instead_of_inc:
            x[index] = y
        else:
            np.add.at(x, index, y)
        out_[0][0] = x

    def infer_shape(self, node, ishapes):
        return [ishapes[0]]

    def connection_pattern(self, node):
        return [[True], [True]] + [[False] for _ in node.inputs[2:]]

    def R_op(self, inputs, eval_points):
        if None in eval_points[:2]:
            return [None]
        return self.make_node(eval_points[0], eval_points[1], *inputs[2:]).outputs

    #: The op that reads the same places, and the one that writes them; set below.
    gather: Op
    write: Op

    def grad(self, inpt, output_gradients):
        x, y, *index = inpt
        (g_output,) = output_gradients
        if x.dtype in tb.discrete_dtypes:
            gx, gy = float_zeros_like(x), float_zeros_like(y)
        elif x.dtype in tb.complex_dtypes:
            raise NotImplementedError("No support for complex grad yet")
        else:
            gx = self.write(g_output, y.zeros_like(), *index) if self.set_instead_of_inc else g_output
            gy = _sum_grad_over_bcasted_dims(y, self.gather(g_output, *index))
        return [gx, gy] + [DisconnectedType()() for _ in index]


class AdvancedIncSubtensor(BaseAdvancedIncSubtensor):
    """Set or increment ``x[index]``, where `index` has integer arrays but no masks."""

    def make_node(self, x, y, *inputs):
        check_and_reject_bool(inputs)
        return BaseAdvancedIncSubtensor.make_node(self, x, y, *inputs)

    @property
    def gather(self):
        return advanced_subtensor

    @property
    def write(self):
        return advanced_set_subtensor


class AdvancedBooleanIncSubtensor(BaseAdvancedIncSubtensor):
    """Set or increment ``x[index]``, where `index` has at least one boolean mask."""

    @property
    def gather(self):
        return advanced_boolean_subtensor

    @property
    def write(self):
        return advanced_boolean_set_subtensor


advanced_subtensor = AdvancedSubtensor()
advanced_boolean_subtensor = AdvancedBooleanSubtensor()
advanced_inc_subtensor = AdvancedIncSubtensor()
advanced_set_subtensor = AdvancedIncSubtensor(set_instead_of_inc=True)
advanced_boolean_inc_subtensor = AdvancedBooleanIncSubtensor()
advanced_boolean_set_subtensor = AdvancedBooleanIncSubtensor(set_instead_of_inc=True)
