"""Sums of products: dot, tensordot, outer, and their batched forms."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op
from theano_compat.printing import OperatorPrinter, pprint
from theano_compat.tensor.basic.conversion import as_tensor_variable
from theano_compat.tensor.basic.joining import join
from theano_compat.tensor.basic.shaping import patternbroadcast
from theano_compat.tensor.type import TensorType


class Dot(Op):
    """The product of two vectors, of two matrices, or of one of each, as NumPy's."""

    __props__ = ()

    def __str__(self):
        return "dot"

    def make_node(self, *inputs):
        """Take two arrays of one or two dimensions."""
        inputs = [as_tensor_variable(x) for x in inputs]
        if len(inputs) != 2:
            raise TypeError(f"theano.tensor.Dot: 2 arguments required, {len(inputs)} given ")
        for i, x in enumerate(inputs):
            if x.ndim not in (1, 2):
                raise TypeError(
                    f"theano.tensor.Dot: input {i} (0-indexed) must have ndim of 1 or 2, {x.ndim} given. "
                    "Consider calling theano.tensor.dot instead."
                )
        x, y = inputs
        pattern = x.type.broadcastable[:-1] + y.type.broadcastable[1:]
        return Apply(self, inputs, [TensorType(scal.upcast(x.type.dtype, y.type.dtype), pattern)()])

    def perform(self, node, inp, out):
        """Store the product."""
        x, y = inp
        out[0][0] = np.asarray(np.dot(x, y), dtype=node.outputs[0].type.dtype)

    def infer_shape(self, node, shapes):
        """Return the lengths that are not summed over."""
        xshp, yshp = shapes
        return [(*xshp[:-1], *yshp[1:])]

    def grad(self, inp, grads):
        """Multiply the gradient by the other factor."""
        (x, y), (gz,) = inp, grads
        if x.type.ndim == 1 and y.type.ndim == 1:
            gx, gy = gz * y, gz * x
        elif x.type.ndim == 1:
            gx, gy = dot(gz, y.T), outer(x.T, gz)
        elif y.type.ndim == 1:
            gx, gy = outer(gz, y.T), dot(x.T, gz)
        else:
            gx, gy = dot(gz, y.T), dot(x.T, gz)
        # what was known of the lengths of the factors must stay known
        return [
            g if g.type.broadcastable == v.type.broadcastable else patternbroadcast(g, v.type.broadcastable)
            for g, v in ((gx, x), (gy, y))
        ]

    def R_op(self, inputs, eval_points):
        """Apply the product rule."""
        (x, y), (dx, dy) = inputs, eval_points
        terms = ([self(dx, y)] if dx is not None else []) + ([self(x, dy)] if dy is not None else [])
        return [sum(terms[1:], terms[0]) if terms else None]


_dot = Dot()
pprint.assign(_dot, OperatorPrinter("\\dot", -1, "left"))


def dot(a, b):
    """Return the sum of products over the last dimension of `a` and the last but one of `b`.

    Parameters
    ----------
    a, b : tensor_like
        Of any rank. With a scalar it is the plain product, with vectors and matrices the matrix product.

    Returns
    -------
    TensorVariable
        Its dimensions are the others of `a`, then the others of `b`.
    """
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if a.ndim > 2 or b.ndim > 2:
        return tensordot(a, b, [[a.ndim - 1], [max(0, b.ndim - 2)]])
    return _dot(a, b)


def outer(x, y):
    """Return the matrix of the products of each element of `x` with each of `y`; both are flattened."""
    x, y = (v if v.ndim == 1 else v.flatten() for v in map(as_tensor_variable, (x, y)))
    return dot(x.dimshuffle(0, "x"), y.dimshuffle("x", 0))


def _product(lengths):
    product = 1
    for length in lengths:
        product = product * length
    return product


def _tensordot_as_dot(a, b, axes, dot, batched):
    """Return ``tensordot(a, b, axes)`` by reshaping to matrices (with a batch dimension) and calling `dot`."""
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    lead = int(bool(batched))
    if not np.isscalar(axes) and len(axes) != 2:
        raise ValueError(f"Axes should be an integer or a list/tuple of len 2 ({axes} was provided)")
    if np.isscalar(axes):
        axes = int(axes)
        for name, operand in (("a", a), ("b", b)):
            if axes > operand.ndim:
                raise ValueError(
                    f"axes can not be larger than the dimension of {name} ({name}.ndim={operand.ndim}, axes={axes})"
                )
            if batched and axes == operand.ndim:
                raise ValueError(
                    f"axes to sum over must not include the batch axis of {name} ({name}.ndim={operand.ndim}, axes={axes})"
                )
        # the last dimensions of a meet the first (after the batch) of b in order: nothing to shuffle
        kept_a, kept_b = a.ndim - axes - lead, b.ndim - axes - lead
        summed_a = list(range(a.ndim - axes, a.ndim))
        matrix_a = [_product(a.shape[i] for i in range(lead, a.ndim - axes)), _product(a.shape[i - a.ndim] for i in reversed(summed_a))]
        matrix_b = [_product(b.shape[i] for i in range(lead, lead + axes)), _product(b.shape[i] for i in range(-1, -kept_b - 1, -1))]
        a_rest = a.shape[0 : a.ndim - axes]
        b_rest = b.shape[lead + axes : b.ndim]
    else:
        axes = [[int(i) for i in np.ravel(side)] for side in axes]
        if len(axes[0]) != len(axes[1]):
            raise ValueError("Axes elements must have the same length.")
        for name, operand, side in (("a", a, axes[0]), ("b", b, axes[1])):
            if len(side) > operand.ndim:
                raise ValueError(
                    f"axes[{'ab'.index(name)}] should be array_like with length less than the dimensions of {name} "
                    f"({name}.ndim={operand.ndim}, len(axes[0])={len(side)})."
                )
            if any(not -operand.ndim <= i < operand.ndim for i in side):
                raise ValueError(
                    f"axes[{'ab'.index(name)}] contains dimensions greater than or equal to {name}.ndim ({name}.ndim={operand.ndim})."
                )
            if batched and any(i % operand.ndim == 0 for i in side):
                raise ValueError(
                    f"axes to sum over must not contain the batch axis (axes[{'ab'.index(name)}]={side})"
                )
        sum_a, sum_b = ([i % v.ndim for i in side] for v, side in ((a, axes[0]), (b, axes[1])))
        free_a = [i for i in range(lead, a.ndim) if i not in sum_a]
        free_b = [i for i in range(lead, b.ndim) if i not in sum_b]
        batch = [0] if batched else []
        a = a.dimshuffle(batch + free_a + sum_a)
        b = b.dimshuffle(batch + sum_b + free_b)
        return _tensordot_as_dot(a, b, len(sum_a), dot, batched)

    def as_matrix(operand, lengths):
        lengths = ([operand.shape[0]] if batched else []) + lengths
        return operand.reshape(lengths, ndim=2 + lead)

    product = dot(as_matrix(a, matrix_a), as_matrix(b, matrix_b))
    if kept_a + kept_b + lead == 0:
        return product.reshape((), ndim=0)
    result = product.reshape(join(0, a_rest, b_rest), ndim=lead + kept_a + kept_b)
    # what is known of the lengths does not show in a symbolic shape
    return patternbroadcast(result, a.broadcastable[: a.ndim - axes] + b.broadcastable[lead + axes :])


def tensordot(a, b, axes=2):
    """Return the sum of products of `a` and `b` over given pairs of dimensions.

    Parameters
    ----------
    a, b : tensor_like
    axes : int, or pair of lists of int
        The number of last dimensions of `a` that are summed with as many first ones of `b`; or the
        dimensions of `a` and, in the same order, those of `b`.

    Returns
    -------
    TensorVariable
        Its dimensions are the others of `a`, then the others of `b`.
    """
    return _tensordot_as_dot(a, b, axes, dot=dot, batched=False)


def batched_dot(a, b):
    """Return `dot` of each entry of `a` with the same entry of `b` along their first dimension.

    Parameters
    ----------
    a, b : tensor_like
        Of at least one dimension; the first ones have the same length.

    Returns
    -------
    TensorVariable
        First the batch dimension, then those of the single products.
    """
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    if a.ndim == 0:
        raise TypeError("a must have at least one (batch) axis")
    if b.ndim == 0:
        raise TypeError("b must have at least one (batch) axis")
    if a.ndim == 1:
        return a.dimshuffle(0, *["x"] * (b.ndim - 1)) * b
    if b.ndim == 1:
        return a * b.dimshuffle(0, *["x"] * (a.ndim - 1))
    if a.ndim > 3 or b.ndim > 3:
        return batched_tensordot(a, b, [[a.ndim - 1], [np.maximum(1, b.ndim - 2)]])
    from theano_compat.tensor.blas import BatchedDot

    return BatchedDot()(a, b)


def batched_tensordot(x, y, axes=2):
    """Return `tensordot` of each entry of `x` with the same entry of `y` along their first dimension.

    In `axes` the first dimension is counted but may not be summed over.
    """
    return _tensordot_as_dot(x, y, axes, dot=batched_dot, batched=True)


__all__ = ["Dot", "_dot", "_tensordot_as_dot", "batched_dot", "batched_tensordot", "dot", "outer", "tensordot"]
