"""Filling one thing into the shape of another: sinking `fill` through elementwise operations, and `Alloc`."""

from __future__ import annotations

from theano_compat import config
from theano_compat.gof import local_optimizer
from theano_compat.gof.opt import copy_stack_trace, in2out
from theano_compat.tensor import basic as T
from theano_compat.tensor.elemwise import DimShuffle, Elemwise
from theano_compat.tensor.opt.asserts import assert_op
from theano_compat.tensor.opt.common import broadcast_like, constant_value, made_by, shape_feature_of
from theano_compat.tensor.opt.registry import (
    at_position,
    register_canonicalize,
    register_specialize,
    register_stabilize,
    register_useless,
)


@register_useless
@register_canonicalize("fast_compile")
@local_optimizer([T.fill])
def local_useless_fill(node):
    """``fill(a, b)`` → ``b`` where `b` has the type of the result."""
    _model, value = node.inputs
    return [value] if value.type == node.outputs[0].type else False


@register_canonicalize
@local_optimizer([Elemwise])
def local_fill_sink(node):
    """``f(fill(a, b), c)`` → ``fill(a, f(b, c))``: nearer to the outputs, where it most often turns out useless."""
    if node.op == T.fill or len(node.outputs) != 1:
        return False
    models, inputs = [], []
    for variable in node.inputs:
        filled = made_by(variable, T.fill)
        if filled is None:
            inputs.append(variable)
        else:
            models.append(filled[0])
            inputs.append(filled[1])
    if not models:
        return False
    result = node.op(*inputs)
    for model in models:
        result = T.fill(model, result)
    out = node.outputs[0]
    if result.type != out.type:
        return False
    return [copy_stack_trace(out, result)]


@register_specialize
@register_stabilize
@local_optimizer([T.fill])
def local_fill_to_alloc(node):
    """``fill(a, b)`` → `Alloc` of `b` with the shape of `a`, which does not read `a`."""
    model, value = node.inputs
    out = node.outputs[0]
    if value.type.broadcastable == out.type.broadcastable and value.ndim > 0 or value.type == out.type:
        result = T.cast(value, out.type.dtype)
    elif model.type.broadcastable == out.type.broadcastable:
        result = broadcast_like(value, model, node.fgraph, dtype=value.dtype)
    else:
        return False
    if result.type != out.type:
        return False
    return [copy_stack_trace(out, result)] if result is not value else [value]


# Once more after stabilisation: log-sum-exp and its like come before it, the BLAS rewrites after it.
at_position("local_fill_to_alloc", in2out(local_fill_to_alloc), 1.51, "fast_run")


# --- Alloc ------------------------------------------------------------------------------------------


@register_useless
@register_canonicalize
@register_specialize
@register_stabilize
@local_optimizer([T.Alloc])
def local_useless_alloc(node):
    """An `Alloc` of a scalar to a scalar does nothing. (Others check a shape, so they stay.)"""
    source, out = node.inputs[0], node.outputs[0]
    if source.type == out.type and source.ndim == 0:
        return [source]
    return False


@register_canonicalize
@register_specialize
@register_stabilize
@local_optimizer([T.Alloc])
def local_canonicalize_alloc(node):
    """Drop an `Alloc` to the same type; turn dimensions of length 1 that it adds on the left into a dimshuffle."""
    source, *lengths = node.inputs
    out = node.outputs[0]
    if source.type == out.type:
        # As Theano does, take it that the program allocates what fits.
        return [source]
    added = 0
    for length in lengths[: out.ndim - source.ndim]:
        if constant_value(length, only_process_constants=True) != 1:
            break
        added += 1
    if not added:
        return False
    kept = lengths[added:]
    if tuple(out.type.broadcastable[added:]) == tuple(source.type.broadcastable) and len(kept) == source.ndim:
        inner = source
    else:
        inner = T.alloc(source, *kept)
    result = inner.dimshuffle(["x"] * added + list(range(len(kept))))
    if result.type != out.type:
        return False
    return [copy_stack_trace(out, result)]


@register_specialize
@register_stabilize
@register_useless
@register_canonicalize
@local_optimizer([T.Alloc])
def local_merge_alloc(node):
    """``alloc(alloc(x, a...), b..., a...)`` → ``alloc(x, b..., a...)``."""
    inner = made_by(node.inputs[0], T.Alloc)
    if inner is None:
        return False
    value, *inner_lengths = inner
    outer_lengths = list(node.inputs[1:])
    offset = len(outer_lengths) - len(inner_lengths)
    for i, inner_length in enumerate(inner_lengths):
        outer_length = outer_lengths[offset + i]
        if inner_length is outer_length or constant_value(inner_length) == 1:
            # Equal, or broadcast to whatever is outside.
            continue
        a, b = constant_value(inner_length), constant_value(outer_length)
        if a is not None and b is not None:
            if a != b:
                return False
            continue
        checked = assert_op(outer_length, T.eq(outer_length, inner_length))
        outer_lengths[offset + i] = checked
    result = T.alloc(value, *outer_lengths)
    if result.type != node.outputs[0].type:
        return False
    return [copy_stack_trace(node.outputs[0], result)]


@register_specialize
@local_optimizer([Elemwise])
def local_alloc_unary(node):
    """``f(alloc(x, shape))`` → ``alloc(f(x), shape)``."""
    if len(node.inputs) != 1 or len(node.outputs) != 1:
        return False
    filled = made_by(node.inputs[0], T.Alloc)
    if filled is None:
        return False
    out = node.outputs[0]
    value = copy_stack_trace(out, node.op(filled[0]))
    result = T.alloc(T.cast(value, out.dtype), *filled[1:])
    if result.type != out.type:
        return False
    return [copy_stack_trace(out, result)]


@local_optimizer([T.AllocEmpty])
def local_alloc_empty_to_zeros(node):
    """Allocate zeros instead of whatever is in memory. On request: it makes runs reproducible."""
    return [T.zeros(node.inputs, dtype=node.outputs[0].dtype)]


at_position("local_alloc_empty_to_zeros", in2out(local_alloc_empty_to_zeros), 49.3, "alloc_empty_to_zeros")


def local_elemwise_alloc_op(ElemwiseOP, AllocOP, DimShuffleOP):
    """Return the rewrite that takes a scalar or row out of an `Alloc` where an elementwise operation broadcasts anyway.

    Parameters
    ----------
    ElemwiseOP, AllocOP, DimShuffleOP : class
        The op classes, of the CPU or of the GPU.
    """

    def below_alloc(variable):
        """Return (value, dimshuffle op or None) for ``alloc(value)`` and ``dimshuffle(alloc(value))``."""
        owner = variable.owner
        if owner is None:
            return None
        if isinstance(owner.op, AllocOP):
            return owner.inputs[0], None
        if isinstance(owner.op, DimShuffleOP):
            inner = owner.inputs[0].owner
            if inner is not None and isinstance(inner.op, AllocOP):
                return inner.inputs[0], owner
        return None

    def local_elemwise_alloc(node):
        if not isinstance(node.op, ElemwiseOP) or len(node.outputs) > 1:
            return False
        out = node.outputs[0]
        if len(node.inputs) < 2 or not any(below_alloc(v) for v in node.inputs):
            return False
        # One input must go on giving the shape; best one that is no Alloc.
        full = [v for v in node.inputs if v.type.broadcastable == out.type.broadcastable]
        if not full:
            return False
        givers = [v for v in full if below_alloc(v) is None]
        giver = givers[0] if givers else full[0]
        feature = shape_feature_of(node)
        inputs, checks, changed = [], [], False
        for variable in node.inputs:
            found = below_alloc(variable) if variable is not giver else None
            if found is None:
                inputs.append(variable)
                continue
            value, dimshuffle = found
            if value.ndim > 0 and value.type.broadcastable == variable.type.broadcastable:
                # Nothing is filled: it only checks a shape.
                inputs.append(variable)
                continue
            if dimshuffle is not None:
                value = _apply_dimshuffle(dimshuffle, value)
                if value is None:
                    inputs.append(variable)
                    continue
            if config.experimental.local_alloc_elemwise_assert:
                for i in range(variable.type.ndim):
                    if variable.type.broadcastable[i]:
                        continue
                    if feature is not None and feature.same_shape(variable, giver, i, i):
                        continue
                    checks.append(T.eq(_length(feature, variable, i), _length(feature, giver, i)))
            inputs.append(value)
            changed = True
        if not changed:
            return False
        if checks:
            wrapped = copy_stack_trace(out, assert_op(giver, *checks))
            inputs = [wrapped if v is giver else v for v in inputs]
        result = node.op(*inputs)
        if result.type != out.type:
            return False
        return [copy_stack_trace(out, result)]

    return local_elemwise_alloc


def _length(feature, variable, i):
    if feature is None:
        return variable.shape[i]
    return feature.shape_of[variable][i]


def _apply_dimshuffle(node, value):
    """Return a value dimshuffled as the `Alloc` of it is; None where the value's rank does not allow it."""
    order = node.op.new_order
    missing = node.inputs[0].type.ndim - value.ndim
    moved = [o if o == "x" or o >= missing else "x" for o in order]
    moved = [o - missing if o != "x" else "x" for o in moved]
    # Every dimension of the value must come out again.
    if {o for o in moved if o != "x"} != set(range(value.ndim)):
        return None
    while moved and moved[0] == "x":
        moved.pop(0)
    return value if moved == list(range(value.ndim)) else value.dimshuffle(moved)


local_elemwise_alloc = local_optimizer([Elemwise])(local_elemwise_alloc_op(Elemwise, T.Alloc, DimShuffle))
register_specialize(local_elemwise_alloc, "local_alloc_elemwise")
at_position("local_elemwise_alloc", in2out(local_elemwise_alloc), 1.52, "fast_run")

__all__ = [
    "local_alloc_empty_to_zeros", "local_alloc_unary", "local_canonicalize_alloc",
    "local_elemwise_alloc", "local_elemwise_alloc_op", "local_fill_sink", "local_fill_to_alloc", "local_merge_alloc",
    "local_useless_alloc", "local_useless_fill",
]  # fmt: skip
