"""Sums, products and other reductions."""

from __future__ import annotations

from functools import reduce as fold

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.tensor import basic as T
from theano_compat.tensor import elemwise
from theano_compat.tensor.elemwise import CAReduce, DimShuffle, Elemwise, Prod, Sum
from theano_compat.tensor.opt.common import constant_value, made_by, shape_feature_of
from theano_compat.tensor.opt.registry import (
    register_canonicalize,
    register_specialize,
    register_uncanonicalize,
    register_useless,
)

ALL_REDUCE = [elemwise.CAReduce, elemwise.All, elemwise.Any, elemwise.Sum, elemwise.Prod, elemwise.ProdWithoutZeros]
ALL_REDUCE += [
    getattr(elemwise, name)
    for name in ("Max", "Min")
    if isinstance(getattr(elemwise, name, None), type)
]


def reduce_axes(op, ndim):
    """Return the axes that a reduction runs over, as a sorted tuple."""
    axes = range(ndim) if op.axis is None else np.atleast_1d(op.axis)
    return tuple(sorted(int(a) % ndim if ndim else int(a) for a in axes))


def with_axis(op, axis, **changes):
    """Return the same reduction over other axes."""
    if isinstance(op, (Sum, Prod)):
        options = {"axis": axis, "dtype": op.dtype, "acc_dtype": op.acc_dtype}
        return type(op)(**{**options, **changes})
    if type(op) is CAReduce:
        return CAReduce(op.scalar_op, axis)
    return type(op)(axis)


@register_canonicalize
@local_optimizer([Sum, Prod])
def local_sum_prod_all_to_none(node):
    """A reduction over all axes has the axis None: one form for it."""
    if node.op.axis is None or reduce_axes(node.op, node.inputs[0].type.ndim) != tuple(range(node.inputs[0].type.ndim)):
        return False
    return [copy_stack_trace(node.outputs[0], with_axis(node.op, None)(node.inputs[0]))]


@register_canonicalize
@local_optimizer([Sum, Prod])
def local_op_of_op(node):
    """``sum(sum(x, a), b)`` → ``sum(x, a and b)``, likewise products."""
    inner = node.inputs[0].owner
    if inner is None or type(inner.op) is not type(node.op) or len(node.inputs[0].clients) != 1:
        return False
    out_dtype = node.op.dtype
    inner_axes = reduce_axes(inner.op, inner.inputs[0].type.ndim)
    left = [i for i in range(inner.inputs[0].type.ndim) if i not in inner_axes]
    outer_axes = [left[i] for i in reduce_axes(node.op, node.inputs[0].type.ndim)]
    axes = sorted((*inner_axes, *outer_axes))
    op = type(node.op)(axis=None if len(axes) == inner.inputs[0].type.ndim else axes, dtype=out_dtype)
    result = op(inner.inputs[0])
    if result.type != node.outputs[0].type:
        return False
    return [copy_stack_trace([node.inputs[0], node.outputs[0]], result)]


@register_useless("local_cut_useless_reduce")
@register_canonicalize("fast_compile", "local_cut_useless_reduce")
@local_optimizer(ALL_REDUCE)
def local_useless_reduce(node):
    """``sum(x, axis=[])`` → ``x``."""
    (source,) = node.inputs
    return [source] if source.type == node.outputs[0].type else False


@register_canonicalize
@register_uncanonicalize
@register_specialize
@local_optimizer(ALL_REDUCE)
def local_reduce_broadcastable(node):
    """Take dimensions of length 1 out with a dimshuffle, not with a reduction."""
    (source,) = node.inputs
    axes = reduce_axes(node.op, source.type.ndim)
    real = [a for a in axes if not source.type.broadcastable[a]]
    if len(real) == len(axes) or (node.op.axis is None and real):
        # A reduction over everything is cheap as it is.
        return False
    out = node.outputs[0]
    pattern = [i for i in range(source.ndim) if i not in axes or i in real]
    squeezed = source.dimshuffle(*pattern)
    new_axes = [pattern.index(a) for a in real]
    if not new_axes:
        result = squeezed
    else:
        result = with_axis(node.op, new_axes[0] if len(new_axes) == 1 and not isinstance(node.op, (Sum, Prod)) else new_axes)(
            squeezed
        )
    if result.dtype != out.dtype:
        result = T.cast(result, out.dtype)
    return [copy_stack_trace(out, result)] if result.type == out.type else False


@register_canonicalize
@register_uncanonicalize
@local_optimizer(ALL_REDUCE)
def local_reduce_join(node):
    """``max(join(0, [a], [b]), axis=0)`` → ``maximum(a, b)``: a reduction over stacked rows is an elementwise operation."""
    joined = node.inputs[0].owner
    if joined is None or not isinstance(joined.op, T.Join):
        return False
    axis = constant_value(joined.inputs[0], only_process_constants=True)
    if axis != 0 or not isinstance(node.op, CAReduce):
        return False
    kind = node.op.scalar_op
    if not isinstance(kind, (scal.Maximum, scal.Minimum, scal.Add, scal.Mul)):
        return False
    parts = []
    for variable in joined.inputs[1:]:
        shuffled = made_by(variable, DimShuffle)
        if shuffled is None or variable.owner.op.new_order[:1] != ("x",) or not variable.type.broadcastable[0]:
            return False
        if tuple(variable.owner.op.new_order[1:]) != tuple(range(shuffled[0].ndim)):
            return False
        parts.append(shuffled[0])
    if len({part.type.broadcastable for part in parts}) != 1 or not parts:
        return False
    axes = reduce_axes(node.op, node.inputs[0].type.ndim)
    if axes != (0,):
        return False
    if isinstance(kind, (scal.Maximum, scal.Minimum)):
        result = fold(Elemwise(kind), parts)
    else:
        result = Elemwise(kind)(*parts)
    if result.dtype != node.outputs[0].dtype:
        result = T.cast(result, node.outputs[0].dtype)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


# --- factors out of reductions ----------------------------------------------------------------------


def _scalar_factor(variable):
    """Return what a factor is as a 0-d variable if it is the same everywhere, else None."""
    if not all(variable.type.broadcastable):
        return None
    shuffled = made_by(variable, DimShuffle)
    if shuffled is not None and shuffled[0].ndim == 0:
        return shuffled[0]
    return variable.dimshuffle() if variable.ndim else variable


def _reduced_count(node):
    """Return the number of elements that each result of a reduction combines, symbolically."""
    source = node.inputs[0]
    feature = shape_feature_of(node)
    lengths = source.shape if feature is None else feature.shape_of[source]
    factors = [lengths[a] for a in reduce_axes(node.op, source.type.ndim)]
    return T.mul(*factors) if len(factors) > 1 else (factors[0] if factors else T.constant(1, dtype="int64"))


@register_specialize
@local_optimizer([Sum, Prod])
def local_sum_prod_mul_by_scalar(node):
    """``sum(a * x)`` → ``a * sum(x)`` for a scalar `a`; ``sum(-x)`` → ``-sum(x)``; products likewise with powers."""
    inner = node.inputs[0].owner
    if inner is None:
        return False
    out = node.outputs[0]
    if node.inputs[0].dtype in T.discrete_dtypes and out.dtype != node.inputs[0].dtype:
        return False  # the product wraps round in the narrow dtype, the sum of the products in the wide one
    if inner.op == T.neg:
        if isinstance(node.op, Prod):
            # An even number of signs cancels: the count decides.
            count = _reduced_count(node)
            result = T.switch(T.eq(count % 2, 0), node.op(inner.inputs[0]), T.neg(node.op(inner.inputs[0])))
        else:
            result = T.neg(node.op(inner.inputs[0]))
        return [copy_stack_trace(out, result)] if result.type == out.type else False
    if inner.op != T.mul:
        return False
    scalars, rest = [], []
    for variable in inner.inputs:
        factor = _scalar_factor(variable)
        (rest if factor is None else scalars).append(variable if factor is None else factor)
    if not scalars:
        return False
    if not rest:
        inside = scalars
        if node.inputs[0].ndim != 0:
            # Everything is broadcast: there is nothing left to reduce over but the shape.
            return False
        reduced = node.op(T.mul(*inside)) if len(inside) > 1 else node.op(inside[0])
        result = reduced
        scalars = []
    else:
        inside = rest[0] if len(rest) == 1 else copy_stack_trace(node.inputs[0], T.mul(*rest))
        if inside.dtype != node.inputs[0].dtype:
            inside = T.cast(inside, node.inputs[0].dtype)  # a scalar gave the precision: the sum keeps it
        if inside.type.broadcastable != node.inputs[0].type.broadcastable:
            return False
        reduced = copy_stack_trace(out, node.op(inside))
    if not scalars:
        return False
    if isinstance(node.op, Prod):
        count = _reduced_count(node)
        scalars = [T.pow(T.cast(factor, out.dtype), count) for factor in scalars]
    result = T.mul(*scalars, reduced)
    if result.dtype != out.dtype:
        result = T.cast(result, out.dtype)
    return [copy_stack_trace([node.inputs[0], out], result)] if result.type == out.type else False


@register_canonicalize
@register_specialize
@local_optimizer([Sum, Prod])
def local_sum_prod_div_dimshuffle(node):
    """``sum(a / dimshuffle(b), axis)`` → ``sum(a, axis) / dimshuffle(b)`` along axes where `b` does not vary.

    For products, `b` is raised to the number of elements that each product has.
    """
    source, out = node.inputs[0], node.outputs[0]
    quotient = made_by(source, T.true_div)
    if quotient is None:
        return False
    above, below = quotient
    if above.type.broadcastable != source.type.broadcastable or above.ndim == 0:
        return False
    axes = reduce_axes(node.op, source.type.ndim)
    shuffled = made_by(below, DimShuffle)
    order = below.owner.op.new_order if shuffled is not None else range(below.ndim)
    inner = shuffled[0] if shuffled is not None else below
    constant_along = [a for a in axes if order[a] == "x"]
    if not constant_along:
        return False
    first = with_axis(node.op, constant_along if len(constant_along) < source.ndim else None)
    if above.dtype != source.dtype and (isinstance(node.op, Prod) or above.dtype not in T.discrete_dtypes):
        above = T.cast(above, source.dtype)  # neither the divisor's precision nor a float's range may be lost
    numerator = copy_stack_trace(out, first(above))
    kept = [order[i] for i in range(len(order)) if i not in constant_along]
    divisor = inner if kept == list(range(inner.ndim)) else copy_stack_trace(below, inner.dimshuffle(kept))
    if isinstance(node.op, Prod):
        lengths = source.shape if shape_feature_of(node) is None else shape_feature_of(node).shape_of[source]
        factors = [lengths[a] for a in constant_along]
        divisor = T.pow(divisor, factors[0] if len(factors) == 1 else T.mul(*factors))
    result = T.true_div(numerator, divisor)
    rest = [a for a in axes if a not in constant_along]
    if rest:
        left = [i for i in range(source.ndim) if i not in constant_along]
        result = with_axis(node.op, [left.index(a) for a in rest])(copy_stack_trace(out, result))
    if result.dtype != out.dtype:
        result = T.cast(result, out.dtype)
    return [copy_stack_trace(out, result)] if result.type == out.type else False


@register_specialize
@local_optimizer([Sum, Prod])
def local_opt_alloc(node):
    """``sum(alloc(c, shape))`` → ``c * size``; ``prod(alloc(c, shape))`` → ``c ** size``."""
    filled = made_by(node.inputs[0], T.Alloc)
    if filled is None:
        return False
    value, *lengths = filled
    number = constant_value(value, only_process_constants=True)
    if number is None:
        return False
    out = node.outputs[0]
    axes = reduce_axes(node.op, node.inputs[0].type.ndim)
    count = T.constant(1, dtype="int64")
    factors = [lengths[a] for a in axes]
    if factors:
        count = factors[0] if len(factors) == 1 else T.mul(*factors)
    scalar_value = T.constant(np.asarray(number, dtype=value.dtype))
    # A float16 cannot hold a count, and a float32 to an integer power would be a float64.
    work = "float32" if out.dtype in ("float16", "float32") else out.dtype
    operation = T.mul if isinstance(node.op, Sum) else T.pow
    total = operation(T.cast(scalar_value, work), T.cast(count, work))
    total = T.cast(total, out.dtype)
    rest = [length for i, length in enumerate(lengths) if i not in axes]
    result = T.alloc(total, *rest) if rest else total
    return [copy_stack_trace(out, result)] if result.type == out.type else False


@register_canonicalize
@register_specialize
@local_optimizer([Sum])
def local_sumsqr2dot(node):
    """``sum(sqr(dimshuffle(W) * dimshuffle(G)), (1, 2))`` → ``dot(sqr(G), sum(sqr(W), 0))``: no 3-d intermediate result."""
    squared = made_by(node.inputs[0], T.sqr)
    if squared is None or node.inputs[0].type.ndim != 3 or reduce_axes(node.op, 3) not in ((1, 2), (0, 2), (0, 1)):
        return False
    product = made_by(squared[0], T.mul)
    if product is None or len(product) != 2:
        return False
    a, b = product
    shuffles = {}
    for variable in (a, b):
        inner = made_by(variable, DimShuffle)
        if inner is not None:
            shuffles[tuple(variable.owner.op.new_order)] = inner[0]
    # W (rows r, columns c) as (x, r, c) and G (rows s, columns c) as (s, x, c)
    w, g = shuffles.get(("x", 0, 1)), shuffles.get((0, "x", 1))
    if w is None or g is None or w.ndim != 2 or g.ndim != 2 or reduce_axes(node.op, 3) != (1, 2):
        return False
    result = T.dot(T.sqr(g), T.sqr(w).sum(axis=0))
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


__all__ = [
    "ALL_REDUCE", "local_op_of_op", "local_opt_alloc", "local_reduce_broadcastable", "local_reduce_join",
    "local_sum_prod_all_to_none", "local_sum_prod_div_dimshuffle", "local_sum_prod_mul_by_scalar", "local_sumsqr2dot",
    "local_useless_reduce",
]  # fmt: skip
