"""Dimshuffle, reshape, join, split, rebroadcast and tile; products with them."""

from __future__ import annotations

import numpy as np

from theano_compat.compile.ops import Rebroadcast, Shape, Shape_i
from theano_compat.gof import local_optimizer
from theano_compat.gof.opt import copy_stack_trace, pre_greedy_local_optimizer
from theano_compat.tensor import basic as T
from theano_compat.tensor.elemwise import DimShuffle, Elemwise
from theano_compat.tensor.opt.asserts import assert_op
from theano_compat.tensor.opt.common import constant_value, is_value, made_by, shape_feature_of, single_client
from theano_compat.tensor.opt.make_vector import MakeVector
from theano_compat.tensor.opt.registry import (
    register_canonicalize,
    register_specialize,
    register_stabilize,
    register_useless,
)
from theano_compat.tensor.opt.subtensor import index_of, number
from theano_compat.tensor.subtensor import Subtensor

# --- dimshuffle -------------------------------------------------------------------------------------


def is_dimshuffle_useless(new_order, input):
    """Whether a dimshuffle leaves everything where it is; dimensions of length 1 may change places."""
    flags = input.type.broadcastable
    return len(new_order) == len(flags) and all(
        o == i or (flags[i] and (o == "x" or flags[o])) for i, o in enumerate(new_order)
    )


@register_canonicalize
@register_specialize
@local_optimizer([DimShuffle])
def local_dimshuffle_lift(node):
    """Move a dimshuffle towards the inputs: through elementwise operations, into another dimshuffle, or away."""
    source, order, out = node.inputs[0], tuple(node.op.new_order), node.outputs[0]
    inner = source.owner
    if inner is not None and isinstance(inner.op, Elemwise) and len(inner.outputs) == 1 and single_client(source):
        result = _lift_through(node, 0)
        return [result] if result.type == out.type else False
    if inner is not None and isinstance(inner.op, DimShuffle):
        result, fresh = _dimshuffled(source, order, node.op)
        if result.type != out.type:
            return False
        return [copy_stack_trace([source, out], result) if fresh else result]
    if is_dimshuffle_useless(order, source) and source.type == out.type:
        return [source]
    return False


# Deeper chains are left to the worklist.
_LIFT_DEPTH = 20


def _lift_through(node, depth):
    """Return an elementwise operation on dimshuffled inputs, lifted further where these are used only here."""
    source, out = node.inputs[0], node.outputs[0]
    parts = []
    for variable in source.owner.inputs:
        part, fresh = _dimshuffled(variable, node.op.new_order, node.op)
        if fresh:
            copy_stack_trace(out, part)
            below = part.owner.inputs[0]
            if depth < _LIFT_DEPTH and made_by(below, Elemwise) and len(below.owner.outputs) == 1 and single_client(below):
                part = _lift_through(part.owner, depth + 1)
        parts.append(part)
    return copy_stack_trace([source, out], source.owner.op(*parts))


def _dimshuffled(variable, order, like):
    """Return a variable dimshuffled, and whether that took a new node; two dimshuffles become one."""
    order = tuple(order)
    inner = made_by(variable, DimShuffle)
    if inner is not None:
        order = tuple("x" if o == "x" else variable.owner.op.new_order[o] for o in order)
        variable = inner[0]
    if is_dimshuffle_useless(order, variable):
        return variable, False
    return type(like)(variable.type.broadcastable, order)(variable), True


def apply_local_dimshuffle_lift(var):
    """Lift the dimshuffle that makes a variable (which need not be in a graph yet) as far as it goes."""
    if var.owner is None or not isinstance(var.owner.op, DimShuffle):
        return var
    return pre_greedy_local_optimizer([local_dimshuffle_lift], var)


@register_canonicalize
@local_optimizer([DimShuffle])
def local_lift_transpose_through_dot(node):
    """``dot(x, y).T`` → ``dot(y.T, x.T)``."""
    if tuple(node.op.new_order) != (1, 0):
        return False
    source = node.inputs[0]
    factors = made_by(source, T.Dot)
    if factors is None or any(v.ndim != 2 for v in factors):
        return False
    x, y = factors
    result = T.dot(copy_stack_trace(source, y.T), copy_stack_trace(source, x.T))
    return [copy_stack_trace([source, node.outputs[0]], result)] if result.type == node.outputs[0].type else False


@register_canonicalize
@register_stabilize
@local_optimizer([T.Dot])
def local_0_dot_x(node):
    """``dot(0, x)`` → zeros (NaN and infinities in `x` do not count, as for ``0 * x``)."""
    x, y = node.inputs
    if not (is_value(x, 0) or is_value(y, 0)):
        return False
    feature = shape_feature_of(node)

    def length(variable, i):
        return variable.shape[i] if feature is None else feature.shape_of[variable][i]

    zero = T.constant(np.asarray(0, dtype=node.outputs[0].dtype))
    inner = assert_op(zero, T.eq(length(x, x.ndim - 1), length(y, 0)))
    lengths = [length(x, 0)] if x.ndim == 2 else []
    lengths += [length(y, 1)] if y.ndim == 2 else []
    result = T.alloc(inner, *lengths) if lengths else inner
    if result.type != node.outputs[0].type:
        result = T.patternbroadcast(result, node.outputs[0].broadcastable)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


# --- reshape ----------------------------------------------------------------------------------------


@register_useless
@register_canonicalize
@register_stabilize
@local_optimizer([T.Reshape])
def local_useless_reshape(node):
    """``reshape(x, x.shape)`` → ``x``; a reshape of a vector to a vector → ``x``."""
    source, lengths = node.inputs
    out = node.outputs[0]
    if source.ndim != out.ndim:
        return False
    if source.type != out.type:
        return False
    if source.ndim == 1 or made_by(lengths, Shape) == [source]:
        # One dimension to one dimension: its length is what it is.
        return [source]
    parts = made_by(lengths, MakeVector)
    if parts is None and isinstance(lengths, T.TensorConstant):
        parts = [T.constant(int(n)) for n in lengths.data]
    if parts is None:
        return False
    feature = shape_feature_of(node)
    open_ones = 0
    for i, length in enumerate(parts):
        if is_value(length, -1):
            open_ones += 1
            continue
        if not _is_length_of(length, source, i, feature):
            return False
    # At most one may be left to be computed.
    return [source] if open_ones <= 1 else False


def _is_length_of(length, source, i, feature):
    """Whether an expression is the length of a dimension of a variable."""
    from theano_compat.tensor.opt.shape_feature import equal_lengths

    made = made_by(length, Shape_i)
    if made is not None and length.owner.op.i == i and made[0] is source:
        return True
    part = made_by(length, Subtensor)
    if part is not None and made_by(part[0], Shape) == [source]:
        entries = index_of(length.owner)
        return len(entries) == 1 and not isinstance(entries[0], slice) and number(entries[0]) == i
    known = constant_value(length, only_process_constants=True)
    if known == 1 and source.type.broadcastable[i]:
        return True
    shape = feature.shape_of[source] if feature is not None else None
    if shape is None:
        return False
    if length.dtype != "int64":
        length = T.cast(length, "int64") if constant_value(length) is None else T.constant(int(known or 0), dtype="int64")
    return equal_lengths(shape[i], length)


@register_canonicalize
@local_optimizer([T.Reshape])
def local_reshape_to_dimshuffle(node):
    """Dimensions of length 1 come in by a dimshuffle: ``reshape(x, (1, n, 1))`` → ``reshape(x, (n,)).dimshuffle(x, 0, x)``."""
    source, lengths = node.inputs
    out = node.outputs[0]
    constant = isinstance(lengths, T.TensorConstant)
    if constant:
        parts = [T.constant(int(n), dtype="int64") for n in lengths.data]
    else:
        parts = made_by(lengths, MakeVector)
    if parts is None:
        return False
    order, kept = [], []
    for part in parts:
        if constant_value(part, only_process_constants=True) == 1:
            order.append("x")
        else:
            order.append(len(kept))
            kept.append(part)
    if len(kept) == len(parts):
        return False
    shape = T.constant(np.array([int(part.data) for part in kept], dtype="int64")) if constant else kept
    inner = copy_stack_trace(out, T.reshape(source, shape, ndim=len(kept)))
    result = DimShuffle(inner.type.broadcastable, order)(inner)
    return [copy_stack_trace(out, result)] if result.type == out.type else False


@register_canonicalize
@local_optimizer([T.Reshape])
def local_useless_dimshuffle_in_reshape(node):
    """``reshape(x.dimshuffle('x', 0, 'x', 1), shape)`` → ``reshape(x, shape)``: dimensions of length 1 do not matter to it."""
    shuffled = made_by(node.inputs[0], DimShuffle)
    if shuffled is None:
        return False
    (source,) = shuffled
    order = node.inputs[0].owner.op.new_order
    kept = [o for o in order if o != "x" and not source.type.broadcastable[o]]
    if kept != sorted(kept):
        return False
    result = node.op(source, node.inputs[1])
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@register_canonicalize
@register_stabilize
@local_optimizer([T.Reshape])
def local_reshape_lift(node):
    """``reshape(f(x))`` → ``f(reshape(x))`` for elementwise `f` of one input, where stabilising patterns may look for it."""
    source = node.inputs[0]
    inner = source.owner
    if inner is None or not isinstance(inner.op, Elemwise) or len(inner.inputs) != 1 or len(inner.outputs) != 1:
        return False
    reshaped = copy_stack_trace(node.outputs, node.op(inner.inputs[0], node.inputs[1]))
    result = copy_stack_trace([node.outputs[0], source], inner.op(reshaped))
    if result.type != node.outputs[0].type:
        result = T.patternbroadcast(result, node.outputs[0].broadcastable)
    return [result] if result.type == node.outputs[0].type else False


def local_reshape_chain(op):
    """Return the rewrite ``reshape(reshape(x, a), b)`` → ``reshape(x, b)`` for a reshape op class."""

    @local_optimizer([op])
    def local_reshape_chain(node):
        """``reshape(reshape(x, a), b)`` → ``reshape(x, b)``."""
        inner = made_by(node.inputs[0], op)
        if inner is None:
            return False
        result = node.op(inner[0], node.inputs[1])
        out = node.outputs[0]
        if result.type != out.type:
            # The inner one may have told of dimensions of length 1.
            result = T.patternbroadcast(result, out.broadcastable)
            if result.type != out.type:
                return False
        return [copy_stack_trace([node.inputs[0], out], result)]

    return local_reshape_chain


register_canonicalize(local_reshape_chain(T.Reshape), name="local_reshape_chain")


@register_canonicalize
@register_stabilize
@local_optimizer([T.Flatten])
def local_flatten_lift(node):
    """``flatten(f(x))`` → ``f(flatten(x))`` for elementwise `f` of one input."""
    inner = node.inputs[0].owner
    if inner is None or not isinstance(inner.op, Elemwise) or len(inner.inputs) != 1:
        return False
    flat = copy_stack_trace(node.outputs[0], node.op(inner.inputs[0]))
    result = inner.op(flat)
    return [copy_stack_trace([node.inputs[0], node.outputs[0]], result)] if result.type == node.outputs[0].type else False


# --- join and split ---------------------------------------------------------------------------------


@register_specialize
@register_canonicalize
@register_useless
@local_optimizer([T.Join])
def local_join_1(node):
    """``join(axis, x)`` → ``x``."""
    if len(node.inputs) == 2 and node.inputs[1].type == node.outputs[0].type:
        return [node.inputs[1]]
    return False


@register_useless
@register_specialize
@register_canonicalize
@local_optimizer([T.Join])
def local_join_empty(node):
    """Leave empty constants out of a join."""
    axis, *parts = node.inputs
    dimension = constant_value(axis, only_process_constants=True)
    if dimension is None:
        return False
    out = node.outputs[0]
    kept = []
    for part in parts:
        data = getattr(part, "data", None)
        if isinstance(part, T.TensorConstant) and data.shape[int(dimension)] == 0:
            continue
        kept.append(part)
    if len(kept) == len(parts) or not kept:
        return False
    if len(kept) == 1:
        result = kept[0]
    else:
        result = T.join(axis, *kept)
    if result.dtype != out.dtype:
        result = T.cast(result, out.dtype)
    if result.type != out.type:
        # What was left out may have told of dimensions of length 1.
        result = T.patternbroadcast(result, out.broadcastable)
    return [result if result in parts else copy_stack_trace(out, result)]


@register_specialize
@register_canonicalize
@register_useless
@local_optimizer([T.Join])
def local_join_make_vector(node):
    """Neighbouring vectors made of scalars join to one: ``join(0, [a], [b, c], x)`` → ``join(0, [a, b, c], x)``."""
    if node.outputs[0].ndim != 1:
        return False
    axis, *parts = node.inputs
    merged, pieces = [], None
    for part in parts:
        scalars = made_by(part, MakeVector)
        if scalars is not None and pieces is not None and merged[-1].dtype == part.dtype:
            pieces = pieces + list(scalars)
            merged[-1] = copy_stack_trace(part, MakeVector(part.dtype)(*pieces))
        else:
            pieces = list(scalars) if scalars is not None else None
            merged.append(part)
    if len(merged) == len(parts):
        return False
    result = T.join(axis, *merged)
    if result.type != node.outputs[0].type:
        return False
    return [copy_stack_trace(node.outputs[0], result)]


@register_useless
@register_canonicalize
@register_specialize
@local_optimizer([T.Split])
def local_useless_split(node):
    """A split into one part does nothing but check its length."""
    if node.op.len_splits != 1:
        return False
    x, axis, lengths = node.inputs
    result = assert_op(x, T.eq(lengths.shape[0], 1))
    dimension = constant_value(axis)
    if dimension is not None:
        result = assert_op(x, T.eq(lengths.shape[0], 1), T.eq(x.shape[int(dimension)], lengths[0]))
    result2 = copy_stack_trace(node.outputs, result)
    return [result2] if result.type == node.outputs[0].type else False


# --- rebroadcast, tile, topk ------------------------------------------------------------------------


@register_useless
@register_canonicalize
@register_specialize
@local_optimizer([Rebroadcast])
def local_useless_rebroadcast(node):
    """Drop what a `Rebroadcast` says that is known already, and all of it if nothing is left."""
    (source,) = node.inputs
    if tuple(source.broadcastable) == tuple(node.outputs[0].broadcastable):
        return [source]
    new = [(axis, flag) for axis, flag in node.op.axis.items() if flag != source.broadcastable[axis]]
    if len(new) == len(node.op.axis):
        return False
    return [copy_stack_trace(node.outputs[0], Rebroadcast(*new)(source))]


@register_canonicalize
@register_specialize
@local_optimizer([Rebroadcast])
def local_rebroadcast_lift(node):
    """``Rebroadcast(f(x))`` → ``f(Rebroadcast(x))`` for elementwise `f` of one input; two in a row become one."""
    source = node.inputs[0]
    inner = source.owner
    if inner is None:
        return False
    if isinstance(inner.op, Elemwise) and len(inner.inputs) == 1:
        # Only where nobody else uses the value: it would be computed twice.
        if not single_client(source):
            return False
        part = copy_stack_trace(node.outputs[0], node.op(inner.inputs[0]))
        result = inner.op(part)
        return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False
    if isinstance(inner.op, Rebroadcast):
        axes = {**inner.op.axis, **node.op.axis}
        return [copy_stack_trace(node.outputs[0], Rebroadcast(*axes.items())(inner.inputs[0]))]
    return False


def apply_rebroadcast_opt(rval):
    """Apply the rewrites of `Rebroadcast` to a variable that need not be in a graph yet."""
    changed = True
    while changed and rval.owner is not None:
        changed = False
        for rewrite in (local_useless_rebroadcast, local_rebroadcast_lift):
            found = rewrite.transform(rval.owner)
            if found:
                rval, changed = found[0], True
                if rval.owner is None:
                    break
    return rval


@register_useless
@register_canonicalize
@register_stabilize
@local_optimizer([T.Tile])
def local_useless_tile(node):
    """``tile(x, (1, 1))`` → ``x``."""
    source, repeats = node.inputs
    counts = constant_value(repeats, only_process_constants=True)
    if counts is None and isinstance(repeats, T.TensorConstant):
        counts = repeats.data
    parts = made_by(repeats, MakeVector)
    if counts is None and parts is not None:
        counts = [constant_value(part, only_process_constants=True) for part in parts]
        if any(count is None for count in counts):
            return False
    if counts is None or not np.all(np.asarray(counts) == 1):
        return False
    number = np.size(repeats.data) if isinstance(repeats, T.TensorConstant) else len(parts or [1])
    if number > source.ndim:
        result = source.dimshuffle(["x"] * (number - source.ndim) + list(range(source.ndim)))
    else:
        result = source
    if result.type != node.outputs[0].type:
        return False
    return [result if result is source else copy_stack_trace(node.outputs[0], result)]


def _topk():
    from theano_compat.tensor.sort import TopKOp

    @register_useless("fast_compile")
    @local_optimizer([TopKOp])
    def local_useless_topk(node):
        """Do not return values, or indices, that nobody uses."""
        op = node.op
        if not (op.return_values and op.return_indices):
            return False
        used = [bool(output.clients) for output in node.outputs]
        if all(used) or not any(used):
            return False
        smaller = TopKOp(
            axis=op.axis, sorted=op.sorted, idx_dtype=op.idx_dtype, return_values=used[0], return_indices=used[1]
        )
        old = node.outputs[0 if used[0] else 1]
        new = smaller(*node.inputs, return_list=True)[0]
        return {old: copy_stack_trace(node.outputs, new)}

    return local_useless_topk


local_useless_topk = _topk()
