"""Unique elements, flat and multi-dimensional indices, one-hot rows."""

from __future__ import annotations

import functools

import numpy as np

from theano_compat.gof import Apply, Op
from theano_compat.gradient import grad_undefined
from theano_compat.tensor import basic as tb


def to_one_hot(y, nb_class, dtype=None):
    """Make a matrix with a one in each row, at the place that a vector of integers names.

    Parameters
    ----------
    y : integer vector
        Each element from 0 to ``nb_class - 1``.
    nb_class : int or integer scalar
        Number of columns.
    dtype
        Of the matrix; ``floatX`` by default.

    Returns
    -------
    matrix
        Of shape ``(y.shape[0], nb_class)``.
    """
    y = tb.as_tensor_variable(y)
    from theano_compat.tensor.subtensor import set_subtensor

    rows = tb.zeros((y.shape[0], nb_class), dtype=dtype)
    return set_subtensor(rows[tb.arange(y.shape[0]), y], 1)


class Unique(Op):
    """The sorted distinct elements of a tensor.

    Parameters
    ----------
    return_index
        Also give where each was met first.
    return_inverse
        Also give, for each element of the input, its place among the distinct ones.
    return_counts
        Also give how often each occurs.
    axis
        Compare slices along this dimension; None compares elements.

    Notes
    -----
    The additional outputs are ``int64`` vectors.
    """

    __props__ = ("return_index", "return_inverse", "return_counts", "axis")

    def __init__(self, return_index=False, return_inverse=False, return_counts=False, axis=None):
        self.return_index = return_index
        self.return_inverse = return_inverse
        self.return_counts = return_counts
        self.axis = axis

    def make_node(self, x):
        x = tb.as_tensor_variable(x)
        if self.axis is None:
            values = tb.TensorType(dtype=x.dtype, broadcastable=[False])
        else:
            if self.axis >= x.ndim or self.axis < -x.ndim:
                raise RuntimeError(
                    f"Unique axis `{self.axis}` is outside of input ndim = {x.ndim}."
                )
            axis = self.axis % x.ndim
            pattern = [one and k != axis for k, one in enumerate(x.broadcastable)]
            values = tb.TensorType(dtype=x.dtype, broadcastable=pattern)
        vector = tb.TensorType(dtype="int64", broadcastable=[False])
        extras = (self.return_index, self.return_inverse, self.return_counts)
        return Apply(self, [x], [values()] + [vector() for wanted in extras if wanted])

    def perform(self, node, inputs, output_storage):
        result = np.unique(
            inputs[0],
            return_index=self.return_index,
            return_inverse=self.return_inverse,
            return_counts=self.return_counts,
            axis=self.axis,
        )
        values, *extras = result if isinstance(result, tuple) else (result,)
        output_storage[0][0] = values
        for storage, extra in zip(output_storage[1:], extras):
            # NumPy 2 gives the inverse in the shape of the input.
            storage[0] = extra.reshape(-1).astype("int64", copy=False)

    def infer_shape(self, node, i0_shapes):
        shapes = node.fgraph.shape_feature.default_infer_shape(node, i0_shapes)
        given = i0_shapes[0]
        if self.axis is not None:
            axis = self.axis % len(given)
            shapes[0] = tuple(
                shapes[0][k] if k == axis else extent for k, extent in enumerate(given)
            )
        if self.return_inverse:
            place = 2 if self.return_index else 1
            extent = tb.prod(given, dtype="int64") if self.axis is None else given[self.axis]
            shapes[place] = (extent,)
        return shapes

    def grad(self, inputs, output_gradients):
        return [grad_undefined(self, 0, inputs[0], "which elements are equal can change")]


class UnravelIndex(Op):
    """Turn flat indices into one index per dimension.

    Parameters
    ----------
    ndim
        Number of dimensions.
    order : {'C', 'F'}
        Which dimension varies fastest: the last or the first.
    """

    __props__ = ("ndim", "order")

    def __init__(self, ndim, order="C"):
        if order not in ("C", "F"):
            raise AssertionError(f"order must be 'C' or 'F', not {order!r}")
        self.ndim = ndim
        self.order = order

    def make_node(self, indices, dims):
        indices, dims = tb.as_tensor_variable(indices), tb.as_tensor_variable(dims)
        for value in (indices, dims):
            if value.dtype not in tb.integer_dtypes:
                raise TypeError(f"'{value.dtype}' object cannot be interpreted as an index")
        if dims.ndim != 1:
            raise TypeError("dims must be a 1D array")
        out = tb.TensorType(dtype="int64", broadcastable=(False,) * indices.ndim)
        return Apply(self, [indices, dims], [out() for _ in range(self.ndim)])

    def perform(self, node, inp, out):
        indices, dims = inp
        found = np.unravel_index(indices, tuple(int(d) for d in dims), order=self.order)
        if len(found) != len(out):
            raise AssertionError(f"expected {len(out)} dimensions, but dims has {len(found)}")
        for storage, index in zip(out, found):
            storage[0] = np.array(index, dtype="int64")

    def infer_shape(self, node, input_shapes):
        return [input_shapes[0]] * self.ndim

    def grad(self, inputs, output_gradients):
        return [grad_undefined(self, k, v, "indices are integers") for k, v in enumerate(inputs)]


def unravel_index(indices, dims, order="C", ndim=None):
    """Turn flat indices into a tuple of indices, one per dimension.

    Parameters
    ----------
    indices : integer tensor
        Flat indices into a tensor of shape `dims`.
    dims : sequence or integer vector
        The shape.
    order : {'C', 'F'}
        Which dimension varies fastest: the last or the first.
    ndim : int, optional
        Length of `dims`, needed where it is not known from its expression.

    Returns
    -------
    tuple of int64 tensors
        Each of the shape of `indices`.
    """
    if ndim is None:
        try:
            ndim = tb.get_vector_length(dims)
        except ValueError:
            raise ValueError(
                f"The length of the provided dimension list ({dims}) cannot"
                " be automatically determined, so Theano is not able"
                " to know what the number of dimensions of the unraveled"
                " index will be. You can provide the 'ndim' keyword"
                " argument to 'unravel_index' to avoid this problem."
            ) from None
    result = UnravelIndex(ndim=ndim, order=order)(indices, dims, return_list=True)
    return tuple(result)


class RavelMultiIndex(Op):
    """Turn one index per dimension into flat indices.

    Parameters
    ----------
    mode : {'raise', 'wrap', 'clip'}
        What to do with indices out of bounds.
    order : {'C', 'F'}
        Which dimension varies fastest: the last or the first.
    """

    __props__ = ("mode", "order")

    def __init__(self, mode="raise", order="C"):
        if mode not in ("raise", "wrap", "clip"):
            raise AssertionError(f"mode must be 'raise', 'wrap' or 'clip', not {mode!r}")
        if order not in ("C", "F"):
            raise AssertionError(f"order must be 'C' or 'F', not {order!r}")
        self.mode = mode
        self.order = order

    def make_node(self, *inp):
        *multi_index, dims = (tb.as_tensor_variable(value) for value in inp)
        for value in (*multi_index, dims):
            if value.dtype not in tb.integer_dtypes:
                raise TypeError(f"'{value.dtype}' object cannot be interpreted as an index")
        if dims.ndim != 1:
            raise TypeError("dims must be a 1D array")
        rank = max(index.ndim for index in multi_index)
        out = tb.TensorType(dtype="int64", broadcastable=(False,) * rank)
        return Apply(self, [*multi_index, dims], [out()])

    def perform(self, node, inp, out):
        *multi_index, dims = inp
        found = np.ravel_multi_index(
            tuple(multi_index), tuple(int(d) for d in dims), mode=self.mode, order=self.order
        )
        out[0][0] = np.asarray(found, dtype="int64")

    def infer_shape(self, node, input_shapes):
        shape = []
        for dim in range(-node.outputs[0].ndim, 0):
            # The indices are broadcast against each other, at run time too.
            lengths = [
                lengths[dim] for index, lengths in zip(node.inputs[:-1], input_shapes, strict=False)
                if index.ndim >= -dim and not index.broadcastable[dim]
            ]  # fmt: skip
            shape.append(functools.reduce(lambda one, other: tb.switch(tb.eq(one, 1), other, one), lengths or [tb.constant(1, dtype="int64")]))
        return [shape]

    def grad(self, inputs, output_gradients):
        return [grad_undefined(self, k, v, "indices are integers") for k, v in enumerate(inputs)]


def ravel_multi_index(multi_index, dims, mode="raise", order="C"):
    """Turn a tuple of indices, one per dimension, into flat indices.

    Parameters
    ----------
    multi_index : tuple or list of integer tensors
    dims : sequence or integer vector
        The shape of the tensor that is indexed.
    mode : {'raise', 'wrap', 'clip'}
        What to do with indices out of bounds.
    order : {'C', 'F'}
        Which dimension varies fastest: the last or the first.

    Returns
    -------
    int64 tensor
    """
    if not isinstance(multi_index, (tuple, list)):
        raise TypeError("multi_index must be a tuple or a list.")
    return RavelMultiIndex(mode=mode, order=order)(*multi_index, dims)
