"""Products of rows that are taken several times: each row takes part in them once.

An embedding takes a few rows of a matrix again and again: ``x[i]`` for a long vector `i` of few different numbers. With the rows that occur, and for each element of
`i` its place among them, ``x[i]`` is ``x[rows][place]``, and then

* ``dot(x[i], y)`` is ``dot(x[rows], y)[place]``,
* ``dot(x[i].T, y)`` is ``dot(x[rows].T, s)``, where row `k` of `s` is the sum of the rows of `y` whose place is `k`,
* adding the rows of ``dot(y, w)`` to ``x[i]`` is adding those of ``dot(s, w)`` to ``x[rows]``:

a product with a row for each letter of an alphabet instead of each letter of a text. Theano has nothing of the kind.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from theano_compat.compile.ops import Shape_i
from theano_compat.gof import Apply, Op, local_optimizer
from theano_compat.gof.opt import copy_stack_trace, in2out
from theano_compat.tensor import basic as T
from theano_compat.tensor.opt.common import made_by, shape_feature_of, single_client, transpose_of
from theano_compat.tensor.opt.registry import at_position
from theano_compat.tensor.subtensor import AdvancedIncSubtensor1, AdvancedSubtensor1, advanced_inc_subtensor1, advanced_subtensor1

__all__ = ["FEW", "LARGE", "DistinctRows", "distinct_rows", "local_add_product_to_repeated_rows", "local_dot_of_repeated_rows"]

#: Fewer indices than this are not looked at.
FEW = 32
#: Nor those into an array of more rows for each index than this: a table of all rows is needed.
LARGE = 64


class DistinctRows(Op):
    """The different elements of a vector of row numbers, and the place of each element among them.

    Parameters of the node: `index`, a vector of integers, and `n`, the number of rows, a 0-d ``int64``. Outputs: `rows` and `place`, vectors of ``int64`` with
    ``index == rows[place]`` (but for negative numbers, which count from the end).

    Notes
    -----
    `rows` is in order. Where more than three quarters of the elements differ, where there are few (`FEW`) or `n` is large (`LARGE`), and where one is out of bounds,
    `rows` is `index` itself and `place` counts.
    """

    __props__ = ()

    def make_node(self, index, n):
        index, n = T.as_tensor_variable(index), T.as_tensor_variable(n)
        if index.ndim != 1 or not index.dtype.startswith(("int", "uint")) or index.dtype == "uint64":
            raise TypeError(f"DistinctRows takes a vector of integers that int64 can hold, got {index.type}")
        if n.ndim != 0 or n.dtype != "int64":
            raise TypeError(f"DistinctRows takes the number of rows as a 0-d int64, got {n.type}")
        return Apply(self, [index, n], [T.lvector(), T.lvector()])

    def perform(self, node, inputs, output_storage):
        index, n = inputs[0].astype("int64"), int(inputs[1])
        rows, place = index, np.arange(len(index))
        if FEW <= len(index) and n <= LARGE * len(index):
            counted = np.where(index < 0, index + n, index)
            if counted.min() >= 0 and counted.max() < n:
                found, inverse = np.unique(counted, return_inverse=True)
                if 4 * len(found) <= 3 * len(index):
                    rows, place = found, inverse
        output_storage[0][0], output_storage[1][0] = rows, place

    def infer_shape(self, node, shapes):
        return [(Shape_i(0)(node.outputs[0]),), shapes[0]]

    def connection_pattern(self, node):
        return [[False, False], [False, False]]


distinct_rows = DistinctRows()


class _Taken:
    """Rows of a matrix that are a factor of a product: ``x[index]``, reshaped to rows of as many elements or not.

    Attributes
    ----------
    index : Variable
    rows, place : Variable
        The outputs of `DistinctRows`.
    """

    def __init__(self, feature, x, index, like=None):
        self.feature, self.x, self.index, self.like = feature, x, index, like

    @classmethod
    def find(cls, feature, variable):
        """Return what a variable takes; None if it is something else."""
        source, like = _without_reshape(feature, variable)
        inputs = made_by(source, AdvancedSubtensor1)
        return cls(feature, *inputs, like) if inputs is not None and _may_repeat(*inputs) else None

    @cached_property
    def _distinct(self):
        return distinct_rows(self.index, self.feature.shape_of[self.x][0])

    rows = property(lambda self: self._distinct[0])
    place = property(lambda self: self._distinct[1])

    def reshaped(self, new, like):
        """Reshape a matrix with a row for each of `rows` as a matrix with a row for each of `index` was."""
        return new if like is None else like.owner.op(new, T.stack([Shape_i(0)(self.rows), self.feature.shape_of[like][1]]))

    def once(self):
        """Return the rows that occur."""
        return self.reshaped(advanced_subtensor1(self.x, self.rows), self.like)

    def sums(self, y):
        """Return the sums of those rows of `y` that have the same place."""
        length = [] if y.ndim == 1 else [self.feature.shape_of[y][1]]
        return advanced_inc_subtensor1(T.zeros([Shape_i(0)(self.rows), *length], dtype=y.dtype), y, self.place)

    def matches(self, y):
        """Whether an array is known to have a row for each element of `index`."""
        return not y.broadcastable[0] and self.feature.same_shape(y, self.index, 0, 0)


def _without_reshape(feature, variable):
    """Return a matrix, and None; where it is another matrix reshaped to the same number of rows, that one, and the matrix."""
    inputs = made_by(variable, T.Reshape)
    if inputs is None or inputs[0].ndim != 2 or variable.ndim != 2 or not feature.same_shape(variable, inputs[0], 0, 0):
        return variable, None
    return inputs[0], variable


def _may_repeat(x, index):
    return x.ndim == 2 and not index.broadcastable[0] and index.dtype != "uint64" and not made_by(index, DistinctRows)


def _can_be_summed_first(*variables):
    """Whether sums in any order are the same but for rounding: not where small integers wrap around, bools are or-ed or float16 overflows on the way."""
    (dtype, *others) = {v.dtype for v in variables}
    return not others and dtype in ("float32", "float64", "complex64", "complex128")


@local_optimizer([T.Dot])
def local_dot_of_repeated_rows(node):
    """``dot(x[i], y)`` → ``dot(x[rows], y)[place]``; ``dot(x[i].T, y)`` → ``dot(x[rows].T, sums of rows of y)``, and so for a second factor ``x[i]``."""
    feature = shape_feature_of(node)
    if feature is None or not _can_be_summed_first(*node.inputs):
        return False
    a, b = node.inputs
    turned = transpose_of(a)
    if taken := _Taken.find(feature, a):
        new = advanced_subtensor1(node.op(taken.once(), b), taken.place)
    elif turned is None:
        return False
    elif (taken := _Taken.find(feature, turned)) and taken.matches(b):
        new = node.op(taken.once().T, taken.sums(b))
    elif (taken := _Taken.find(feature, b)) and taken.matches(turned):
        new = node.op(taken.sums(turned).T, taken.once())
    else:
        return False
    return [copy_stack_trace(node.outputs[0], T.patternbroadcast(new, node.outputs[0].broadcastable))]


@local_optimizer([AdvancedIncSubtensor1])
def local_add_product_to_repeated_rows(node):
    """Adding ``dot(y, w)`` to ``x[i]`` → adding ``dot(sums of rows of y, w)`` to ``x[rows]``."""
    x, value, index = node.inputs
    feature = shape_feature_of(node)
    if feature is None or node.op.set_instead_of_inc or value.ndim != 2 or not _may_repeat(x, index):
        return False
    product, like = _without_reshape(feature, value)
    factors = made_by(product, T.Dot)
    if factors is None or any(f.ndim != 2 for f in factors) or not _can_be_summed_first(x, *factors) or not (single_client(value) and single_client(product)):
        return False
    y, w = factors
    taken = _Taken(feature, x, index)
    if not taken.matches(y):
        return False
    new = taken.reshaped(product.owner.op(taken.sums(y), w), like)
    return [copy_stack_trace(node.outputs[0], node.op(x, new, taken.rows))]


# After the loops have given away the products that need not be in them, before products become calls of a BLAS.
at_position("repeated_rows", in2out(local_dot_of_repeated_rows, local_add_product_to_repeated_rows, name="repeated_rows"), 1.65, "fast_run")
