"""Sorting, ranking, and the largest or smallest elements along an axis."""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType, grad_undefined
from theano_compat.tensor import basic as tb

__all__ = [
    "ArgSortOp",
    "SortOp",
    "TopKOp",
    "argsort",
    "argtopk",
    "sort",
    "topk",
    "topk_and_argtopk",
]


def _zeros_like_float(x):
    return x.zeros_like(dtype=config.floatX) if x.dtype in tb.discrete_dtypes else x.zeros_like()


def _places(shape, index, axis: int) -> tuple:
    """Build the advanced index that names element ``index`` on `axis` and itself elsewhere."""
    rank = index.ndim
    result = []
    for k in range(rank):
        if k == axis:
            result.append(index)
        else:
            order = [0 if j == k else "x" for j in range(rank)]
            result.append(tb.arange(shape[k]).dimshuffle(*order))
    return tuple(result)


class _AlongAxis(Op):
    """Parent of the sorting ops: inputs are a tensor and the number of a dimension."""

    __props__ = ("kind", "order")

    def __init__(self, kind, order=None):
        self.kind = kind
        self.order = order

    def __str__(self):
        return f"{type(self).__name__}{{{self.kind}, {self.order}}}"

    def infer_shape(self, node, inputs_shapes):
        return [inputs_shapes[0]]


class SortOp(_AlongAxis):
    """Sort a tensor along an axis.

    Parameters
    ----------
    kind : {'quicksort', 'mergesort', 'heapsort', 'stable'}
        NumPy's algorithm.
    order
        Passed on to :func:`numpy.sort`.
    """

    def make_node(self, input, axis=-1):
        input, axis = tb.as_tensor_variable(input), tb.as_tensor_variable(axis)
        return Apply(self, [input, axis], [input.type()])

    def perform(self, node, inputs, output_storage):
        a, axis = inputs
        output_storage[0][0] = np.sort(a, int(axis), self.kind, self.order)

    def grad(self, inputs, output_grads):
        a, axis = inputs
        (gz,) = output_grads
        axis_grad = grad_undefined(
            self,
            1,
            axis,
            "The gradient of sort is not defined with respect to the integer axes itself",
        )
        if a.dtype in tb.discrete_dtypes:
            return [_zeros_like_float(a), axis_grad]
        ranks = argsort(argsort(a, axis, self.kind, self.order), axis, self.kind)
        try:
            index = _places(a.shape, ranks, int(tb.get_scalar_constant_value(axis)) % a.ndim)
        except tb.NotScalarConstantError:
            place = tb.switch(tb.ge(axis, 0), axis, axis + a.ndim)
            index = tuple(
                tb.switch(tb.eq(place, k), ranks, _places(a.shape, ranks, -1)[k])
                for k in range(a.ndim)
            )
        return [gz[index], axis_grad]


def sort(a, axis=-1, kind="quicksort", order=None):
    """Sort a tensor along an axis, ascending.

    Parameters
    ----------
    a : tensor
    axis : int or integer scalar
        The dimension; None sorts the flattened tensor.
    kind, order
        Passed on to :func:`numpy.sort`.
    """
    if axis is None:
        a, axis = tb.as_tensor_variable(a).flatten(), 0
    return SortOp(kind, order)(a, axis)


class ArgSortOp(_AlongAxis):
    """Give the indices that sort a tensor along an axis.

    Parameters
    ----------
    kind : {'quicksort', 'mergesort', 'heapsort', 'stable'}
        NumPy's algorithm.
    order
        Passed on to :func:`numpy.argsort`.
    """

    def make_node(self, input, axis=-1):
        input, axis = tb.as_tensor_variable(input), tb.as_tensor_variable(axis)
        out = tb.TensorType(dtype="int64", broadcastable=input.type.broadcastable)
        return Apply(self, [input, axis], [out()])

    def perform(self, node, inputs, output_storage):
        a, axis = inputs
        found = np.argsort(a, int(axis), self.kind, self.order)
        output_storage[0][0] = np.asarray(found, dtype="int64")

    def grad(self, inputs, output_grads):
        a, axis = inputs
        return [
            _zeros_like_float(a),
            grad_undefined(
                self,
                1,
                axis,
                "argsort is not defined for non-integer axes so"
                " argsort(x, axis+eps) is undefined",
            ),
        ]


def argsort(a, axis=-1, kind="quicksort", order=None):
    """Give the ``int64`` indices that sort a tensor along an axis.

    Parameters are those of :func:`sort`.
    """
    if axis is None:
        a, axis = tb.as_tensor_variable(a).flatten(), 0
    return ArgSortOp(kind, order)(a, axis)


class TopKOp(Op):
    """The k largest (or, for negative k, smallest) elements along an axis, and their indices.

    Parameters
    ----------
    axis
        The dimension.
    sorted
        Give them in descending order.
    idx_dtype
        Integer dtype of the indices.
    return_values, return_indices
        Which outputs there are.
    """

    __props__ = ("axis", "sorted", "return_values", "return_indices", "idx_dtype")

    def __init__(
        self, axis=-1, sorted=True, idx_dtype="int64", return_values=True, return_indices=True
    ):
        if not isinstance(axis, int):
            raise TypeError(f'"axis" parameter must be integer, got "{type(axis)}"')
        if idx_dtype not in tb.integer_dtypes:
            raise TypeError(
                f'"idx_dtype" parameter must be an integer dtype, got "{idx_dtype}"'
            )
        if not (return_indices or return_values):
            raise ValueError(
                "Neither return_values nor return_indices is True, this isn't allowed"
            )
        self.axis, self.sorted, self.idx_dtype = axis, sorted, idx_dtype
        self.return_values, self.return_indices = return_values, return_indices

    def __str__(self):
        return f"{type(self).__name__}{{axis={self.axis}, sorted={self.sorted}}}"

    def make_node(self, inp, kth):
        inp, kth = tb.as_tensor_variable(inp), tb.as_tensor_variable(kth)
        ndim = inp.ndim
        if ndim == 0:
            raise ValueError("Cannot take scalar as input")
        if not -ndim <= self.axis < ndim:
            raise IndexError(
                '"axis" parameter out of range, '
                f"expected integer within [{-ndim}, {ndim - 1}]"
            )
        if kth.ndim != 0:
            raise ValueError("kth must be a scalar", kth)
        if kth.dtype not in tb.integer_dtypes:
            raise TypeError("kth must be an integer", kth)
        outs = []
        if self.return_values:
            outs.append(inp.type())
        if self.return_indices:
            outs.append(tb.TensorType(self.idx_dtype, inp.type.broadcastable)())
        return Apply(self, [inp, kth], outs)

    def perform(self, node, inputs, output_storage):
        x, k = inputs
        k = int(k)
        axis = self.axis % x.ndim
        extent = x.shape[axis]
        if k == 0:
            raise ValueError("topk: kth must not be zero")
        if not -extent <= k <= extent:
            raise ValueError(
                f"topk: kth cannot be larger than the size of specified axis {self.axis}"
            )
        if self.sorted:
            order = np.flip(np.argsort(x, axis=axis, kind="stable"), axis=axis)
        else:
            order = np.argpartition(x, -k if k > 0 else -k - 1, axis=axis)
        # In descending order the largest stand first; a partition has them last.
        first = (k > 0) == bool(self.sorted)
        part = slice(None, abs(k)) if first else slice(extent - abs(k), None)
        index = order[(slice(None),) * axis + (part,)]
        values = [np.take_along_axis(x, index, axis)] if self.return_values else []
        indices = [index.astype(self.idx_dtype)] if self.return_indices else []
        for storage, value in zip(output_storage, values + indices):
            storage[0] = value

    def infer_shape(self, node, inp_shapes):
        shape = list(inp_shapes[0])
        kth = node.inputs[1]
        shape[self.axis] = tb.abs_(tb.cast(kth, "int64"))
        return [tuple(shape)] * len(node.outputs)

    def L_op(self, inputs, outputs, out_grads):
        x, k = inputs
        k_grad = grad_undefined(self, 1, k, "topk: k is not differentiable")
        if not self.return_values or isinstance(out_grads[0].type, DisconnectedType):
            return [_zeros_like_float(x), k_grad]
        from theano_compat.tensor.subtensor import set_subtensor

        axis = self.axis % x.ndim
        if self.return_indices:
            index = outputs[-1]
        else:
            both = TopKOp(axis, self.sorted, self.idx_dtype, True, True)
            index = both(x, k, return_list=True)[1]
        zeros = x.zeros_like(dtype=out_grads[0].dtype)
        return [set_subtensor(zeros[_places(x.shape, index, axis)], out_grads[0]), k_grad]

    def connection_pattern(self, node):
        n = len(node.outputs)
        values = [self.return_values and k == 0 for k in range(n)]
        return [values, [False] * n]


def _topk_outputs(x, kth, axis, sorted, idx_dtype, **which):
    if axis is None:
        x, axis = tb.flatten(tb.as_tensor_variable(x)), 0
    return TopKOp(axis=axis, sorted=sorted, idx_dtype=idx_dtype, **which)(x, kth)


def topk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):
    """Give the `kth` largest elements along an axis.

    Parameters
    ----------
    x : tensor
    kth : int or integer scalar
        How many; if negative, the smallest ones. Not zero.
    axis : int
        The dimension; None takes from the flattened tensor.
    sorted : bool
        Whether they are in descending order; otherwise their order is not defined.
    idx_dtype
        Dtype of the indices where there are any.

    Returns
    -------
    tensor variable
        Of the shape of `x`, but with extent ``abs(kth)`` on `axis`.
    """
    return _topk_outputs(x, kth, axis, sorted, idx_dtype, return_indices=False)


def argtopk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):
    """Give the indices of the `kth` largest elements along an axis, see :func:`topk`."""
    return _topk_outputs(x, kth, axis, sorted, idx_dtype, return_values=False)


def topk_and_argtopk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):
    """Give the `kth` largest elements along an axis and their indices, see :func:`topk`.

    Returns
    -------
    list
        Values and indices.
    """
    return _topk_outputs(x, kth, axis, sorted, idx_dtype)
